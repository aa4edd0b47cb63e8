package ascode

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/fault"
)

// AlertRule is a rule of alerts. Rules that come with the program are told where somebody has changed them, and are never deleted: a document
// that does not name them leaves them alone.
type AlertRule struct {
	Name        string          `yaml:"Name"`
	Description string          `yaml:"Description,omitempty"`
	Severity    string          `yaml:"Severity"`
	Enabled     *bool           `yaml:"Enabled,omitempty"` // true when it is left out
	Pattern     string          `yaml:"Pattern"`           // JSON: EventBridge's event pattern
	Threshold   *AlertThreshold `yaml:"Threshold,omitempty"`
	DedupWindow string          `yaml:"DedupWindow,omitempty"` // such as 10m
	DedupKey    []string        `yaml:"DedupKey,omitempty"`
	Targets     []string        `yaml:"Targets,omitempty"` // names; all when it is left out
}

// AlertThreshold is how many events make an alert.
type AlertThreshold struct {
	Count    int      `yaml:"Count"`
	Window   string   `yaml:"Window"`
	GroupBy  []string `yaml:"GroupBy,omitempty"`
	Distinct string   `yaml:"DistinctOf,omitempty"`
}

// ruled is a live rule, with whether it comes with the program.
type ruled struct {
	AlertRule
	origin api.AlertRuleOrigin
}

// readAlerts reads the rules of alerts: all for planning, and for the document those that are not as the program has them.
func (r *Reader) readAlerts(ctx context.Context, l *Live) error {
	all, err := r.Source.alerts(ctx, r)
	if err != nil || all == nil {
		return err
	}
	l.rules, l.AlertRules = map[string]ruled{}, []AlertRule{}
	for _, one := range all {
		rule := ruled{alertRule(one), one.Origin}
		l.rules[one.Name] = rule
		if one.Origin != api.AlertRuleOriginDefault || !one.Enabled || len(one.Targets) > 0 {
			l.AlertRules = append(l.AlertRules, rule.AlertRule)
		}
	}
	return nil
}

func (AWS) alerts(context.Context, *Reader) ([]api.AlertRule, error) { return nil, nil }

func (Sallyport) alerts(ctx context.Context, r *Reader) ([]api.AlertRule, error) {
	rows, err := apiclient.Pages(ctx, r.Client,
		func(next *string) any { return &api.ListAlertRulesRequest{NextToken: next} },
		func(out *api.ListAlertRulesResponse) ([]api.AlertRule, *string) { return out.AlertRules, out.NextToken })
	return append([]api.AlertRule{}, rows...), err
}

// trim makes lists of nothing none, so that equal rules are equal.
func (a *AlertRule) trim() {
	lists := []*[]string{&a.DedupKey, &a.Targets}
	if a.Threshold != nil {
		lists = append(lists, &a.Threshold.GroupBy)
	}
	for _, l := range lists {
		if len(*l) == 0 {
			*l = nil
		}
	}
}

func alertRule(in api.AlertRule) (out AlertRule) {
	out = AlertRule{
		Name: in.Name, Description: in.Description, Severity: string(in.Severity), Pattern: compact(in.Pattern), DedupWindow: inSeconds(in.DedupSeconds), DedupKey: in.DedupKey,
		Targets: in.Targets,
	}
	defer out.trim()
	if !in.Enabled {
		out.Enabled = &in.Enabled
	}
	if t := in.Threshold; t != nil {
		out.Threshold = &AlertThreshold{int(t.Count), inSeconds(&t.WindowSeconds), t.GroupBy, deref(t.DistinctOf)}
	}
	return out
}

// compact is JSON without what is only for people; text that is none stays.
func compact(text string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return text
	}
	return b.String()
}

func inSeconds(n *int32) string {
	if deref(n) == 0 {
		return ""
	}
	return (time.Duration(*n) * time.Second).String()
}

func normalAlerts(d *Document) error {
	for i := range d.AlertRules {
		a := &d.AlertRules[i]
		if a.Name == "" {
			return fault.Invalidf("Rule %d of AlertRules has no Name.", i+1)
		}
		if !json.Valid([]byte(a.Pattern)) {
			return fault.Invalidf("The Pattern of the alert rule %s is not JSON.", a.Name)
		}
		a.Pattern, a.Severity = compact(a.Pattern), strings.ToUpper(a.Severity)
		a.trim()
		if a.Enabled != nil && *a.Enabled {
			a.Enabled = nil
		}
		var window *string
		if a.Threshold != nil {
			window = &a.Threshold.Window
		}
		for _, text := range []*string{&a.DedupWindow, window} {
			if text == nil || *text == "" {
				continue
			}
			v, err := time.ParseDuration(*text)
			if err != nil || v < 0 || v%time.Second != 0 {
				return fault.Invalidf("The alert rule %s: %q is not a time such as 10m.", a.Name, *text)
			}
			*text = v.String()
		}
	}
	slices.SortFunc(d.AlertRules, func(a, b AlertRule) int { return cmp.Compare(a.Name, b.Name) })
	return unique("AlertRules", "Name", d.AlertRules, func(a AlertRule) string { return a.Name })
}

