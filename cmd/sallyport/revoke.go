package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// revoke is what is to be cut off, as it is said on the command line.
type revoke struct {
	user, session, set, account, reason string
	disable, dry, wait                  bool
	timeout                             time.Duration
}

// newRevoke is `sallyport revoke`: what was given out is cut off, and what that reached is told.
func newRevoke() *cobra.Command {
	var f remote
	var r revoke
	cmd := f.command("revoke", "Cut off what was given out to a user, in a session, of a permission set or in an account",
		`  --user NAME           all sessions, tokens and role credentials of a user; with --disable the user is kept out as well
  --session SESSION     a session that `+"`sallyport sessions list`"+` shows, with what was approved and given out in it
  --permission-set SET  all role credentials of a permission set, given out until now; with --account those in one account
  --account ACCOUNT     all role credentials in an account, given out until now

Of a permission set or an account, sessions stay and people may get new credentials. To take the right away, remove the assignment.
The command ends with 0 when every target was reached, and with 1 when one was not, or not in time: then look again with
`+"`sallyport revoke show ID`"+`.`,
		func(cmd *cobra.Command, c *client, _ []string) error { return f.revoke(cmd, c, &r) })
	fl := cmd.Flags()
	fl.StringVar(&r.user, "user", "", "user name or user's id")
	fl.StringVar(&r.session, "session", "", "id of a session")
	fl.StringVar(&r.set, "permission-set", "", "name or ARN of a permission set")
	fl.StringVar(&r.account, "account", "", "id of an account")
	fl.StringVar(&r.reason, "reason", "", "why, for the record")
	fl.BoolVar(&r.disable, "disable", false, "with --user: disable the user as well")
	fl.BoolVar(&r.dry, "dry-run", false, "tell what would be cut off, and do nothing")
	fl.BoolVar(&r.wait, "wait", true, "wait until every target was reached")
	fl.DurationVar(&r.timeout, "timeout", time.Minute, "how long to wait")
	_ = cmd.RegisterFlagCompletionFunc("user", f.userNames) // the flag exists
	cmd.AddCommand(
		f.sub("list", "List what was revoked, the newest first", f.listRevocations),
		f.sub("show ID", "Show what a revocation has reached, and what remains", f.showRevocation),
	)
	return cmd
}

func (f *remote) revoke(cmd *cobra.Command, c *client, r *revoke) error {
	ctx := cmd.Context()
	in := &api.RevokeRequest{SessionId: optional(r.session), AccountId: optional(r.account), Reason: optional(r.reason), DisableUser: &r.disable, DryRun: &r.dry}
	if r.user != "" {
		id, err := c.user(ctx, r.user)
		if err != nil {
			return err
		}
		in.UserId = &id
	}
	if r.set != "" {
		_, set, err := c.permissionSet(ctx, r.set)
		if err != nil {
			return err
		}
		in.PermissionSetArn = &set
	}
	out, raw, err := apiclient.Ask[api.RevokeResponse](ctx, c.Client, in)
	if err != nil {
		return err
	}
	if r.dry {
		return f.showDryRun(cmd, out.Revocation, raw)
	}
	id := *out.Revocation.RevocationId
	if f.output != "json" {
		fmt.Fprintf(cmd.ErrOrStderr(), "Revocation %s is on record. This server refuses from now on what was cut off.\n", id)
	}
	if !r.wait {
		_, err := f.json(cmd, raw)
		return err
	}
	ended, raw, err := c.revoked(ctx, id, r.timeout, progress(cmd))
	if err != nil {
		return err
	}
	return f.report(cmd, c, ended, raw)
}

// revoked waits until a revocation has ended, and returns how it stands then or when the time is over.
func (c *client) revoked(ctx context.Context, id string, atMost time.Duration, tell func(string, int, int)) (api.Revocation, json.RawMessage, error) {
	over := time.NewTimer(atMost)
	defer over.Stop()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		out, raw, err := apiclient.Ask[api.DescribeRevocationResponse](ctx, c.Client, &api.DescribeRevocationRequest{RevocationId: id})
		if err != nil {
			return api.Revocation{}, nil, err
		}
		v := out.Revocation
		if tell != nil {
			done, of := 0, len(v.Targets)
			if v.ConfirmedAt != nil {
				done = of
			}
			if v.EndedAt == nil && done == of {
				of++ // accounts
			}
			tell("Targets confirmed", done, of)
		}
		if v.EndedAt != nil {
			return v, raw, nil
		}
		select {
		case <-ctx.Done():
			return v, raw, ctx.Err()
		case <-over.C:
			return v, raw, nil
		case <-time.After(pause):
		}
	}
}

