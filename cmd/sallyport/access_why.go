package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// whyQuery is a question of the form: why can X do this there?
type whyQuery struct {
	user, account, set, action, resource, at string
	context                                  []string
}

// newWhy is `sallyport access why`.
func newWhy(f *remote) *cobra.Command {
	var q whyQuery
	cmd := f.sub("why", "Tell whether a user may do something in an account, and which statement decides", func(cmd *cobra.Command, c *client, _ []string) error {
		return q.run(cmd, f, c)
	})
	cmd.Long = `It is decided as a session of the user would be: by each permission set that they have in the account, as its role is provisioned now, with
their session tags. What the resource's own policy says, and what accounts elsewhere add, is not known here. Condition keys of the request
are given by --context aws:SourceIp=192.0.2.1; again for further values of a key, and for others. With --at it is told as of that time, as
by sallyport access: by the permission sets that they had then, as the roles had been provisioned by then. What is not kept of then and
may have decided otherwise is named, and makes the answer undecided. It ends with 0 when the user may, or might, with 1 when not.`
	p := cmd.Flags()
	p.StringVar(&q.user, "user", "", "who: a user name, or a user's id")
	p.StringVar(&q.account, "account", "", "in which account")
	p.StringVar(&q.set, "permission-set", "", "by this permission set alone: its name or its ARN (default: any that they have there)")
	p.StringVar(&q.action, "action", "", "what, such as s3:GetObject")
	p.StringVar(&q.resource, "resource", "*", "on which ARN")
	p.StringVar(&q.at, "at", "", "as of this time (default: now)")
	p.StringArrayVar(&q.context, "context", nil, "KEY=VALUE: a condition key of the request")
	for _, name := range []string{"user", "account", "action"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist
	}
	_ = cmd.RegisterFlagCompletionFunc("user", f.userNames)
	return cmd
}

func (q *whyQuery) run(cmd *cobra.Command, f *remote, c *client) error {
	at, err := moment(q.at, clock.System{}.Now())
	if err != nil {
		return err
	}
	i, err := c.instance(cmd.Context())
	if err != nil {
		return err
	}
	in := api.GetAccessDecisionRequest{InstanceArn: *i.InstanceArn, At: at, AccountId: q.account, Action: q.action, Resource: q.resource}
	in.UserId, in.UserName = named(q.user)
	if in.Context, err = contextKeys(q.context); err != nil {
		return err
	}
	if q.set != "" {
		_, set, err := c.permissionSet(cmd.Context(), q.set)
		if err != nil {
			return err
		}
		in.PermissionSetArn = &set
	}
	out, raw, err := apiclient.Ask[api.GetAccessDecisionResponse](cmd.Context(), c.Client, &in)
	if err != nil {
		return err
	}
	if done, err := f.json(cmd, raw); err != nil {
		return err
	} else if !done {
		q.tell(cmd.OutOrStdout(), out)
	}
	return q.verdict(out)
}

// verdict is nil when the user may, and else says that they may not, or that nobody knows.
func (q *whyQuery) verdict(out *api.GetAccessDecisionResponse) error {
	undecided := out.ForgottenBefore != nil
	for _, d := range out.Decisions {
		if d.Allowed {
			return nil
		}
		undecided = undecided || len(d.NotKnown) > 0
	}
	may := "may not"
	switch {
	case undecided:
		return fault.Deniedf("It is not known whether %s might do %s on %s in %s then.", printable(out.UserName), q.action, q.resource, q.account)
	case q.at != "":
		may = "might not"
	}
	return fault.Deniedf("%s %s do %s on %s in %s.", printable(out.UserName), may, q.action, q.resource, q.account)
}

// named tells a user's id from a user's name.
func named(user string) (id, name *string) {
	if userID.MatchString(user) {
		return &user, nil
	}
	return nil, &user
}

// contextKeys reads KEY=VALUE, with all values of a key together.
func contextKeys(all []string) (out []api.AccessContextKey, err error) {
	at := map[string]int{}
	for _, one := range all {
		key, v, ok := strings.Cut(one, "=")
		if !ok || key == "" {
			return nil, fault.Invalidf("%q is no condition key: expected KEY=VALUE.", one)
		}
		n, known := at[strings.ToLower(key)]
		if !known {
			n = len(out)
			at[strings.ToLower(key)] = n
			out = append(out, api.AccessContextKey{Key: key})
		}
		out[n].Values = append(out[n].Values, v)
	}
	return out, nil
}

// tell prints each decision with its reason, or what comes closest to a path, and what is not known of then.
func (q *whyQuery) tell(w io.Writer, out *api.GetAccessDecisionResponse) {
	if len(out.Decisions) == 0 {
		leads := "leads"
		if q.at != "" {
			leads = "led"
		}
		fmt.Fprintf(w, "No path %s %s into %s%s.\n", leads, printable(out.UserName), q.account, q.bySet())
		for _, near := range out.Nearest {
			fmt.Fprintf(w, "  %s\n", printable(near))
		}
	}
	for _, d := range out.Decisions {
		tellDecision(w, d)
	}
	for _, what := range out.NotKnown {
		fmt.Fprintf(w, "%s\n", printable(what))
	}
	if out.ForgottenBefore != nil {
		fmt.Fprintln(w, gaps(*out.ForgottenBefore))
	}
}

func tellDecision(w io.Writer, d api.AccessDecision) {
	verdict := "denied"
	switch {
	case len(d.NotKnown) > 0:
		verdict = "undecided"
	case d.Allowed:
		verdict = "allowed"
	}
	fmt.Fprintf(w, "%s by %s", verdict, printable(d.PermissionSetName))
	if d.RoleArn != nil {
		fmt.Fprintf(w, ": %s\n  role  %s", printable(reason(d)), printable(*d.RoleArn))
	}
	fmt.Fprintln(w)
	for _, p := range d.Paths {
		m := marks(p)
		fmt.Fprintf(w, "  path  %s, since %s", printable(via(p)), m[0])
		if m[1] != "" {
			fmt.Fprintf(w, ", by %s", printable(m[1]))
		}
		if m[2] != "" {
			fmt.Fprintf(w, ", event %s", printable(m[2]))
		}
		fmt.Fprintln(w)
	}
	for _, key := range d.KeysNotGiven {
		fmt.Fprintf(w, "  not given  %s, which a policy asks for\n", printable(key))
	}
	for _, what := range d.NotKnown {
		fmt.Fprintf(w, "  not known  %s\n", printable(what))
	}
}

func (q *whyQuery) bySet() string {
	if q.set == "" {
		return ""
	}
	return " by " + printable(q.set)
}

// reason says what decided: a statement, or that there is none.
func reason(d api.AccessDecision) string {
	if d.Statement == nil {
		if d.PolicyName != nil && d.Explicit {
			return fmt.Sprintf("the %s %s cannot be read, which denies", d.Layer, *d.PolicyName)
		}
		return "no " + d.Layer + " allows it"
	}
	said := fmt.Sprintf("statement %d", *d.Statement)
	if d.StatementId != nil {
		said += " (" + *d.StatementId + ")"
	}
	return fmt.Sprintf("%s of %s, %s", said, text(d.PolicyName), d.Layer)
}