func (p *planner) alerts() {
	for _, w := range p.want.AlertRules {
		l, known := p.live.rules[w.Name]
		switch {
		case !known:
			p.add(Step{Action: Create, Kind: "alert rule", Name: w.Name, phase: ofAlerting, still: p.ruleStill(w.Name), do: putRule(w)})
		case !same(l.AlertRule, w):
			p.add(Step{Action: Change, Kind: "alert rule", Name: w.Name, Details: ruleDifferences(l.AlertRule, w), phase: ofAlerting, still: p.ruleStill(w.Name), do: putRule(w)})
		}
	}
	if p.want.AlertRules == nil {
		return
	}
	for _, name := range sortedKeys(p.live.rules) {
		wanted := slices.ContainsFunc(p.want.AlertRules, func(w AlertRule) bool { return w.Name == name })
		if wanted || p.live.rules[name].origin != api.AlertRuleOriginOwn {
			continue
		}
		p.add(Step{Action: Delete, Kind: "alert rule", Name: name, phase: ofAlerting, still: p.ruleStill(name), do: func(ctx context.Context, a *apply) error {
			return ask[api.DeleteAlertRuleResponse](ctx, a, &api.DeleteAlertRuleRequest{Name: name})
		}})
	}
}

// ruleStill says whether a rule is as it was when the plan was made.
func (p *planner) ruleStill(name string) func(context.Context, *apply) (bool, error) {
	was, known := p.live.rules[name]
	return func(ctx context.Context, a *apply) (bool, error) {
		now := &Live{}
		if err := a.reader.readAlerts(ctx, now); err != nil {
			return false, err
		}
		is, there := now.rules[name]
		return there == known && same(is.AlertRule, was.AlertRule), nil
	}
}

func ruleDifferences(l, w AlertRule) (d differences) {
	d.text("Description", l.Description, w.Description)
	d.text("Severity", l.Severity, w.Severity)
	d.text("Enabled", strconv.FormatBool(l.Enabled == nil), strconv.FormatBool(w.Enabled == nil))
	d.text("Pattern", l.Pattern, w.Pattern)
	d.text("Threshold", threshold(l.Threshold), threshold(w.Threshold))
	d.text("DedupWindow", l.DedupWindow, w.DedupWindow)
	d.list("DedupKey", l.DedupKey, w.DedupKey)
	d.list("target", l.Targets, w.Targets)
	return d
}

func threshold(t *AlertThreshold) string {
	if t == nil {
		return ""
	}
	text := strconv.Itoa(t.Count) + " within " + t.Window
	if len(t.GroupBy) > 0 {
		text += " by " + strings.Join(t.GroupBy, ", ")
	}
	if t.Distinct != "" {
		text += " of different " + t.Distinct
	}
	return text
}

func putRule(w AlertRule) func(context.Context, *apply) error {
	return func(ctx context.Context, a *apply) error {
		enabled := w.Enabled == nil
		in := &api.PutAlertRuleRequest{
			Name: w.Name, Description: ptr(w.Description), Severity: api.AlertSeverity(w.Severity), Enabled: &enabled, Pattern: w.Pattern, DedupSeconds: secondsOf(w.DedupWindow),
			DedupKey: w.DedupKey, Targets: w.Targets,
		}
		if t := w.Threshold; t != nil {
			in.Threshold = &api.AlertThreshold{Count: int32(min(max(t.Count, 0), 1<<30)), WindowSeconds: deref(secondsOf(t.Window)), GroupBy: t.GroupBy, DistinctOf: ptr(t.Distinct)}
		}
		return ask[api.PutAlertRuleResponse](ctx, a, in)
	}
}

// secondsOf is a time of a document in its normal form, as the API has it.
func secondsOf(text string) *int32 {
	d, err := time.ParseDuration(text)
	if err != nil || d == 0 {
		return nil
	}
	return new(int32(min(d/time.Second, 1<<30)))
}
