package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// newEmergency is `sallyport emergency`: access that is sealed until two people open it.
func newEmergency() *cobra.Command {
	var f remote
	family := f.family("emergency", "Prepare, test, close and review emergency access (break-glass)",
		`ACCESS is the name or the id of an emergency access, OPENING the id of an opening.

It is opened in the browser, at /emergency: by one of its openers, with a passkey that they had when it was prepared, and by another
person who approves, or with an offline code.`)
	var p emergencyPlan
	family.AddCommand(
		p.flags(f.sub("prepare NAME", "Seal an access for emergencies, and have its role provisioned", p.run(&f, (*remote).prepare)), true),
		p.flags(f.sub("change ACCESS", "Say anew where, by whom and for how long it can be opened, and bind their passkeys anew", p.run(&f, (*remote).change)), false),
		f.asks(f.sub("delete ACCESS", "Delete an access; what is open of it ends", f.deleteEmergency)),
		f.sub("list", "List the emergency accesses and what their last test has found", f.listEmergencies),
		f.sub("show ACCESS", "Show an access: where, who, how many codes are left", f.showEmergency),
		f.asks(f.sub("codes ACCESS COUNT", "Make offline codes in place of those that there are", f.makeCodes)),
		f.sub("test [ACCESS]", "Find out whether an access, or each, could be opened now", f.testEmergency),
		f.asks(f.sub("close OPENING", "End an opening before its time, with all that was given out in it", f.closeOpening)),
		f.sub("reviews [OPENING]", "List the openings and their reviews, or show what was done in one", f.reviews),
		f.sub("review-close OPENING REASON", "Close the review of an opening", f.closeReview),
	)
	return family
}

// emergencyPlan are the flags of preparing and changing.
type emergencyPlan struct {
	set, description                    string
	accounts, openers, approvers, alarm []string
	life                                time.Duration
	codes                               int
}

func (p *emergencyPlan) flags(cmd *cobra.Command, prepare bool) *cobra.Command {
	fl := cmd.Flags()
	fl.StringSliceVar(&p.accounts, "account", nil, "account in which it gives access (more than one: say it again, or with commas)")
	fl.StringSliceVar(&p.openers, "opener", nil, "user who may open it")
	fl.StringSliceVar(&p.approvers, "approver", nil, "user who may approve; never of what they open themselves")
	fl.DurationVar(&p.life, "for", time.Hour, "how long it stays open, 5m to 4h")
	fl.StringSliceVar(&p.alarm, "alarm", nil, "mail address that gets the alarm")
	fl.StringVar(&p.description, "description", "", "what it is for; openers read it")
	if prepare {
		fl.StringVar(&p.set, "permission-set", "", "permission set that it gives")
		fl.IntVar(&p.codes, "codes", 0, "make so many offline codes, each of which takes an approver's place once")
	}
	return cmd
}

// run checks the flags before anything is asked of the server.
func (p *emergencyPlan) run(f *remote, do func(*remote, *cobra.Command, *client, *emergencyPlan, string) error) func(*cobra.Command, *client, []string) error {
	return func(cmd *cobra.Command, c *client, args []string) error {
		switch {
		case len(p.accounts) == 0:
			return fault.Invalidf("Say where it gives access: --account ACCOUNT.")
		case len(p.openers) == 0:
			return fault.Invalidf("Say who may open it: --opener USER.")
		case p.life < time.Minute || p.life%time.Minute != 0 || p.life > 24*time.Hour:
			return fault.Invalidf("The time %s will not do: expected whole minutes, from 5m to 4h.", p.life)
		}
		return do(f, cmd, c, p, args[0])
	}
}

