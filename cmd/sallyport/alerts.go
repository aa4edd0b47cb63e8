package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newAlerts is `sallyport alerts`: being told of what should not go unseen.
func newAlerts() *cobra.Command {
	var f remote
	family := f.family("alerts", "Be told of events that matter, and say what becomes of them", `Rules say which events make an alert, in the syntax of Amazon EventBridge's event patterns; targets say where alerts go. A set of rules comes with the
program. What changes access by anybody who is not in the setting alerts.pipelines makes an alert: name your pipelines there.`)
	var state, rule, note string
	list := f.sub("list", "List alerts that nobody has closed, the newest first", func(cmd *cobra.Command, c *client, _ []string) error {
		return f.listAlerts(cmd, c, state)
	})
	list.Flags().StringVar(&state, "state", "", "open or acknowledged (default: both)")
	history := f.sub("history", "List all alerts, the newest first", func(cmd *cobra.Command, c *client, _ []string) error { return f.alertHistory(cmd, c, rule) })
	history.Flags().StringVar(&rule, "rule", "", "of one rule")
	ack := f.sub("ack ID", "Say that you look after an alert", func(cmd *cobra.Command, c *client, args []string) error { return f.ackAlert(cmd, c, args[0], note) })
	end := f.sub("close ID", "Say that an alert is done with", func(cmd *cobra.Command, c *client, args []string) error { return f.closeAlert(cmd, c, args[0], note) })
	for _, cmd := range []*cobra.Command{ack, end} {
		cmd.Flags().StringVar(&note, "note", "", "what you found out, or did")
	}
	family.AddCommand(list, history, f.sub("show ID", "Show an alert, its event, and where it was sent", f.showAlert), ack, end,
		f.sub("test RULE", "Send an alert of a rule that says that it is a test", f.testAlert), f.alertRules(), f.alertTargets(), f.alertSilences())
	return family
}

// group makes a command that only has others.
func group(use, short string, all ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	cmd.AddCommand(all...)
	return cmd
}

func alerts(cmd *cobra.Command, c *client, state api.AlertState, rule string) ([]api.Alert, []byte, error) {
	ask := api.ListAlertsRequest{RuleName: given(rule)}
	if state != "" {
		ask.State = &state
	}
	return apiclient.AskAll(cmd.Context(), c.Client, "Alerts",
		func(next *string) any { page := ask; page.NextToken = next; return &page },
		func(out *api.ListAlertsResponse) ([]api.Alert, *string) { return out.Alerts, out.NextToken })
}

func (f *remote) listAlerts(cmd *cobra.Command, c *client, state string) error {
	if state != "" {
		all, raw, err := alerts(cmd, c, api.AlertState(strings.ToUpper(state)), "")
		if err != nil {
			return err
		}
		return f.alertTable(cmd, raw, all)
	}
	open, raw, err := alerts(cmd, c, api.AlertStateOpen, "")
	if err != nil {
		return err
	}
	acked, more, err := alerts(cmd, c, api.AlertStateAcknowledged, "")
	if err != nil {
		return err
	}
	if raw, err = joined(raw, more, "Alerts"); err != nil {
		return err
	}
	return f.alertTable(cmd, raw, append(open, acked...))
}

func (f *remote) alertHistory(cmd *cobra.Command, c *client, rule string) error {
	all, raw, err := alerts(cmd, c, "", rule)
	if err != nil {
		return err
	}
	return f.alertTable(cmd, raw, all)
}

func (f *remote) alertTable(cmd *cobra.Command, raw []byte, all []api.Alert) error {
	rows := make([][]string, len(all))
	for i, a := range all {
		rows[i] = []string{a.AlertId, when(&a.EventAt), string(a.Severity), alertState(a), a.RuleName, again(a), a.Message}
	}
	return f.table(cmd, raw, []string{"ID", "WHEN", "SEVERITY", "STATE", "RULE", "TIMES", "WHAT"}, rows)
}

func alertState(a api.Alert) string {
	s := strings.ToLower(string(a.State))
	if a.Test {
		s += ", test"
	}
	if a.SilenceId != nil {
		s += ", silenced"
	}
	return s
}

func again(a api.Alert) string { return strconv.Itoa(int(a.Repeats) + 1) }

