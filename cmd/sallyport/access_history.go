package main

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newHistory is `sallyport access history`.
func newHistory(f *remote) *cobra.Command {
	var set string
	cmd := f.sub("history", "Tell how a permission set has changed, when and by whom", func(cmd *cobra.Command, c *client, _ []string) error {
		return f.history(cmd, c, set)
	})
	cmd.Flags().StringVar(&set, "permission-set", "", "its name or, for one that is gone too, its ARN")
	_ = cmd.MarkFlagRequired("permission-set") // the flag exists
	return cmd
}

func (f *remote) history(cmd *cobra.Command, c *client, set string) error {
	var in api.ListPermissionSetRevisionsRequest
	i, err := c.instance(cmd.Context())
	if err != nil {
		return err
	}
	in.InstanceArn, in.PermissionSetArn = *i.InstanceArn, set
	if !strings.HasPrefix(set, "arn:") {
		if _, in.PermissionSetArn, err = c.permissionSet(cmd.Context(), set); err != nil {
			return err
		}
	}
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Revisions",
		func(next *string) any { in.NextToken = next; return &in },
		func(out *api.ListPermissionSetRevisionsResponse) ([]api.PermissionSetRevision, *string) {
			return out.Revisions, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for n, r := range all {
		until := ""
		if r.Until != nil {
			until = strings.TrimSpace(when(&r.Until.At) + " " + actor(r.Until.By))
		}
		rows[n] = []string{strconv.Itoa(int(r.Revision)), when(&r.Since.At), actor(r.Since.By), text(r.Since.EventId), until, strings.Join(contents(r), ", ")}
	}
	return f.table(cmd, raw, []string{"REVISION", "SINCE", "BY", "EVENT", "UNTIL", "WHAT"}, rows)
}

// contents are what a revision says, in short.
func contents(r api.PermissionSetRevision) []string {
	out := []string{r.SessionDuration}
	out = append(out, r.ManagedPolicyArns...)
	out = append(out, r.CustomerManagedPolicies...)
	if r.InlinePolicy != nil {
		out = append(out, "inline policy of "+strconv.Itoa(len(*r.InlinePolicy))+" bytes")
	}
	if r.PermissionsBoundary != nil {
		out = append(out, "boundary "+*r.PermissionsBoundary)
	}
	return out
}
