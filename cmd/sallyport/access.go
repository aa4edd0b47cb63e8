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

// newAccess is `sallyport access`: who has what, had what, and why.
func newAccess() *cobra.Command {
	var f remote
	var q accessQuery
	cmd := f.command("access", "Tell who has access to what, or had at a time, since when and by whom",
		`Say --user NAME (or a user's id) for what a person has, --account ID for who has something there, or both.

Each line is one path: a permission set in an account, by an assignment to the user or to a group that they are in. SINCE is when the path
was complete, and BY who completed it; EVENT is the id of the event in the audit log that tells of it. A path that stands no more has an
end in UNTIL. With --at it is told as of that time, with the names of then: 2026-01-31, which is its first moment in UTC,
2026-01-31T15:04:05Z, or 30d for thirty days ago.`,
		func(cmd *cobra.Command, c *client, _ []string) error { return q.run(cmd, &f, c) })
	q.flags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("user", f.userNames) // the flag exists
	cmd.AddCommand(newWhy(&f), newUnused(&f), newHistory(&f))
	return cmd
}

// accessQuery is what is asked about.
type accessQuery struct {
	user, account, set, at string
}

func (q *accessQuery) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&q.user, "user", "", "what this user has: a user name, or a user's id")
	cmd.Flags().StringVar(&q.account, "account", "", "in this account")
	cmd.Flags().StringVar(&q.set, "permission-set", "", "with --account: by this permission set alone: its name or its ARN")
	cmd.Flags().StringVar(&q.at, "at", "", "as of this time (default: now)")
}

func (q *accessQuery) run(cmd *cobra.Command, f *remote, c *client) error {
	at, err := moment(q.at, clock.System{}.Now())
	switch {
	case err != nil:
		return err
	case q.user == "" && q.account == "":
		return fault.Invalidf("Say whose access you mean, --user NAME, or to what, --account ID.")
	case q.set != "" && (q.account == "" || q.user != ""):
		return fault.Invalidf("--permission-set goes with --account, and without --user.")
	case q.user != "":
		return q.ofUser(cmd, f, c, at)
	}
	return q.ofAccount(cmd, f, c, at)
}

// ofUser lists the paths of a user. The answer is all of the pages, with what the first says of the user.
func (q *accessQuery) ofUser(cmd *cobra.Command, f *remote, c *client, at *time.Time) error {
	i, err := c.instance(cmd.Context())
	if err != nil {
		return err
	}
	in := api.ListUserAccessRequest{InstanceArn: *i.InstanceArn, At: at, AccountId: some(q.account)}
	in.UserId, in.UserName = named(q.user)
	var who *api.ListUserAccessResponse
	paths, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Paths",
		func(next *string) any { in.NextToken = next; return &in },
		func(out *api.ListUserAccessResponse) ([]api.AccessPath, *string) {
			who = out
			return out.Paths, out.NextToken
		})
	if err != nil {
		return err
	}
	if f.output != "json" {
		fmt.Fprintln(cmd.ErrOrStderr(), whoIs(who, len(paths), at != nil))
		tellGaps(cmd, who.ForgottenBefore)
		if len(paths) == 0 {
			return nil
		}
	}
	rows := make([][]string, len(paths))
	for n, p := range paths {
		rows[n] = append([]string{placeOf(p), setName(p), via(p)}, marks(p)...)
	}
	return f.table(cmd, raw, []string{"ACCOUNT", "PERMISSION SET", "VIA", "SINCE", "BY", "EVENT", "UNTIL", "LAST USED"}, rows)
}

// whoIs says who is told of, and what their state makes of it.
func whoIs(u *api.ListUserAccessResponse, paths int, then bool) string {
	has, is := "has", "is"
	if then {
		has, is = "had", "was"
	}
	name := printable(u.UserName)
	switch {
	case u.UserStatus == api.AccessUserStatusDisabled && paths > 0:
		return fmt.Sprintf("%s %s disabled since %s, so that none of this let in:", name, is, when(&u.StatusSince.At))
	case u.UserStatus == api.AccessUserStatusDisabled:
		return fmt.Sprintf("%s %s disabled since %s, and %s no access.", name, is, when(&u.StatusSince.At), has)
	case paths == 0:
		return fmt.Sprintf("%s %s no access.", name, has)
	}
	return fmt.Sprintf("%s, enabled since %s, %s:", name, when(&u.StatusSince.At), has)
}

