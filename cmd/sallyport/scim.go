package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// newSCIM is `sallyport scim`: people and groups that come from elsewhere, and go there.
func newSCIM() *cobra.Command {
	var f remote
	var networks []string
	var dialect, changed string
	family := f.family("scim", "Let a directory elsewhere send its people and groups", `A source has an endpoint and up to two tokens, so that one can be changed for the other. A token speaks AWS's dialect of SCIM, strict, whose
limits integrators know, or the RFCs' own, complete.`)
	add := f.sub("add NAME", "Turn provisioning on for a source", f.addTenant)
	remove := f.asks(f.sub("remove NAME", "Turn provisioning off for a source without tokens; its people stay", f.removeTenant))
	token := f.sub("token NAME", "Make a token, good for a year, and show it this once", func(cmd *cobra.Command, c *client, args []string) error {
		return f.makeToken(cmd, c, args[0], dialect, networks)
	})
	token.Flags().StringVar(&dialect, "dialect", "strict", "strict as AWS speaks it, or complete as RFC 7644 has it")
	token.Flags().StringSliceVar(&networks, "from", nil, "networks that the token is good from, such as 192.0.2.0/24 (default: anywhere)")
	var life time.Duration
	approve := f.sub("approve NAME", "Let a source remove any number of people, groups and members for a while", func(cmd *cobra.Command, c *client, args []string) error {
		return f.approveRemovals(cmd, c, args[0], life)
	})
	approve.Flags().DurationVar(&life, "for", time.Hour, "how long; 0 ends it now")
	change := f.sub("change-token NAME TOKEN", "Have a token speak another dialect", func(cmd *cobra.Command, c *client, args []string) error {
		return f.changeToken(cmd, c, args, changed)
	})
	change.Flags().StringVar(&changed, "dialect", "", "strict or complete")
	_ = change.MarkFlagRequired("dialect") // there is such a flag
	revoke := f.asks(f.sub("revoke NAME TOKEN", "End a token at once", f.endToken))
	family.AddCommand(f.sub("list", "List sources with their endpoints", f.listTenants),
		f.sub("show NAME", "Show a source, and what of its removals is stopped", f.showTenant), add, remove,
		f.sub("tokens NAME", "List the tokens of a source", f.listTokens), token, change, revoke, approve, newSCIMPush(&f))
	return family
}

func tenants(cmd *cobra.Command, c *client) ([]api.ScimTenant, []byte, error) {
	return apiclient.AskAll(cmd.Context(), c.Client, "ScimTenants",
		func(next *string) any { return &api.ListScimTenantsRequest{NextToken: next} },
		func(out *api.ListScimTenantsResponse) ([]api.ScimTenant, *string) {
			return out.ScimTenants, out.NextToken
		})
}

// tenant is the source of a name.
func tenant(cmd *cobra.Command, c *client, name string) (api.ScimTenant, error) {
	all, _, err := tenants(cmd, c)
	if err != nil {
		return api.ScimTenant{}, err
	}
	i, err := tenantNamed(all, name)
	if err != nil {
		return api.ScimTenant{}, err
	}
	return all[i], nil
}

// tenantNamed says which of the sources has the name, or the id.
func tenantNamed(all []api.ScimTenant, name string) (int, error) {
	for i, t := range all {
		if t.Name == name || t.TenantId == name {
			return i, nil
		}
	}
	return 0, fault.Invalidf("There is no source %s: `sallyport scim list` shows all.", printable(name))
}

func (f *remote) listTenants(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := tenants(cmd, c)
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, t := range all {
		rows[i] = []string{printable(t.Name), t.Endpoint, when(&t.CreatedAt), removals(t)}
	}
	return f.table(cmd, raw, []string{"NAME", "ENDPOINT", "SINCE", "REMOVALS"}, rows)
}

func (f *remote) addTenant(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.CreateScimTenantResponse](cmd.Context(), c.Client, &api.CreateScimTenantRequest{Name: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The endpoint of %s is %s. Make a token for it: sallyport scim token %[1]s", printable(out.ScimTenant.Name), out.ScimTenant.Endpoint)
}

func (f *remote) removeTenant(cmd *cobra.Command, c *client, args []string) error {
	t, err := tenant(cmd, c, args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Turn provisioning off for %s? Its people stay.", printable(t.Name))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteScimTenantResponse](cmd.Context(), c.Client, &api.DeleteScimTenantRequest{TenantId: t.TenantId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is not a source any more.", printable(t.Name))
}

func (f *remote) listTokens(cmd *cobra.Command, c *client, args []string) error {
	t, err := tenant(cmd, c, args[0])
	if err != nil {
		return err
	}
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "ScimTokens",
		func(next *string) any { return &api.ListScimTokensRequest{TenantId: t.TenantId, NextToken: next} },
		func(out *api.ListScimTokensResponse) ([]api.ScimToken, *string) { return out.ScimTokens, out.NextToken })
	if err != nil {
		return err
	}
	rows, now := make([][]string, len(all)), clock.System{}.Now()
	for i, t := range all {
		from, used := "anywhere", ""
		if len(t.Networks) > 0 {
			from = strings.Join(t.Networks, ",")
		}
		if t.LastUsedFrom != nil {
			used = *t.LastUsedFrom
		}
		rows[i] = []string{t.TokenId, strings.ToLower(string(t.Dialect)), from, when(&t.ExpiresAt), daysLeft(t.ExpiresAt, now), when(t.LastUsedAt), used}
	}
	return f.table(cmd, raw, []string{"TOKEN", "DIALECT", "GOOD FROM", "EXPIRES", "DAYS LEFT", "LAST USED", "BY"}, rows)
}

// dialectOf reads a dialect.
func dialectOf(text string) (*api.ScimDialect, error) {
	d := api.ScimDialect(strings.ToUpper(text))
	if d != api.ScimDialectStrict && d != api.ScimDialectComplete {
		return nil, fault.Invalidf("A token speaks strict or complete, not %s.", printable(text))
	}
	return &d, nil
}

func (f *remote) changeToken(cmd *cobra.Command, c *client, args []string, dialect string) error {
	d, err := dialectOf(dialect)
	if err != nil {
		return err
	}
	t, err := tenant(cmd, c, args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.UpdateScimTokenResponse](cmd.Context(), c.Client, &api.UpdateScimTokenRequest{TenantId: t.TenantId, TokenId: args[1], Dialect: d})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The token speaks the %s dialect from now on.", strings.ToLower(string(out.ScimToken.Dialect)))
}

func (f *remote) makeToken(cmd *cobra.Command, c *client, name, dialect string, networks []string) error {
	d, err := dialectOf(dialect)
	if err != nil {
		return err
	}
	t, err := tenant(cmd, c, name)
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.CreateScimTokenResponse](cmd.Context(), c.Client, &api.CreateScimTokenRequest{TenantId: t.TenantId, Dialect: d, Networks: networks})
	if err != nil {
		return err
	}
	return f.fields(cmd, raw, [][]string{
		{"endpoint", t.Endpoint},
		{"token", out.BearerToken},
		{"dialect", strings.ToLower(string(out.ScimToken.Dialect))},
		{"expires", when(&out.ScimToken.ExpiresAt)},
		{"id", out.ScimToken.TokenId},
	})
}

func (f *remote) endToken(cmd *cobra.Command, c *client, args []string) error {
	t, err := tenant(cmd, c, args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("End the token %s of %s?", printable(args[1]), printable(t.Name))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteScimTokenResponse](cmd.Context(), c.Client, &api.DeleteScimTokenRequest{TenantId: t.TenantId, TokenId: args[1]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The token has stopped working.")
}
