package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newClients is `sallyport clients`: the programs that people have approved.
func newClients() *cobra.Command {
	var f remote
	family := f.family("clients", "See and block the programs that act for users", "CLIENT is a key that `sallyport clients list` shows.")
	family.AddCommand(
		f.sub("list", "List the clients that have sessions or are blocked", f.listClients),
		f.sub("block CLIENT", "End a client's sessions and let it start no others", f.block),
		f.sub("unblock CLIENT", "Let a blocked client start sessions again", f.unblock),
	)
	return family
}

func (f *remote) listClients(cmd *cobra.Command, c *client, _ []string) error {
	clients, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Clients",
		func(next *string) any { return &api.ListClientsRequest{NextToken: next} },
		func(out *api.ListClientsResponse) ([]api.Client, *string) { return out.Clients, out.NextToken })
	if err != nil {
		return err
	}
	rows := make([][]string, len(clients))
	for i, r := range clients {
		blocked := ""
		if r.Blocked {
			blocked = "blocked"
		}
		rows[i] = []string{r.ClientKey, strconv.Itoa(int(r.Sessions)), when(r.LastUsedAt), blocked, text(r.ClientName)}
	}
	return f.table(cmd, raw, []string{"CLIENT", "SESSIONS", "LAST USED", "BLOCKED", "NAME"}, rows)
}

func (f *remote) block(cmd *cobra.Command, c *client, args []string) error {
	_, raw, err := apiclient.Ask[api.BlockClientResponse](cmd.Context(), c.Client, &api.BlockClientRequest{ClientKey: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The client is blocked, and its sessions are over. A program can register anew; people are asked before they approve it.")
}

func (f *remote) unblock(cmd *cobra.Command, c *client, args []string) error {
	_, raw, err := apiclient.Ask[api.UnblockClientResponse](cmd.Context(), c.Client, &api.UnblockClientRequest{ClientKey: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The client may start sessions again.")
}
