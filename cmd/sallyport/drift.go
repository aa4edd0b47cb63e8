package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// newDrift is `sallyport drift`: whether the roles in accounts are what was provisioned.
func newDrift() *cobra.Command {
	var f remote
	var account string
	var heal bool
	cmd := f.command("drift", "Find roles in accounts that are not what was provisioned, and heal them",
		`Every role is compared with what was provisioned last:

  missing     it is not in its account any more
  changed     somebody has changed it: its policies, its boundary, who may take it, how long sessions last
  unexpected  it has the path of provisioned roles, and nothing explains it
  outdated    its permission set was edited since, and waits to be provisioned; that is no drift

It ends with 0 when all roles are what was provisioned, outdated ones included, and with 1 when some are not or could not be looked at.
With --heal those that are missing or changed are made again what was provisioned. Unexpected ones are left to you.`,
		func(cmd *cobra.Command, c *client, _ []string) error {
			d, err := f.drift(cmd, c, account)
			if err == nil && heal {
				d, err = f.healAll(cmd, c, d, account)
			}
			if err != nil {
				return err
			}
			if err := d.show(cmd, &f); err != nil {
				return err
			}
			return d.verdict()
		})
	f.asks(cmd)
	cmd.Flags().StringVar(&account, "account", "", "look at this account alone (default: all)")
	cmd.Flags().BoolVar(&heal, "heal", false, "make roles again what was provisioned")
	return cmd
}

// drift is what a check has found, as the API tells it.
type drift struct {
	Findings          []api.DriftFinding
	RolesChecked      int32
	UncheckedAccounts []api.UncheckedAccount
	Healings          []api.DriftHealing

	raw struct {
		Findings          []json.RawMessage
		RolesChecked      int32
		UncheckedAccounts []json.RawMessage
		Healings          []json.RawMessage `json:",omitempty"`
	}
}

// drift asks for all pages.
func (f *remote) drift(cmd *cobra.Command, c *client, account string) (*drift, error) {
	i, err := c.instance(cmd.Context())
	if err != nil {
		return nil, err
	}
	in := &api.ListDriftFindingsRequest{InstanceArn: *i.InstanceArn}
	if account != "" {
		in.AccountId = &account
	}
	d, tell := &drift{}, progress(cmd)
	d.raw.Findings, d.raw.UncheckedAccounts = []json.RawMessage{}, []json.RawMessage{}
	for {
		out, raw, err := apiclient.Ask[api.ListDriftFindingsResponse](cmd.Context(), c.Client, in)
		if err != nil {
			return nil, err
		}
		if err := d.add(out, raw); err != nil {
			return nil, err
		}
		if tell != nil {
			of := 0
			if out.NextToken == nil {
				of = int(d.RolesChecked)
			}
			tell("Roles checked", int(d.RolesChecked), of)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return d, nil
		}
	}
}

func (d *drift) add(out *api.ListDriftFindingsResponse, raw json.RawMessage) error {
	d.Findings = append(d.Findings, out.Findings...)
	d.RolesChecked += out.RolesChecked
	d.UncheckedAccounts = append(d.UncheckedAccounts, out.UncheckedAccounts...)
	page := d.raw
	page.Findings, page.UncheckedAccounts = nil, nil
	if err := json.Unmarshal(raw, &page); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	d.raw.Findings = append(d.raw.Findings, page.Findings...)
	d.raw.UncheckedAccounts = append(d.raw.UncheckedAccounts, page.UncheckedAccounts...)
	d.raw.RolesChecked = d.RolesChecked
	return nil
}

// healable are the findings that healing is for.
func (d *drift) healable() (out []api.DriftFinding) {
	for _, f := range d.Findings {
		if f.PermissionSetArn != nil && (f.Kind == api.DriftKindMissing || f.Kind == api.DriftKindChanged) {
			out = append(out, f)
		}
	}
	return out
}

// healAll asks for all healings, waits for them, and looks again.
func (f *remote) healAll(cmd *cobra.Command, c *client, d *drift, account string) (*drift, error) {
	all := d.healable()
	if len(all) == 0 {
		return d, nil
	}
	if f.output != "json" {
		if err := d.show(cmd, f); err != nil {
			return nil, err
		}
	}
	if err := f.confirm(cmd, fmt.Sprintf("Make %s again what was provisioned?", number(int32(len(all)), "role", "roles"))); err != nil {
		return nil, err
	}
	healings, raws, err := heal(cmd, c, all)
	if err != nil {
		return nil, err
	}
	if f.output != "json" {
		for n, h := range healings {
			fmt.Fprintln(cmd.OutOrStdout(), outcome(all[n], h))
		}
	}
	again, err := f.drift(cmd, c, account)
	if err == nil {
		again.Healings, again.raw.Healings = healings, raws
	}
	return again, err
}