func (f *remote) showRevocation(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.DescribeRevocationResponse](cmd.Context(), c.Client, &api.DescribeRevocationRequest{RevocationId: args[0]})
	if err != nil {
		return err
	}
	return f.report(cmd, c, out.Revocation, raw)
}

// report tells target by target what was reached and what remains. What was not reached is the command's error.
func (f *remote) report(cmd *cobra.Command, c *client, v api.Revocation, answer json.RawMessage) error {
	accounts, rawAccounts, err := apiclient.AskAll(cmd.Context(), c.Client, "RevokedAccounts",
		func(next *string) any {
			return &api.ListRevokedAccountsRequest{RevocationId: *v.RevocationId, NextToken: next}
		},
		func(out *api.ListRevokedAccountsResponse) ([]api.RevokedAccount, *string) {
			return out.RevokedAccounts, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := targetRows(v)
	for _, a := range accounts {
		rows = append(rows, []string{"account " + a.AccountId, "", spoken(a.Status), seconds(a.ReachedAt), remains(a)})
	}
	raw, err := merged(answer, rawAccounts)
	if err != nil {
		return err
	}
	if err := f.table(cmd, raw, []string{"TARGET", "COUNT", "STATUS", "SINCE", "REMAINS"}, rows); err != nil {
		return err
	}
	return verdictOf(v)
}

// remains is what goes on working in an account.
func remains(a api.RevokedAccount) string {
	residue := strings.Join(a.Residue, " ")
	switch {
	case a.FailureReason != nil:
		return *a.FailureReason
	case a.Status != api.RevocationStatusReached:
		return ""
	case a.HoldsWithinSeconds > 0:
		return strings.TrimSpace(fmt.Sprintf("everything for up to %s. %s", number(a.HoldsWithinSeconds, "second", "seconds"), residue))
	case residue == "":
		return "nothing"
	}
	return residue
}

// merged is the members of several answers in one document.
func merged(answers ...json.RawMessage) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	for _, a := range answers {
		if err := json.Unmarshal(a, &all); err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
	}
	return json.Marshal(all)
}

func verdictOf(v api.Revocation) error {
	switch {
	case v.Status == api.RevocationStatusFailed:
		return fault.Conflictf("An account was not reached: what was given out there may still work. Mend what is told of it, then revoke again.")
	case v.EndedAt == nil:
		return fault.Conflictf("Not every target was reached yet. Look again: sallyport revoke show %s", *v.RevocationId)
	}
	return nil
}

func targetRows(v api.Revocation) (rows [][]string) {
	for _, t := range v.Targets {
		since, remains := "", ""
		if t.Status == api.RevocationStatusReached {
			since, remains = seconds(v.ConfirmedAt), "nothing"
		}
		rows = append(rows, []string{spoken(t.Kind), strconv.Itoa(int(t.Count)), spoken(t.Status), since, remains})
	}
	return rows
}

func (f *remote) showDryRun(cmd *cobra.Command, v api.Revocation, raw json.RawMessage) error {
	rows := append(targetRows(v), []string{"accounts told", strconv.Itoa(int(v.AccountCount)), spoken(v.Status), "", ""})
	if err := f.table(cmd, raw, []string{"TARGET", "COUNT", "STATUS", "SINCE", "REMAINS"}, rows); err != nil || f.output == "json" {
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "Nothing was done.")
	return nil
}

func (f *remote) listRevocations(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Revocations",
		func(next *string) any { return &api.ListRevocationsRequest{NextToken: next} },
		func(out *api.ListRevocationsResponse) ([]api.Revocation, *string) {
			return out.Revocations, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, v := range all {
		var of []string
		for _, s := range []*string{v.UserId, v.SessionId, v.PermissionSetArn, v.AccountId} {
			if s != nil {
				of = append(of, *s)
			}
		}
		rows[i] = []string{*v.RevocationId, when(&v.At), spoken(v.Status), spoken(v.Scope), strings.Join(of, " "), v.RequestedBy, text(v.Reason)}
	}
	return f.table(cmd, raw, []string{"ID", "AT", "STATUS", "SCOPE", "OF", "BY", "REASON"}, rows)
}

// spoken is a word of the API as people read it.
func spoken[T ~string](s T) string {
	return strings.ToLower(strings.ReplaceAll(string(s), "_", " "))
}

// seconds is a time to the second: evidence is held against logs.
func seconds(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// optional is a member that is left out when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
