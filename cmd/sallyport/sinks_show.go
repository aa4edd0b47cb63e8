package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

func eventSinks(cmd *cobra.Command, c *client) ([]api.EventSink, []byte, error) {
	return apiclient.AskAll(cmd.Context(), c.Client, "EventSinks",
		func(next *string) any { return &api.ListEventSinksRequest{NextToken: next} },
		func(out *api.ListEventSinksResponse) ([]api.EventSink, *string) { return out.EventSinks, out.NextToken })
}

// eventSink is the sink of a name.
func eventSink(cmd *cobra.Command, c *client, name string) (api.EventSink, error) {
	all, _, err := eventSinks(cmd, c)
	if err != nil {
		return api.EventSink{}, err
	}
	for _, s := range all {
		if s.Name == name || s.SinkId == name {
			return s, nil
		}
	}
	return api.EventSink{}, fault.Invalidf("No events are sent to %s: `sallyport sinks list` shows all.", printable(name))
}

// behind is how far a sink is behind, for people.
func behind(s api.EventSink) string {
	if s.LagEvents == 0 {
		return "nothing"
	}
	return plural(s.LagEvents, "event", "events") + ", " + (time.Duration(s.LagSeconds) * time.Second).String()
}

func (f *remote) listSinks(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := eventSinks(cmd, c)
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		rows[i] = []string{s.Name, strings.ToLower(string(s.State)), spelledKind(s.Kind), s.Address, behind(s), strconv.Itoa(int(s.DeadEvents)), text(s.LastError)}
	}
	return f.table(cmd, raw, []string{"NAME", "STATE", "KIND", "WHERE", "BEHIND", "REFUSED", "ERROR"}, rows)
}

// spelledKind is a kind as commands take it.
func spelledKind(kind string) string { return strings.ReplaceAll(strings.ToLower(kind), "_", "-") }

func (f *remote) showSink(cmd *cobra.Command, c *client, args []string) error {
	s, err := eventSink(cmd, c, args[0])
	if err != nil {
		return err
	}
	d, raw, err := apiclient.Ask[api.DescribeEventSinkResponse](cmd.Context(), c.Client, &api.DescribeEventSinkRequest{SinkId: s.SinkId})
	if err != nil {
		return err
	}
	s = d.EventSink
	sent := "all events"
	if s.WriteOnly != nil && *s.WriteOnly {
		sent = "what changes something"
	}
	if len(s.EventSources) > 0 {
		sent += ", of " + strings.Join(s.EventSources, ", ")
	}
	var options []string
	for _, name := range slices.Sorted(maps.Keys(s.Options)) {
		options = append(options, name+"="+s.Options[name])
	}
	return f.fields(cmd, raw, [][]string{
		{"state", strings.ToLower(string(s.State))},
		{"kind", spelledKind(s.Kind)},
		{"where", s.Address},
		{"format", s.Format},
		{"options", strings.Join(options, ", ")},
		{"sent are", sent},
		{"behind", behind(s)},
		{"has events up to", strconv.FormatInt(s.Position, 10)},
		{"delivered", plural(s.Delivered, "event", "events")},
		{"last delivered", when(s.LastDeliveredAt)},
		{"refused", plural(int64(s.DeadEvents), "event", "events")},
		{"failures", plural(int64(s.FailuresInARow), "in a row", "in a row") + ", " + strconv.Itoa(int(s.Failures)) + " ever"},
		{"error", text(s.LastError)},
		{"tried again", when(s.ResumesAt)},
	})
}

// deadSinks is `sallyport sinks dead`: what receivers have refused.
func (f *remote) deadSinks() *cobra.Command {
	var all bool
	family := &cobra.Command{Use: "dead", Short: "What receivers have refused", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	settle := func(use, short, said string, ask func(*cobra.Command, *client, string, []int64) (int32, []byte, error)) *cobra.Command {
		cmd := f.sub(use, short, func(cmd *cobra.Command, c *client, args []string) error {
			s, err := eventSink(cmd, c, args[0])
			if err != nil {
				return err
			}
			var seqs []int64
			if len(args) > 1 {
				if seqs, err = sequences(args[1]); err != nil {
					return err
				}
			}
			if all == (len(seqs) > 0) {
				return fault.Invalidf("Say which events, such as 17,20, or --all.")
			}
			n, raw, err := ask(cmd, c, s.SinkId, seqs)
			if err != nil {
				return err
			}
			return f.done(cmd, raw, said, plural(int64(n), "event", "events"))
		})
		cmd.Flags().BoolVar(&all, "all", false, "all that are refused")
		return cmd
	}
	family.AddCommand(f.sub("list NAME", "List them, and why", f.listDead),
		settle("retry NAME [NUMBERS]", "Send them again", "%s will be sent again.", func(cmd *cobra.Command, c *client, id string, seqs []int64) (int32, []byte, error) {
			out, raw, err := apiclient.Ask[api.RetryDeadEventsResponse](cmd.Context(), c.Client, &api.RetryDeadEventsRequest{SinkId: id, Sequences: seqs, All: &all})
			return events(out.Events, raw, err)
		}),
		settle("discard NAME [NUMBERS]", "Never send them; they stay in the log", "%s will not be sent.", func(cmd *cobra.Command, c *client, id string, seqs []int64) (int32, []byte, error) {
			out, raw, err := apiclient.Ask[api.DiscardDeadEventsResponse](cmd.Context(), c.Client, &api.DiscardDeadEventsRequest{SinkId: id, Sequences: seqs, All: &all})
			return events(out.Events, raw, err)
		}))
	return family
}

func events(n int32, raw []byte, err error) (int32, []byte, error) { return n, raw, err }

// sequences are numbers of events, parted by commas.
func sequences(list string) (seqs []int64, err error) {
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(word), 10, 64)
		if err != nil || n < 1 {
			return nil, fault.Invalidf("%.50q is no event's number: expected numbers such as 17,20.", word)
		}
		seqs = append(seqs, n)
	}
	return seqs, nil
}

func (f *remote) listDead(cmd *cobra.Command, c *client, args []string) error {
	s, err := eventSink(cmd, c, args[0])
	if err != nil {
		return err
	}
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "DeadEvents",
		func(next *string) any { return &api.ListDeadEventsRequest{SinkId: s.SinkId, NextToken: next} },
		func(out *api.ListDeadEventsResponse) ([]api.DeadEvent, *string) { return out.DeadEvents, out.NextToken })
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, d := range all {
		rows[i] = []string{strconv.FormatInt(d.Sequence, 10), d.EventId, strconv.Itoa(int(d.Attempts)), when(&d.RefusedAt), d.Reason}
	}
	return f.table(cmd, raw, []string{"NUMBER", "EVENT", "TRIED", "LAST", "WHY"}, rows)
}