func (c *client) userIDs(ctx context.Context, names []string) ([]string, error) {
	ids := make([]string, len(names))
	for i, n := range names {
		var err error
		if ids[i], err = c.user(ctx, n); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (f *remote) prepare(cmd *cobra.Command, c *client, p *emergencyPlan, name string) error {
	if p.set == "" {
		return fault.Invalidf("Say what it gives: --permission-set NAME.")
	}
	ctx := cmd.Context()
	instance, set, err := c.permissionSet(ctx, p.set)
	if err != nil {
		return err
	}
	in := &api.PrepareEmergencyAccessRequest{
		InstanceArn: instance, PermissionSetArn: set, Name: name, AccountIds: p.accounts, DurationMinutes: new(int32(p.life / time.Minute)),
		AlarmAddresses: p.alarm, Description: optional(p.description),
	}
	if in.OpenerIds, err = c.userIDs(ctx, p.openers); err != nil {
		return err
	}
	if in.ApproverIds, err = c.userIDs(ctx, p.approvers); err != nil {
		return err
	}
	if p.codes != 0 {
		in.OfflineCodes = new(int32(p.codes))
	}
	out, raw, err := apiclient.Ask[api.PrepareEmergencyAccessResponse](ctx, c.Client, in)
	if err != nil {
		return err
	}
	failures, err := c.provisioned(ctx, out.EmergencyAccess.AccessId)
	if err != nil {
		return err
	}
	if len(out.Codes) > 0 {
		if err := f.showCodes(cmd, raw, out.Codes); err != nil || f.output == "json" {
			return err
		}
	}
	if len(failures) > 0 {
		return fault.Conflictf("%s is prepared, but could not be opened yet: %s", printable(name), printable(strings.Join(failures, " ")))
	}
	return f.done(cmd, raw, "%s is prepared, and could be opened now.", printable(name))
}

// provisioned waits until the roles of an access stand, or do not come, and tests it.
func (c *client) provisioned(ctx context.Context, id string) ([]string, error) {
	const patience = 30 * time.Second
	for waited, pause := time.Duration(0), 50*time.Millisecond; ; waited, pause = waited+pause, min(2*pause, time.Second) {
		out, _, err := apiclient.Ask[api.DescribeEmergencyAccessResponse](ctx, c.Client, &api.DescribeEmergencyAccessRequest{AccessId: id})
		if err != nil {
			return nil, err
		}
		missing := 0
		for _, a := range out.Accounts {
			if a.Problem != nil {
				missing++
			}
		}
		if missing == 0 || waited >= patience {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
	out, _, err := apiclient.Ask[api.TestEmergencyAccessResponse](ctx, c.Client, &api.TestEmergencyAccessRequest{AccessId: id})
	return out.Failures, err
}

func (f *remote) change(cmd *cobra.Command, c *client, p *emergencyPlan, name string) error {
	ctx := cmd.Context()
	e, err := c.emergency(ctx, name)
	if err != nil {
		return err
	}
	in := &api.UpdateEmergencyAccessRequest{
		AccessId: e.AccessId, AccountIds: p.accounts, DurationMinutes: new(int32(p.life / time.Minute)), AlarmAddresses: p.alarm, Description: optional(p.description),
	}
	if in.OpenerIds, err = c.userIDs(ctx, p.openers); err != nil {
		return err
	}
	if in.ApproverIds, err = c.userIDs(ctx, p.approvers); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.UpdateEmergencyAccessResponse](ctx, c.Client, in)
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is changed, and its people are bound to the passkeys that they have now.", printable(e.Name))
}

// emergencies are all accesses.
func (c *client) emergencies(ctx context.Context) ([]api.EmergencyAccess, []byte, error) {
	return apiclient.AskAll(ctx, c.Client, "EmergencyAccesses",
		func(next *string) any { return &api.ListEmergencyAccessesRequest{NextToken: next} },
		func(out *api.ListEmergencyAccessesResponse) ([]api.EmergencyAccess, *string) {
			return out.EmergencyAccesses, out.NextToken
		})
}

// emergency is the access of a name or an id.
func (c *client) emergency(ctx context.Context, name string) (api.EmergencyAccess, error) {
	all, _, err := c.emergencies(ctx)
	if err != nil {
		return api.EmergencyAccess{}, err
	}
	for _, e := range all {
		if strings.EqualFold(e.Name, name) || e.AccessId == name {
			return e, nil
		}
	}
	return api.EmergencyAccess{}, fault.Invalidf("There is no emergency access %s: `sallyport emergency list` shows all.", printable(name))
}

func (f *remote) deleteEmergency(cmd *cobra.Command, c *client, args []string) error {
	e, err := c.emergency(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Delete the emergency access %s? What is open of it ends.", printable(e.Name))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteEmergencyAccessResponse](cmd.Context(), c.Client, &api.DeleteEmergencyAccessRequest{AccessId: e.AccessId})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "%s is deleted.", printable(e.Name))
}

func (f *remote) listEmergencies(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := c.emergencies(cmd.Context())
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, e := range all {
		rows[i] = []string{e.Name, number(e.DurationMinutes, "minute", "minutes"), when(e.TestedAt), verdictOfTest(e)}
	}
	return f.table(cmd, raw, []string{"NAME", "STAYS OPEN", "TESTED", "COULD BE OPENED"}, rows)
}

func verdictOfTest(e api.EmergencyAccess) string {
	switch {
	case e.TestedAt == nil:
		return "not tested yet"
	case len(e.Failures) > 0:
		return "no: " + strings.Join(e.Failures, " ")
	}
	return "yes"
}

func (f *remote) showEmergency(cmd *cobra.Command, c *client, args []string) error {
	e, err := c.emergency(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.DescribeEmergencyAccessResponse](cmd.Context(), c.Client, &api.DescribeEmergencyAccessRequest{AccessId: e.AccessId})
	if err != nil {
		return err
	}
	e = out.EmergencyAccess
	rows := [][]string{
		{"name", e.Name},
		{"what for", text(e.Description)},
		{"permission set", e.PermissionSetArn},
		{"stays open", number(e.DurationMinutes, "minute", "minutes")},
		{"codes left", strconv.Itoa(int(out.CodesLeft))},
		{"alarm", strings.Join(e.AlarmAddresses, ", ")},
		{"tested", when(e.TestedAt)},
		{"could be opened", verdictOfTest(e)},
	}
	for _, a := range out.Accounts {
		rows = append(rows, []string{"account", withProblem(a.AccountId, a.Problem)})
	}
	for _, p := range out.People {
		name := text(p.UserName)
		if name == "" {
			name = p.UserId
		}
		var may []string
		if p.Opens {
			may = append(may, "opens")
		}
		if p.Approves {
			may = append(may, "approves")
		}
		rows = append(rows, []string{strings.Join(may, ", "), withProblem(name+", "+number(p.Passkeys, "passkey", "passkeys"), p.Problem)})
	}
	return f.fields(cmd, raw, rows)
}

func withProblem(what string, problem *string) string {
	if problem == nil {
		return what
	}
	return what + " (problem: " + *problem + ")"
}
