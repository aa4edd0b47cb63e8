package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// alertRuleFlags is a rule as flags have it.
type alertRuleFlags struct {
	description, severity, pattern, distinct string
	count                                    int32
	window, dedup                            time.Duration
	groups, key, targets                     []string
	disabled                                 bool
}

func (f *remote) alertRules() *cobra.Command {
	var in alertRuleFlags
	put := f.sub("put NAME", "Add a rule, or change the one of its name to what is said", func(cmd *cobra.Command, c *client, args []string) error {
		ask, err := in.ask(args[0])
		if err != nil {
			return err
		}
		out, raw, err := apiclient.Ask[api.PutAlertRuleResponse](cmd.Context(), c.Client, ask)
		if err != nil {
			return err
		}
		return f.done(cmd, raw, "The rule %s is there. Try it: sallyport alerts test %[1]s", out.AlertRule.Name)
	})
	p := put.Flags()
	p.StringVar(&in.description, "description", "", "what it is for")
	p.StringVar(&in.severity, "severity", "medium", "low, medium, high or critical")
	p.StringVar(&in.pattern, "pattern", "", "of events, as EventBridge has it; @FILE reads it from a file")
	p.Int32Var(&in.count, "count", 1, "how many events make an alert")
	p.DurationVar(&in.window, "within", 0, "with --count: in how long a time")
	p.StringSliceVar(&in.groups, "by", nil, "with --count: fields, such as detail.sourceIPAddress, for each of whose values is counted apart")
	p.StringVar(&in.distinct, "distinct", "", "with --count: a field whose different values are counted, instead of events")
	p.DurationVar(&in.dedup, "dedup", 0, "for how long repeats are added to an alert (default: each is one; with --count: as --within)")
	p.StringSliceVar(&in.key, "dedup-by", nil, "fields that make a repeat one (default: none; with --count: as --by)")
	p.StringSliceVar(&in.targets, "target", nil, "where alerts go (default: to all targets)")
	p.BoolVar(&in.disabled, "disabled", false, "turn it off for now")
	return group("rules", "Rules: which events make an alert", required(put, "pattern"), f.sub("list", "List rules", f.listAlertRules),
		f.sub("show NAME", "Show a rule", f.showAlertRule), f.sub("enable NAME", "Turn a rule on", f.switchAlertRule(true)),
		f.sub("disable NAME", "Turn a rule off", f.switchAlertRule(false)),
		f.asks(f.sub("delete NAME", "Remove a rule of your own; its alerts stay", f.deleteAlertRule)))
}

func (in *alertRuleFlags) ask(name string) (*api.PutAlertRuleRequest, error) {
	pattern := in.pattern
	if file, inFile := strings.CutPrefix(pattern, "@"); inFile {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fault.Invalidf("The pattern cannot be read: %v.", err)
		}
		pattern = strings.TrimSpace(string(raw))
	}
	enabled := !in.disabled
	ask := &api.PutAlertRuleRequest{
		Name: name, Description: given(in.description), Severity: api.AlertSeverity(strings.ToUpper(in.severity)), Enabled: &enabled, Pattern: pattern,
		DedupKey: in.key, Targets: in.targets,
	}
	if in.dedup > 0 {
		ask.DedupSeconds = new(int32(min(in.dedup/time.Second, 1<<30)))
	}
	if in.count != 1 || in.window != 0 || len(in.groups) > 0 || in.distinct != "" {
		ask.Threshold = &api.AlertThreshold{Count: in.count, WindowSeconds: int32(min(in.window/time.Second, 1<<30)), GroupBy: in.groups, DistinctOf: given(in.distinct)}
	}
	return ask, nil
}

func allAlertRules(cmd *cobra.Command, c *client) ([]api.AlertRule, []byte, error) {
	return apiclient.AskAll(cmd.Context(), c.Client, "AlertRules",
		func(next *string) any { return &api.ListAlertRulesRequest{NextToken: next} },
		func(out *api.ListAlertRulesResponse) ([]api.AlertRule, *string) { return out.AlertRules, out.NextToken })
}

