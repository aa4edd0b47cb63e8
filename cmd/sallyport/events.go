package main

import (
	"cmp"
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
	user, name, source, resource, readOnly string
	since, until                           string
	limit                                  int
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
	t := f.sub("tail", "Show the last events, and with -f those to come", func(cmd *cobra.Command, c *client, _ []string) error {
		return f.tailEvents(cmd, c, &tail, follow)
	})
	tail.flags(t, 10)
	t.Flags().BoolVarP(&follow, "follow", "f", false, "go on until interrupted")
	family.AddCommand(s, t)
	return family
}

func (e *eventFilter) flags(cmd *cobra.Command, limit int) {
	p := cmd.Flags()
	p.StringVar(&e.user, "user", "", "done by this user: a user name, or a user's id")
	p.StringVar(&e.name, "name", "", "of this name, such as CreateUser")
	p.StringVar(&e.source, "source", "", "of this service, such as sso.amazonaws.com or sso")
	p.StringVar(&e.resource, "resource", "", "about this: an ARN or an id of a user, a group, a permission set, an account")
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
		{AttributeKey: "ResourceName", AttributeValue: e.resource},
		{AttributeKey: "Username", AttributeValue: e.user},
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
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
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
	about := e.resource == ""
	for _, r := range x.Resources {
		about = about || text(r.ResourceName) == e.resource
	}
	by := e.user == "" || text(x.Username) == e.user || strings.Contains(text(x.CloudTrailEvent), `"userId":"`+e.user+`"`)
	return about && by && (e.name == "" || text(x.EventName) == e.name) &&
		(e.source == "" || text(x.EventSource) == e.source) && (e.readOnly == "" || text(x.ReadOnly) == e.readOnly)
}

// newest asks for events until there are enough, or no others.
func (e *eventFilter) newest(cmd *cobra.Command, c *client, in api.LookupEventsRequest) (out []api.Event, err error) {
	for {
		page, _, err := apiclient.Ask[api.LookupEventsResponse](cmd.Context(), c.Client, &in)
		if err != nil {
			return nil, err
		}
		for _, x := range page.Events {
			if e.matches(x) {
				out = append(out, x)
			}
			if len(out) == e.limit {
				return out, nil
			}
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return out, nil
		}
	}
}

func (f *remote) searchEvents(cmd *cobra.Command, c *client, e *eventFilter) error {
	in, err := e.request(clock.System{}.Now())
	if err != nil {
		return err
	}
	found, err := e.newest(cmd, c, *in)
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
