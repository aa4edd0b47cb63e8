package sallyport

import (
	"context"
	"fmt"
	"time"

	"sallyport/internal/alert"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

func ruleOut(targets map[string]string) func(store.AlertRule) api.AlertRule {
	return func(r store.AlertRule) api.AlertRule {
		out := api.AlertRule{
			RuleId: r.ID, Name: r.Name, Description: r.Description, Severity: api.AlertSeverity(r.Severity), Enabled: r.Enabled, Pattern: r.Pattern,
			DedupSeconds: secondsOf(r.DedupWindow), DedupKey: r.DedupKey, Origin: api.AlertRuleOriginOwn, UpdatedAt: r.UpdatedAt, UpdatedBy: r.UpdatedBy,
		}
		if r.Count > 1 {
			out.Threshold = &api.AlertThreshold{Count: int32(r.Count), WindowSeconds: count(int64(r.Window / time.Second)), GroupBy: r.GroupBy, DistinctOf: optional(r.Distinct)}
		}
		for _, id := range r.Targets {
			out.Targets = append(out.Targets, targets[id])
		}
		switch {
		case r.Pack != "" && r.Edited:
			out.Origin = api.AlertRuleOriginDefaultChanged
		case r.Pack != "":
			out.Origin = api.AlertRuleOriginDefault
		}
		return out
	}
}

func secondsOf(d time.Duration) *int32 {
	if d == 0 {
		return nil
	}
	return new(count(int64(d / time.Second)))
}

func ruleIn(in *api.PutAlertRuleRequest) store.AlertRule {
	r := store.AlertRule{
		Name: in.Name, Description: value(in.Description), Severity: string(in.Severity), Enabled: in.Enabled == nil || *in.Enabled, Pattern: in.Pattern, Count: 1,
		DedupKey: in.DedupKey,
	}
	if in.DedupSeconds != nil {
		r.DedupWindow = time.Duration(*in.DedupSeconds) * time.Second
	}
	if t := in.Threshold; t != nil {
		r.Count, r.Window, r.GroupBy, r.Distinct = int(t.Count), time.Duration(t.WindowSeconds)*time.Second, t.GroupBy, value(t.DistinctOf)
	}
	return r
}

// PutAlertRule adds a rule, or changes the one of its name.
func (*Service) PutAlertRule(_ context.Context, c *endpoint.Call, in *api.PutAlertRuleRequest) (*api.PutAlertRuleResponse, error) {
	r, err := alert.PutRule(c.Tx, ruleIn(in), in.Targets, c.Caller.ARN)
	if err != nil {
		return nil, err
	}
	out, err := ruleWithTargets(c.Tx, r)
	return &api.PutAlertRuleResponse{AlertRule: out}, err
}

func ruleWithTargets(tx *store.Tx, r store.AlertRule) (api.AlertRule, error) {
	names, err := alert.TargetNames(tx)
	return ruleOut(names)(r), err
}

// SetAlertRuleEnabled turns a rule on or off.
func (*Service) SetAlertRuleEnabled(_ context.Context, c *endpoint.Call, in *api.SetAlertRuleEnabledRequest) (*api.SetAlertRuleEnabledResponse, error) {
	r, err := alert.EnableRule(c.Tx, in.Name, in.Enabled, c.Caller.ARN)
	if err != nil {
		return nil, err
	}
	out, err := ruleWithTargets(c.Tx, r)
	return &api.SetAlertRuleEnabledResponse{AlertRule: out}, err
}

// DeleteAlertRule removes a rule.
func (*Service) DeleteAlertRule(_ context.Context, c *endpoint.Call, in *api.DeleteAlertRuleRequest) (*api.DeleteAlertRuleResponse, error) {
	return &api.DeleteAlertRuleResponse{}, alert.DeleteRule(c.Tx, in.Name)
}

// TestAlertRule makes an alert that says of itself that it is a test.
func (*Service) TestAlertRule(_ context.Context, c *endpoint.Call, in *api.TestAlertRuleRequest) (*api.TestAlertRuleResponse, error) {
	a, err := alert.Test(c.Tx, in.Name, c.Caller.ARN)
	if err != nil {
		return nil, err
	}
	sent, err := alert.Deliveries(c.Tx, a.ID)
	return &api.TestAlertRuleResponse{Alert: alertOut(a), Targets: mapped(sent, func(d alert.Delivery) string { return d.Target })}, err
}

// ListAlertRules lists the rules.
func (*Service) ListAlertRules(_ context.Context, c *endpoint.Call, in *api.ListAlertRulesRequest) (*api.ListAlertRulesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.AlertRules()
	if err != nil {
		return nil, fmt.Errorf("list alert rules: %w", err)
	}
	names, err := alert.TargetNames(c.Tx)
	if err != nil {
		return nil, err
	}
	rows, next := paged(all, q, func(r store.AlertRule) string { return r.Name })
	return &api.ListAlertRulesResponse{AlertRules: mapped(rows, ruleOut(names)), NextToken: c.NextToken(next)}, nil
}

// PutAlertTarget adds a target, or changes the one of its name.
func (s *Service) PutAlertTarget(_ context.Context, c *endpoint.Call, in *api.PutAlertTargetRequest) (*api.PutAlertTargetResponse, error) {
	t := alert.Target{Name: in.Name, Kind: string(in.Kind), Place: in.Place, Secret: value(in.Secret), Authority: value(in.CertificateAuthority)}
	if in.MinSeverity != nil {
		t.MinSeverity = string(*in.MinSeverity)
	}
	made, err := alert.PutTarget(c.Tx, s.OperatorKeys, t, c.Caller.ARN)
	if err != nil {
		return nil, err
	}
	out, err := s.alertTargetOut(c.Tx, made)
	return &api.PutAlertTargetResponse{AlertTarget: out}, err
}

func (s *Service) alertTargetOut(tx *store.Tx, t store.AlertTarget) (api.AlertTarget, error) {
	n, err := tx.CountDeliveries(t.ID)
	return api.AlertTarget{
		TargetId: t.ID, Name: t.Name, Kind: api.AlertTargetKind(t.Kind), Place: alert.Shown(s.OperatorKeys, t), Signed: t.Kind == alert.Webhook && len(t.Secret) > 0,
		MinSeverity: api.AlertSeverity(t.MinSeverity), CreatedAt: t.CreatedAt, CreatedBy: t.CreatedBy, Waiting: count(int64(n)), LastSentAt: when(t.SentAt),
		Problem: optional(t.Problem), ResumesAt: when(t.ResumeAt),
	}, wrap(err, "count what waits")
}

// ListAlertTargets lists where alerts are sent. There are few, so that what waits may be counted for each.
func (s *Service) ListAlertTargets(_ context.Context, c *endpoint.Call, in *api.ListAlertTargetsRequest) (*api.ListAlertTargetsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := alert.Targets(c.Tx)
	if err != nil {
		return nil, err
	}
	rows, next := paged(all, q, func(t store.AlertTarget) string { return t.Name })
	out := &api.ListAlertTargetsResponse{AlertTargets: []api.AlertTarget{}, NextToken: c.NextToken(next)}
	for _, t := range rows {
		row, err := s.alertTargetOut(c.Tx, t)
		if err != nil {
			return nil, err
		}
		out.AlertTargets = append(out.AlertTargets, row)
	}
	return out, nil
}

// DeleteAlertTarget has alerts sent to a target no more.
func (*Service) DeleteAlertTarget(_ context.Context, c *endpoint.Call, in *api.DeleteAlertTargetRequest) (*api.DeleteAlertTargetResponse, error) {
	return &api.DeleteAlertTargetResponse{}, alert.DeleteTarget(c.Tx, in.Name)
}