func (f *remote) listAlertRules(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := allAlertRules(cmd, c)
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, r := range all {
		rows[i] = []string{r.Name, string(r.Severity), onOff(r.Enabled), origin(r), r.Description}
	}
	return f.table(cmd, raw, []string{"NAME", "SEVERITY", "STATE", "ORIGIN", "WHAT FOR"}, rows)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func origin(r api.AlertRule) string {
	return strings.ReplaceAll(strings.ToLower(string(r.Origin)), "_", ", ")
}

func (f *remote) showAlertRule(cmd *cobra.Command, c *client, args []string) error {
	all, raw, err := allAlertRules(cmd, c)
	if err != nil {
		return err
	}
	for i, r := range all {
		if r.Name != args[0] {
			continue
		}
		raw, err := element(raw, "AlertRules", i)
		if err != nil {
			return err
		}
		return f.fields(cmd, raw, alertRuleFields(r))
	}
	return fault.Invalidf("There is no alert rule %s: `sallyport alerts rules list` shows all.", printable(args[0]))
}

func alertRuleFields(r api.AlertRule) [][]string {
	rows := [][]string{
		{"name", r.Name},
		{"severity", string(r.Severity)},
		{"state", onOff(r.Enabled)},
		{"origin", origin(r)},
		{"what for", r.Description},
		{"pattern", r.Pattern},
	}
	if t := r.Threshold; t != nil {
		rows = append(rows, []string{"count", fmt.Sprintf("%d within %s", t.Count, inSeconds(&t.WindowSeconds))}, []string{"by", strings.Join(t.GroupBy, ", ")},
			[]string{"different", text(t.DistinctOf)})
	}
	targets := strings.Join(r.Targets, ", ")
	if targets == "" {
		targets = "all"
	}
	return append(rows, []string{"repeats", inSeconds(r.DedupSeconds)}, []string{"targets", targets}, []string{"changed", when(&r.UpdatedAt)}, []string{"changed by", r.UpdatedBy})
}

func (f *remote) switchAlertRule(on bool) func(*cobra.Command, *client, []string) error {
	return func(cmd *cobra.Command, c *client, args []string) error {
		out, raw, err := apiclient.Ask[api.SetAlertRuleEnabledResponse](cmd.Context(), c.Client, &api.SetAlertRuleEnabledRequest{Name: args[0], Enabled: on})
		if err != nil {
			return err
		}
		return f.done(cmd, raw, "The rule %s is %s.", out.AlertRule.Name, onOff(out.AlertRule.Enabled))
	}
}

func (f *remote) deleteAlertRule(cmd *cobra.Command, c *client, args []string) error {
	if err := f.confirm(cmd, fmt.Sprintf("Remove the rule %s?", printable(args[0]))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteAlertRuleResponse](cmd.Context(), c.Client, &api.DeleteAlertRuleRequest{Name: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The rule %s is gone.", printable(args[0]))
}

func (f *remote) alertTargets() *cobra.Command {
	var kind, place, token, severity, ca string
	put := f.sub("put NAME", "Add a target, or change the one of its name", func(cmd *cobra.Command, c *client, args []string) error {
		signs, err := secret(token)
		if err != nil {
			return err
		}
		to, err := secret(place)
		if err != nil {
			return err
		}
		authority, err := pemFile(ca)
		if err != nil {
			return err
		}
		least := api.AlertSeverity(strings.ToUpper(severity))
		out, raw, err := apiclient.Ask[api.PutAlertTargetResponse](cmd.Context(), c.Client, &api.PutAlertTargetRequest{
			Name: args[0], Kind: api.AlertTargetKind(strings.ToUpper(kind)), Place: text(to), Secret: signs, CertificateAuthority: authority, MinSeverity: &least,
		})
		if err != nil {
			return err
		}
		return f.done(cmd, raw, "Alerts go to %s.", printable(out.AlertTarget.Place))
	})
	p := put.Flags()
	p.StringVar(&kind, "kind", "webhook", "webhook, slack, email or syslog")
	p.StringVar(&place, "to", "", "URL or address, or @FILE; of syslog: syslog+tls://host:6514, or syslog+tcp://127.0.0.1:514 for a relay on this machine")
	p.StringVar(&token, "secret", "", "with webhook: what signs (HMAC-SHA-256), or @FILE")
	p.StringVar(&ca, "ca", "", "with syslog: PEM file of who signs the server's certificate (default: the machine's authorities)")
	p.StringVar(&severity, "severity", "low", "the least severity that goes there")
	return group("targets", "Targets: where alerts go", required(put, "to"), f.sub("list", "List targets, and how sending goes", f.listAlertTargets),
		f.asks(f.sub("delete NAME", "Send alerts to a target no more", f.deleteAlertTarget)))
}

// pemFile is what a file holds; nil without a file.
func pemFile(name string) (*string, error) {
	if name == "" {
		return nil, nil
	}
	return secret("@" + name)
}

func (f *remote) listAlertTargets(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "AlertTargets",
		func(next *string) any { return &api.ListAlertTargetsRequest{NextToken: next} },
		func(out *api.ListAlertTargetsResponse) ([]api.AlertTarget, *string) {
			return out.AlertTargets, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, t := range all {
		rows[i] = []string{t.Name, strings.ToLower(string(t.Kind)), t.Place, string(t.MinSeverity), fmt.Sprint(t.Waiting), when(t.LastSentAt), text(t.Problem)}
	}
	return f.table(cmd, raw, []string{"NAME", "KIND", "TO", "FROM SEVERITY", "WAITING", "LAST SENT", "PROBLEM"}, rows)
}

func (f *remote) deleteAlertTarget(cmd *cobra.Command, c *client, args []string) error {
	if err := f.confirm(cmd, fmt.Sprintf("Send alerts to %s no more? What waits for it is dropped.", printable(args[0]))); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteAlertTargetResponse](cmd.Context(), c.Client, &api.DeleteAlertTargetRequest{Name: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "Alerts go to %s no more.", printable(args[0]))
}

// joined is two answers that are lists, as one.
func joined(a, b []byte, member string) ([]byte, error) {
	var all []json.RawMessage
	for _, raw := range [][]byte{a, b} {
		var answer map[string][]json.RawMessage
		if err := json.Unmarshal(raw, &answer); err != nil {
			return nil, fmt.Errorf("read answer: %w", err)
		}
		all = append(all, answer[member]...)
	}
	return json.Marshal(map[string][]json.RawMessage{member: append([]json.RawMessage{}, all...)})
}