// heal has roles healed, all at once, and waits for each. What is refused for one role is its failure alone.
func heal(cmd *cobra.Command, c *client, roles []api.DriftFinding) (healings []api.DriftHealing, raws []json.RawMessage, err error) {
	i, err := c.instance(cmd.Context())
	if err != nil {
		return nil, nil, err
	}
	for _, role := range roles {
		out, _, err := apiclient.Ask[api.HealDriftResponse](cmd.Context(), c.Client, &api.HealDriftRequest{
			InstanceArn: *i.InstanceArn, AccountId: role.AccountId, PermissionSetArn: *role.PermissionSetArn,
		})
		switch {
		case apiclient.IsCode(err, "AccessDeniedException"), apiclient.IsCode(err, "ResourceNotFoundException"): // the others' turn still comes
			healings = append(healings, api.DriftHealing{Status: api.DriftHealingStatusFailed, FailureReason: new(sentence(err))})
		case err != nil:
			return nil, nil, err
		default:
			healings = append(healings, out.DriftHealing)
		}
	}
	raws, err = await(cmd, c, *i.InstanceArn, roles, healings)
	return healings, raws, err
}

// await waits for healings to end.
func await(cmd *cobra.Command, c *client, instance string, roles []api.DriftFinding, healings []api.DriftHealing) (raws []json.RawMessage, err error) {
	tell := progress(cmd)
	for n, h := range healings {
		var raw json.RawMessage
		if h.HealingId == "" {
			raw, err = json.Marshal(map[string]any{
				"AccountId": roles[n].AccountId, "PermissionSetArn": roles[n].PermissionSetArn, "Status": h.Status, "FailureReason": h.FailureReason,
			})
		} else {
			healings[n], raw, err = healed(cmd.Context(), c, instance, h.HealingId)
		}
		if err != nil {
			return nil, err
		}
		if tell != nil {
			tell("Roles healed", n+1, len(healings))
		}
		raws = append(raws, raw)
	}
	return raws, nil
}

func outcome(role api.DriftFinding, h api.DriftHealing) string {
	where := printable(role.RoleName) + " in " + role.AccountId
	if h.Status == api.DriftHealingStatusSucceeded {
		return "Healed " + where + "."
	}
	return "Could not heal " + where + ": " + printable(text(h.FailureReason))
}

// healed waits for a healing to end.
func healed(ctx context.Context, c *client, instance, id string) (api.DriftHealing, json.RawMessage, error) {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		out, raw, err := apiclient.Ask[api.DescribeDriftHealingResponse](ctx, c.Client, &api.DescribeDriftHealingRequest{InstanceArn: instance, HealingId: id})
		if err != nil {
			return api.DriftHealing{}, nil, err
		}
		if out.DriftHealing.Status != api.DriftHealingStatusInProgress {
			var inner struct{ DriftHealing json.RawMessage }
			if err := json.Unmarshal(raw, &inner); err != nil {
				return api.DriftHealing{}, nil, fmt.Errorf("read answer: %w", err)
			}
			return out.DriftHealing, inner.DriftHealing, nil
		}
		select {
		case <-ctx.Done():
			return api.DriftHealing{}, nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// show prints what was found.
func (d *drift) show(cmd *cobra.Command, f *remote) error {
	raw, err := json.Marshal(d.raw)
	if err != nil {
		return err
	}
	if len(d.Findings) > 0 || len(d.UncheckedAccounts) > 0 || f.output == "json" {
		var rows [][]string
		for _, r := range d.Findings {
			rows = append(rows, []string{r.AccountId, strings.ToLower(string(r.Kind)), r.RoleName, strings.Join(r.Details, " ")})
		}
		for _, u := range d.UncheckedAccounts {
			rows = append(rows, []string{u.AccountId, "not checked", "", u.Reason})
		}
		return f.table(cmd, raw, []string{"ACCOUNT", "ROLE IS", "ROLE", "WHAT"}, rows)
	}
	return f.done(cmd, raw, "%s checked: all are what was provisioned.", number(d.RolesChecked, "role", "roles"))
}

func are(n int) string {
	if n == 1 {
		return "1 role is"
	}
	return fmt.Sprintf("%d roles are", n)
}

// verdict is the error that drift is.
func (d *drift) verdict() error {
	drifted := 0
	for _, f := range d.Findings {
		if f.Kind != api.DriftKindOutdated {
			drifted++
		}
	}
	var said []string
	if drifted > 0 {
		said = append(said, fmt.Sprintf("%s not what was provisioned, of %d that were checked.", are(drifted), d.RolesChecked))
	}
	if n := len(d.healable()); n > 0 && d.Healings == nil {
		said = append(said, "To make those that are missing or changed so again: sallyport drift --heal.")
	}
	if n := len(d.UncheckedAccounts); n > 0 {
		said = append(said, number(int32(n), "account", "accounts")+" could not be checked.")
	}
	if len(said) == 0 {
		return nil
	}
	return fault.Conflictf("%s", strings.Join(said, " "))
}