func (q *accessQuery) ofAccount(cmd *cobra.Command, f *remote, c *client, at *time.Time) error {
	i, err := c.instance(cmd.Context())
	if err != nil {
		return err
	}
	in := api.ListAccountAccessRequest{InstanceArn: *i.InstanceArn, At: at, AccountId: q.account}
	if q.set != "" {
		_, set, err := c.permissionSet(cmd.Context(), q.set)
		if err != nil {
			return err
		}
		in.PermissionSetArn = &set
	}
	var before *time.Time
	paths, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "Paths",
		func(next *string) any { in.NextToken = next; return &in },
		func(out *api.ListAccountAccessResponse) ([]api.AccessPath, *string) {
			before = out.ForgottenBefore
			return out.Paths, out.NextToken
		})
	if err != nil {
		return err
	}
	if f.output != "json" {
		tellGaps(cmd, before)
		if len(paths) > 0 {
			tellPlace(cmd, paths[0], at != nil)
		}
	}
	if len(paths) == 0 {
		has := "has"
		if at != nil {
			has = "had"
		}
		return f.done(cmd, raw, "Nobody %s access to %s.", has, printable(q.account))
	}
	rows := make([][]string, len(paths))
	for n, p := range paths {
		rows[n] = append([]string{setName(p), userOf(p), via(p)}, marks(p)...)
	}
	return f.table(cmd, raw, []string{"PERMISSION SET", "USER", "VIA", "SINCE", "BY", "EVENT", "UNTIL", "LAST USED"}, rows)
}

// gaps says that of a time not everything is known.
func gaps(before time.Time) string {
	return fmt.Sprintf("What ended before %s is not kept (history.keep): whoever had access by it then is not told of.", when(&before))
}

func tellGaps(cmd *cobra.Command, before *time.Time) {
	if before != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), gaps(*before))
	}
}

// tellPlace says that an account let nobody in, or that nobody knows.
func tellPlace(cmd *cobra.Command, p api.AccessPath, then bool) {
	is := "is"
	if then {
		is = "was"
	}
	switch {
	case p.AccountStatus == nil:
		fmt.Fprintf(cmd.ErrOrStderr(), "Whether %s %s open is not known.\n", p.AccountId, is)
	case *p.AccountStatus != api.AccountStatusActive:
		fmt.Fprintf(cmd.ErrOrStderr(), "%s %s closed since %s, so that none of this let in:\n", p.AccountId, is, when(&p.AccountStatusSince.At))
	}
}

// placeOf is a path's account, with the state that makes it lead nowhere.
func placeOf(p api.AccessPath) string {
	switch {
	case p.AccountStatus == nil:
		return p.AccountId + " (not known if open)"
	case *p.AccountStatus != api.AccountStatusActive:
		return p.AccountId + " (closed)"
	}
	return p.AccountId
}

// setName is a permission set's name or, if nobody knows that any more, its ARN.
func setName(p api.AccessPath) string {
	if p.PermissionSetName != nil {
		return *p.PermissionSetName
	}
	return p.PermissionSetArn
}

// userOf is a path's user, with the state that makes it lead nowhere.
func userOf(p api.AccessPath) string {
	name := p.UserId
	if p.UserName != nil {
		name = *p.UserName
	}
	switch {
	case p.UserStatus == nil:
		return name + " (gone)"
	case *p.UserStatus == api.AccessUserStatusDisabled:
		return name + " (disabled)"
	}
	return name
}

func via(p api.AccessPath) string {
	switch {
	case p.PrincipalType == api.PrincipalTypeUser:
		return "directly"
	case p.GroupName != nil:
		return "group " + *p.GroupName
	}
	return "group " + p.PrincipalId
}

// marks are the cells of a path's beginning and end, and of its last use.
func marks(p api.AccessPath) []string {
	until := ""
	if p.Until != nil {
		until = strings.TrimSpace(when(&p.Until.At) + " " + actor(p.Until.By))
	}
	return []string{when(&p.Since.At), actor(p.Since.By), text(p.Since.EventId), until, when(p.LastUsedAt)}
}

// actor is the short form of who did something: the last part of an ARN.
func actor(by *string) string {
	name := text(by)
	if strings.HasPrefix(name, "arn:") {
		return name[strings.LastIndexAny(name, ":/")+1:]
	}
	return name
}

// some is a text that is left out when it is empty.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
