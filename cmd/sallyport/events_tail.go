package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/clock"
)

const (
	// tailPause is how long a tail waits before it asks again.
	tailPause = 2 * time.Second
	// tailOverlap is how far back it looks each time: events arrive a little later than they happen.
	tailOverlap = 15 * time.Second
)

// tailEvents shows the last events in the order of time, and then those that come.
func (f *remote) tailEvents(cmd *cobra.Command, c *client, e *eventFilter, follow bool) error {
	in, err := e.request(clock.System{}.Now())
	if err != nil {
		return err
	}
	seen := map[string]time.Time{}
	found, err := e.newest(cmd, c, *in)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		slices.Reverse(found)
		for _, x := range found {
			seen[text(x.EventId)] = *x.EventTime
		}
		if err := f.printEvents(cmd, found, first); err != nil || !follow {
			return err
		}
		select {
		case <-cmd.Context().Done():
			return nil
		case <-time.After(tailPause):
		}
		if found, err = e.later(cmd, c, *in, seen); err != nil {
			return err
		}
	}
}

// later are the events that a tail has not shown, the newest first, but for those of its own asking.
func (e *eventFilter) later(cmd *cobra.Command, c *client, in api.LookupEventsRequest, seen map[string]time.Time) ([]api.Event, error) {
	var last time.Time
	for _, at := range seen {
		if at.After(last) {
			last = at
		}
	}
	from := last.Add(-tailOverlap)
	for id, at := range seen {
		if at.Before(from) {
			delete(seen, id)
		}
	}
	if !last.IsZero() && (in.StartTime == nil || from.After(*in.StartTime)) {
		in.StartTime = &from
	}
	all := *e
	all.limit = -1 // however many came
	found, err := all.newest(cmd, c, in)
	return slices.DeleteFunc(found, func(x api.Event) bool {
		_, shown := seen[text(x.EventId)]
		return shown || text(x.EventName) == "LookupEvents" && text(x.AccessKeyId) == c.keys.AccessKeyID && e.name == ""
	}), err
}

// eventOutcome is the error that a call ended with; ok without one.
func eventOutcome(x api.Event) string {
	var record struct{ ErrorCode string }
	if err := json.Unmarshal([]byte(text(x.CloudTrailEvent)), &record); err != nil || record.ErrorCode == "" {
		return "ok"
	}
	return record.ErrorCode
}

// printEvents prints a table for people, or for programs the events themselves, one in each line.
func (f *remote) printEvents(cmd *cobra.Command, events []api.Event, head bool) error {
	if f.output == "json" {
		for _, x := range events {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), text(x.CloudTrailEvent)); err != nil {
				return err
			}
		}
		return nil
	}
	var rows [][]string
	if head {
		rows = append(rows, []string{"TIME", "EVENT", "SOURCE", "USER", "OUTCOME", "ABOUT"})
	}
	for _, x := range events {
		rows = append(rows, eventRow(x))
	}
	return columns(cmd.OutOrStdout(), rows)
}
