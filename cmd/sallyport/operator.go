package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
	"sallyport/internal/server"
	"sallyport/internal/sigv4"
)

// newOperator is `sallyport operator`: the keys with which everything began.
func newOperator() *cobra.Command {
	f := remote{aboutKeys: true}
	family := f.family("operator", "See and replace the operator's access keys",
		"The operator is who the first start makes, an administrator without a password. Once people administer, disable the key:\n`sallyport recover` makes another when it is needed.")
	family.AddCommand(
		f.sub("keys", "List the operator's access keys", f.listKeys),
		f.sub("rotate", "Replace the key of --data DIR: the new one is in the file before the old one goes", f.rotate),
		f.sub("disable [ACCESS-KEY-ID]", "Switch a key off (default: the one in use)", f.disableKey),
		f.asks(f.sub("remove ACCESS-KEY-ID", "Delete a key", f.removeKey)),
	)
	return family
}

func (f *remote) listKeys(cmd *cobra.Command, c *client, _ []string) error {
	keys, raw, err := c.operatorKeys(cmd.Context())
	if err != nil {
		return err
	}
	rows := make([][]string, len(keys))
	for i, k := range keys {
		inUse := ""
		if k.AccessKeyId == c.keys.AccessKeyID {
			inUse = "this one"
		}
		rows[i] = []string{k.AccessKeyId, string(k.Status), when(&k.CreatedAt), when(k.LastUsedAt), inUse}
	}
	return f.table(cmd, raw, []string{"ACCESS KEY", "STATUS", "CREATED", "LAST USED", "IN USE"}, rows)
}

func (c *client) operatorKeys(ctx context.Context) ([]api.OperatorKey, []byte, error) {
	return apiclient.AskAll(ctx, c.Client, "OperatorKeys",
		func(next *string) any { return &api.ListOperatorKeysRequest{NextToken: next} },
		func(out *api.ListOperatorKeysResponse) ([]api.OperatorKey, *string) {
			return out.OperatorKeys, out.NextToken
		})
}

// rotate leaves at every moment a key that works in the file.
func (f *remote) rotate(cmd *cobra.Command, c *client, _ []string) error {
	ctx, old := cmd.Context(), c.keys.AccessKeyID
	if f.data == "" {
		return fault.Invalidf("The new key is written to the server's data directory: say --data DIR.")
	}
	made, _, err := apiclient.Ask[api.CreateOperatorKeyResponse](ctx, c.Client, &api.CreateOperatorKeyRequest{})
	if err != nil {
		return err
	}
	next := newKeys(c, sigv4.Credentials{AccessKeyID: made.AccessKeyId, SecretAccessKey: made.SecretAccessKey})
	if _, _, err = next.operatorKeys(ctx); err == nil {
		err = server.ReplaceOperator(f.data, server.OperatorKey{AccessKeyID: made.AccessKeyId, SecretAccessKey: made.SecretAccessKey})
	}
	if err != nil { // nobody has the new key
		lasting := context.WithoutCancel(ctx)
		_, _, undo := apiclient.Ask[api.DeleteOperatorKeyResponse](lasting, c.Client, &api.DeleteOperatorKeyRequest{AccessKeyId: made.AccessKeyId})
		return errors.Join(err, undo)
	}
	_, raw, err := apiclient.Ask[api.DeleteOperatorKeyResponse](ctx, next.Client, &api.DeleteOperatorKeyRequest{AccessKeyId: old})
	if err != nil {
		return &fault.Error{Kind: fault.Denied, Err: err, Message: fmt.Sprintf("The new key %s is in place, but the old one %s still works: %s Remove it with `sallyport operator remove %s`.",
			made.AccessKeyId, old, sentence(err), old)}
	}
	return f.done(cmd, raw, "The new key %s is in the file in %s. The old one, %s, has stopped working.", made.AccessKeyId, filepath.Clean(f.data), old)
}

func (f *remote) disableKey(cmd *cobra.Command, c *client, args []string) error {
	id := c.keys.AccessKeyID
	if len(args) > 0 {
		id = args[0]
	}
	_, raw, err := apiclient.Ask[api.UpdateOperatorKeyResponse](cmd.Context(), c.Client, &api.UpdateOperatorKeyRequest{AccessKeyId: id, Status: api.OperatorKeyStatusInactive})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The key %s is off. `sallyport recover` makes another, on the server's machine.", printable(id))
}

func (f *remote) removeKey(cmd *cobra.Command, c *client, args []string) error {
	if err := f.confirm(cmd, fmt.Sprintf("Delete the operator's key %s?", printable(args[0]))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteOperatorKeyResponse](cmd.Context(), c.Client, &api.DeleteOperatorKeyRequest{AccessKeyId: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The key %s is deleted.", printable(args[0]))
}
