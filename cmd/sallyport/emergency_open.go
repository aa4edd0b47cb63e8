package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// showCodes prints codes, one a line, where a printer takes them.
func (f *remote) showCodes(cmd *cobra.Command, raw json.RawMessage, codes []string) error {
	return f.secret(cmd, raw, strings.Join(codes, "\n"),
		"These codes are shown this once; each works once. Print them, put them into envelopes, and lock those away with a second security key.")
}

func (f *remote) makeCodes(cmd *cobra.Command, c *client, args []string) error {
	n, err := strconv.ParseUint(args[1], 10, 8)
	if err != nil || n < 1 || n > 20 {
		return fault.Invalidf("The count %q will not do: expected a number from 1 to 20.", printable(args[1]))
	}
	e, err := c.emergency(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	if err := f.confirm(cmd, fmt.Sprintf("Make new codes for %s? Those that there are open nothing any more.", printable(e.Name))); err != nil {
		return err
	}
	out, raw, err := apiclient.Ask[api.CreateEmergencyCodesResponse](cmd.Context(), c.Client, &api.CreateEmergencyCodesRequest{AccessId: e.AccessId, Count: int32(n)})
	if err != nil {
		return err
	}
	return f.showCodes(cmd, raw, out.Codes)
}

func (f *remote) testEmergency(cmd *cobra.Command, c *client, args []string) error {
	all, _, err := c.emergencies(cmd.Context())
	if err == nil && len(args) > 0 {
		var e api.EmergencyAccess
		e, err = c.emergency(cmd.Context(), args[0])
		all = []api.EmergencyAccess{e}
	}
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fault.Invalidf("No emergency access is prepared: see `sallyport emergency prepare --help`.")
	}
	failed := 0
	raws, rows := make([]json.RawMessage, len(all)), make([][]string, len(all))
	for i, e := range all {
		out, raw, err := apiclient.Ask[api.TestEmergencyAccessResponse](cmd.Context(), c.Client, &api.TestEmergencyAccessRequest{AccessId: e.AccessId})
		if err != nil {
			return err
		}
		raws[i], rows[i] = raw, []string{e.Name, "yes"}
		if len(out.Failures) > 0 {
			failed++
			rows[i][1] = "no: " + strings.Join(out.Failures, " ")
		}
	}
	answer, err := json.Marshal(raws)
	if err != nil {
		return err
	}
	if err := f.table(cmd, answer, []string{"NAME", "COULD BE OPENED"}, rows); err != nil {
		return err
	}
	if failed > 0 {
		return fault.Conflictf("%s could not be opened now.", number(int32(failed), "emergency access", "emergency accesses"))
	}
	return nil
}

func (f *remote) closeOpening(cmd *cobra.Command, c *client, args []string) error {
	if err := f.confirm(cmd, "End it now? What was given out in it stops at once."); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.CloseEmergencyOpeningResponse](cmd.Context(), c.Client, &api.CloseEmergencyOpeningRequest{OpeningId: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "It is closed. Its review is open: sallyport emergency reviews %s", printable(args[0]))
}

func (f *remote) reviews(cmd *cobra.Command, c *client, args []string) error {
	if len(args) > 0 {
		return f.review(cmd, c, args[0])
	}
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "EmergencyOpenings",
		func(next *string) any { return &api.ListEmergencyOpeningsRequest{NextToken: next} },
		func(out *api.ListEmergencyOpeningsResponse) ([]api.EmergencyOpening, *string) {
			return out.EmergencyOpenings, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, o := range all {
		rows[i] = []string{o.OpeningId, when(&o.AskedAt), o.AccessName, o.OpenerName, strings.ToLower(string(o.State)), strings.ToLower(string(o.Review)), o.Reason}
	}
	return f.table(cmd, raw, []string{"OPENING", "ASKED", "ACCESS", "OPENER", "STATE", "REVIEW", "REASON"}, rows)
}

// review shows what was done in an opening.
func (f *remote) review(cmd *cobra.Command, c *client, id string) error {
	out, raw, err := apiclient.Ask[api.DescribeEmergencyOpeningResponse](cmd.Context(), c.Client, &api.DescribeEmergencyOpeningRequest{OpeningId: id})
	if err != nil {
		return err
	}
	events, more, err := apiclient.AskAll(cmd.Context(), c.Client, "Events",
		func(next *string) any { return &api.ListEmergencyEventsRequest{OpeningId: id, NextToken: next} },
		func(out *api.ListEmergencyEventsResponse) ([]api.EmergencyEvent, *string) {
			return out.Events, out.NextToken
		})
	if err != nil {
		return err
	}
	answer, err := merged(raw, more)
	if err != nil {
		return err
	}
	o := out.EmergencyOpening
	by := "an offline code"
	if o.ApproverName != nil {
		by = *o.ApproverName
	}
	rows := [][]string{
		{"access", o.AccessName},
		{"opener", o.OpenerName},
		{"reason", o.Reason},
		{"from", text(o.IpAddress)},
		{"asked", when(&o.AskedAt)},
		{"approved by", by},
		{"opened", when(o.OpenedAt)},
		{"ends", when(o.EndsAt)},
		{"ended", strings.TrimSpace(when(o.EndedAt) + " " + text(o.EndedBy))},
		{"state", strings.ToLower(string(o.State))},
		{"review", strings.TrimSpace(strings.ToLower(string(o.Review)) + " " + text(o.ReviewReason))},
	}
	if o.OpenedAt == nil {
		rows[5][1] = ""
	}
	for _, u := range out.Credentials {
		rows = append(rows, []string{"credentials", u.AccessKeyId + " in " + u.AccountId + ", " + when(&u.GivenOutAt) + " to " + when(&u.ExpiresAt)})
	}
	for _, e := range events {
		what := when(&e.At) + " " + e.EventSource + " " + e.EventName
		if e.ErrorCode != nil {
			what += ": " + *e.ErrorCode
		}
		rows = append(rows, []string{"done", what + " (" + e.EventId + ")"})
	}
	return f.fields(cmd, answer, rows)
}

func (f *remote) closeReview(cmd *cobra.Command, c *client, args []string) error {
	_, raw, err := apiclient.Ask[api.CloseEmergencyReviewResponse](cmd.Context(), c.Client, &api.CloseEmergencyReviewRequest{OpeningId: args[0], Reason: args[1]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The review is closed.")
}
