package main

import (
	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newAccounts is `sallyport accounts`: those of the organization, and which of them are closed.
func newAccounts() *cobra.Command {
	var f remote
	family := f.family("accounts", "See, close and reopen the organization's accounts",
		"ACCOUNT is an account's id, twelve digits. A closed account is in nobody's reach; its assignments stay, for when it is reopened.")
	family.AddCommand(
		f.sub("list", "List the accounts of the organization, by id", f.listAccounts),
		f.asks(f.sub("close ACCOUNT", "Close an account: all role credentials in it end, and none are given out", f.closeAccount)),
		f.sub("reopen ACCOUNT", "Reopen an account, with the assignments that it has", f.reopenAccount),
	)
	return family
}

func (f *remote) listAccounts(cmd *cobra.Command, c *client, _ []string) error {
	accounts, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Accounts",
		func(next *string) any { return &api.ListOrganizationAccountsRequest{NextToken: next} },
		func(out *api.ListOrganizationAccountsResponse) ([]api.Account, *string) {
			return out.Accounts, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(accounts))
	for i, a := range accounts {
		rows[i] = []string{a.AccountId, string(a.Status), a.Name, text(a.Email)}
	}
	return f.table(cmd, raw, []string{"ACCOUNT", "STATUS", "NAME", "EMAIL"}, rows)
}

func (f *remote) closeAccount(cmd *cobra.Command, c *client, args []string) error {
	if err := f.confirm(cmd, "Close account "+printable(args[0])+", and stop all role credentials in use there?"); err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.CloseAccountResponse](cmd.Context(), c.Client, &api.CloseAccountRequest{AccountId: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Account %s (%s) is closed. What was given out in it has ended.", out.Account.AccountId, printable(out.Account.Name))
}

func (f *remote) reopenAccount(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.ReopenAccountResponse](cmd.Context(), c.Client, &api.ReopenAccountRequest{AccountId: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Account %s (%s) is open. Whoever is assigned there may get new credentials.", out.Account.AccountId, printable(out.Account.Name))
}