func (f *remote) showAlert(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.DescribeAlertResponse](cmd.Context(), c.Client, &api.DescribeAlertRequest{AlertId: args[0]})
	if err != nil {
		return err
	}
	a := out.Alert
	rows := [][]string{
		{"id", a.AlertId},
		{"what", a.Message},
		{"rule", a.RuleName},
		{"severity", string(a.Severity)},
		{"state", alertState(a)},
		{"when", when(&a.EventAt)},
		{"times", again(a)},
		{"events", strings.Join(a.EventIds, " ")},
	}
	for _, r := range [][]string{{"last time", when(a.LastRepeatAt)}, {"acknowledged by", text(a.AcknowledgedBy)}, {"closed by", text(a.ClosedBy)}, {"note", text(a.Note)}} {
		if r[1] != "" {
			rows = append(rows, r)
		}
	}
	for _, d := range out.Deliveries {
		rows = append(rows, []string{"to " + d.TargetName, delivered(d)})
	}
	if out.Event != nil {
		rows = append(rows, []string{"event", *out.Event})
	}
	return f.fields(cmd, raw, rows)
}

func delivered(d api.AlertDelivery) string {
	switch d.State {
	case api.AlertDeliveryStateSent:
		return "sent " + when(d.DoneAt)
	case api.AlertDeliveryStateGivenUp:
		return "given up " + when(d.DoneAt) + ": " + text(d.Problem)
	}
	if d.Problem == nil {
		return "waits"
	}
	return "waits until " + when(d.RetryAt) + ": " + text(d.Problem)
}

func (f *remote) ackAlert(cmd *cobra.Command, c *client, id, note string) error {
	out, raw, err := apiclient.Ask[api.AcknowledgeAlertResponse](cmd.Context(), c.Client, &api.AcknowledgeAlertRequest{AlertId: id, Note: given(note)})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "You look after the alert of %s.", printable(out.Alert.RuleName))
}

func (f *remote) closeAlert(cmd *cobra.Command, c *client, id, note string) error {
	out, raw, err := apiclient.Ask[api.CloseAlertResponse](cmd.Context(), c.Client, &api.CloseAlertRequest{AlertId: id, Note: given(note)})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The alert of %s is closed.", printable(out.Alert.RuleName))
}

func (f *remote) testAlert(cmd *cobra.Command, c *client, args []string) error {
	out, raw, err := apiclient.Ask[api.TestAlertRuleResponse](cmd.Context(), c.Client, &api.TestAlertRuleRequest{Name: args[0]})
	if err != nil {
		return err
	}
	to := "nowhere: no target takes it"
	if len(out.Targets) > 0 {
		to = "to " + strings.Join(out.Targets, ", ")
	}
	return f.done(cmd, raw, "A test is on its way %s. See what becomes of it: sallyport alerts show %s", to, out.Alert.AlertId)
}

func (f *remote) alertSilences() *cobra.Command {
	var rule, pattern, reason string
	var life time.Duration
	add := f.sub("add", "Keep alerts from being sent for a while; they are kept all the same", func(cmd *cobra.Command, c *client, _ []string) error {
		out, raw, err := apiclient.Ask[api.CreateAlertSilenceResponse](cmd.Context(), c.Client, &api.CreateAlertSilenceRequest{
			RuleName: given(rule), Pattern: given(pattern), DurationSeconds: int32(min(life/time.Second, 1<<30)), Reason: reason,
		})
		if err != nil {
			return err
		}
		return f.done(cmd, raw, "The silence %s holds until %s.", out.AlertSilence.SilenceId, when(&out.AlertSilence.Until))
	})
	add.Flags().StringVar(&rule, "rule", "", "of one rule")
	add.Flags().StringVar(&pattern, "pattern", "", "of events that match a pattern")
	add.Flags().DurationVar(&life, "for", time.Hour, "how long, 720h at most")
	add.Flags().StringVar(&reason, "reason", "", "why")
	return group("silence", "Keep alerts from being sent for a while", required(add, "reason"),
		f.sub("list", "List the silences that hold", f.listSilences),
		f.sub("remove ID", "End a silence", func(cmd *cobra.Command, c *client, args []string) error {
			_, raw, err := apiclient.Ask[api.DeleteAlertSilenceResponse](cmd.Context(), c.Client, &api.DeleteAlertSilenceRequest{SilenceId: args[0]})
			if err != nil {
				return err
			}
			return f.done(cmd, raw, "The silence is over.")
		}))
}

func (f *remote) listSilences(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "AlertSilences",
		func(next *string) any { return &api.ListAlertSilencesRequest{NextToken: next} },
		func(out *api.ListAlertSilencesResponse) ([]api.AlertSilence, *string) {
			return out.AlertSilences, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, s := range all {
		rows[i] = []string{s.SilenceId, text(s.RuleName), text(s.Pattern), when(&s.Until), s.CreatedBy, s.Reason}
	}
	return f.table(cmd, raw, []string{"ID", "RULE", "PATTERN", "UNTIL", "BY", "REASON"}, rows)
}

// inSeconds writes a duration of the API; "" for none.
func inSeconds(n *int32) string {
	if n == nil || *n == 0 {
		return ""
	}
	return fmt.Sprint(time.Duration(*n) * time.Second)
}
