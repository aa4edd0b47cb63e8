package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// eventFilter is which events are asked for. The API looks up by one attribute; what else was said is compared here.
type eventFilter struct {
	user, name, source, resource, account string
	session, accessKey, readOnly          string
	errors                                bool
	since, until                          string
	limit                                 int
}

// newEvents is `sallyport events`: what was done, and by whom.
func newEvents() *cobra.Command {
	var f remote
	family := f.family("events", "See what was done, and by whom",
		`Events are those of the audit log, by the API that AWS CloudTrail has (LookupEvents). A time is 2026-11-02T09:00:00Z, 2026-11-02, or
how long ago, as 90m, 12h or 7d.`)
	var search, tail eventFilter
	var follow bool
	s := f.sub("search", "Find events, the newest first", func(cmd *cobra.Command, c *client, _ []string) error {
		return f.searchEvents(cmd, c, &search)
	})
	search.flags(s, 50)
	s.Flags().StringVar(&search.until, "until", "", "no later than this")
	t := f.sub("tail", "Show the last events, and those to come", func(cmd *cobra.Command, c *client, _ []string) error {
		return f.tailEvents(cmd, c, &tail, follow)
	})
	tail.flags(t, 10)
	t.Flags().BoolVarP(&follow, "follow", "f", true, "go on until interrupted, through restarts of the server")
	family.AddCommand(s, t)
	return family
}

func (e *eventFilter) flags(cmd *cobra.Command, limit int) {
	p := cmd.Flags()
	p.StringVar(&e.user, "user", "", "done by this user: a user name, or a user's id")
	p.StringVar(&e.name, "name", "", "of this name, such as CreateUser")
	p.StringVar(&e.source, "source", "", "of this service, such as sso.amazonaws.com or sso")
	p.StringVar(&e.resource, "resource", "", "about this: an ARN or an id of a user, a group, a permission set, an account")
	p.StringVar(&e.account, "account", "", "about this AWS account: access to it, credentials for it")
	p.StringVar(&e.session, "session", "", "of one session or sign-in: a credentialId, an AuthWorkflowID or a correlation id of another event")
	p.StringVar(&e.accessKey, "access-key", "", "done with this access key id")
	p.BoolVar(&e.errors, "errors", false, "what was refused or failed")
	p.StringVar(&e.readOnly, "read-only", "", "true: what only read; false: what may have changed something")
	p.StringVar(&e.since, "since", "", "no earlier than this")
	p.IntVar(&e.limit, "limit", limit, "at most so many events")
}

// request is what to ask the API for: the attribute that the fewest events have.
func (e *eventFilter) request(now time.Time) (*api.LookupEventsRequest, error) {
	if e.limit < 1 || e.limit > 10_000 {
		return nil, fault.Invalidf("The limit %d will not do: expected 1 to 10000.", e.limit)
	}
	if e.readOnly != "" && e.readOnly != "true" && e.readOnly != "false" {
		return nil, fault.Invalidf("--read-only is true or false, not %s.", printable(e.readOnly))
	}
	if e.source != "" && !strings.Contains(e.source, ".") {
		e.source += ".amazonaws.com"
	}
	in := &api.LookupEventsRequest{}
	for _, a := range []api.LookupAttribute{
		{AttributeKey: "ResourceName", AttributeValue: e.session},
		{AttributeKey: "AccessKeyId", AttributeValue: e.accessKey},
		{AttributeKey: "ResourceName", AttributeValue: e.resource},
		{AttributeKey: "Username", AttributeValue: e.user},
		{AttributeKey: "ResourceName", AttributeValue: e.account},
		{AttributeKey: "EventName", AttributeValue: e.name},
		{AttributeKey: "EventSource", AttributeValue: e.source},
		{AttributeKey: "ReadOnly", AttributeValue: e.readOnly},
	} {
		if a.AttributeValue != "" {
			in.LookupAttributes = []api.LookupAttribute{a}
			break
		}
	}
	var err error
	if in.StartTime, err = moment(e.since, now); err == nil {
		in.EndTime, err = moment(e.until, now)
	}
	return in, err
}

// moment reads a time, or how long before now it is; nil for none.
func moment(s string, now time.Time) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return &t, nil
		}
	}
	text, days := s, time.Duration(1)
	if n, ok := strings.CutSuffix(s, "d"); ok {
		text, days = n+"h", 24
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 || ago > 100*365*24*time.Hour/days {
		return nil, fault.Invalidf("The time %q will not do: expected 2026-11-02T09:00:00Z, 2026-11-02, or how long ago, as 90m, 12h or 7d.", s)
	}
	return new(now.Add(-ago * days)), nil
}

// matches compares an event with what the API was not asked for, and finds again what it was asked for.
func (e *eventFilter) matches(x api.Event) bool {
	about := func(name string) bool {
		return name == "" || slices.ContainsFunc(x.Resources, func(r api.Resource) bool { return text(r.ResourceName) == name })
	}
	is := func(want string, have *string) bool { return want == "" || text(have) == want }
	within := func(id string) bool { return strings.Contains(text(x.CloudTrailEvent), `"`+id+`"`) }
	return about(e.resource) && about(e.account) && is(e.name, x.EventName) && is(e.source, x.EventSource) && is(e.readOnly, x.ReadOnly) &&
		is(e.accessKey, x.AccessKeyId) && (is(e.user, x.Username) || within(e.user)) && (e.session == "" || within(e.session)) &&
		(!e.errors || eventOutcome(x) != "ok")
}

// newest asks for events until there are enough, or no others, or one has been seen before. It gives the first of all, too.
func (e *eventFilter) newest(cmd *cobra.Command, c *client, in api.LookupEventsRequest, seen string) (out []api.Event, first string, err error) {
	for {
		page, _, err := apiclient.Ask[api.LookupEventsResponse](cmd.Context(), c.Client, &in)
		if err != nil {
			return nil, "", err
		}
		for _, x := range page.Events {
			if text(x.EventId) == seen {
				return out, first, nil
			}
			first = cmp.Or(first, text(x.EventId))
			if e.matches(x) {
				out = append(out, x)
			}
			if len(out) == e.limit {
				return out, first, nil
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return out, first, nil
		}
	}
}

func (f *remote) searchEvents(cmd *cobra.Command, c *client, e *eventFilter) error {
	in, err := e.request(clock.System{}.Now())
	if err != nil {
		return err
	}
	found, _, err := e.newest(cmd, c, *in, "")
	if err != nil {
		return err
	}
	return f.printEvents(cmd, found, true)
}

// eventRow is an event as a line for people.
func eventRow(x api.Event) []string {
	names := make([]string, len(x.Resources))
	for i, r := range x.Resources {
		names[i] = text(r.ResourceName)
	}
	return []string{
		x.EventTime.UTC().Format(time.RFC3339), text(x.EventName), strings.TrimSuffix(text(x.EventSource), ".amazonaws.com"),
		cmp.Or(text(x.Username), "-"), eventOutcome(x), strings.Join(names, " "),
	}
}
