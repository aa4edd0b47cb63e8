package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/awsapi"
	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/clock"
)

// tailPause is how long a tail waits before it asks again.
const tailPause = 2 * time.Second

// tailEvents shows the last events in the order in which they were recorded, and then those that come.
func (f *remote) tailEvents(cmd *cobra.Command, c *client, e *eventFilter, follow bool) error {
	in, err := e.request(clock.System{}.Now())
	if err != nil {
		return err
	}
	found, last, err := e.newest(cmd, c, *in, "")
	if err != nil {
		return err
	}
	slices.Reverse(found)
	if err := f.printEvents(cmd, found, true); err != nil || !follow {
		return err
	}
	later := *e
	later.limit = -1 // however many come
	for away := false; ; {
		select {
		case <-cmd.Context().Done():
			return nil
		case <-time.After(tailPause):
		}
		found, first, err := later.newest(cmd, c, *in, last)
		switch {
		case cmd.Context().Err() != nil:
			return nil
		case err != nil && !passing(err):
			return err
		case err != nil:
			if !away {
				fmt.Fprintln(cmd.ErrOrStderr(), "sallyport:", err, "Going on when it is back.")
			}
			away = true
			continue
		}
		away, last = false, cmp.Or(first, last)
		found = slices.DeleteFunc(found, func(x api.Event) bool { return e.own(c, x) })
		slices.Reverse(found)
		if err := f.printEvents(cmd, found, false); err != nil {
			return err
		}
	}
}

// passing says that a server may answer when it is asked again: it has not refused.
func passing(err error) bool {
	var refused *awsapi.ResponseError
	return !errors.As(err, &refused) || refused.Status >= 500
}

// own says that an event is of a tail's own asking, which nobody wants to follow.
func (e *eventFilter) own(c *client, x api.Event) bool {
	return text(x.EventName) == "LookupEvents" && text(x.AccessKeyId) == c.keys.AccessKeyID && e.name == ""
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
