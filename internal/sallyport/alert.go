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

func alertOut(a store.Alert) api.Alert {
	out := api.Alert{
		AlertId: a.ID, RuleName: a.RuleName, Severity: api.AlertSeverity(a.Severity), State: api.AlertState(a.State), EventAt: a.At, MadeAt: a.MadeAt, Message: a.Message,
		EventIds: a.EventIDs, Repeats: count(a.Repeats), Test: a.Test, SilenceId: optional(a.SilenceID),
		AcknowledgedAt: when(a.AckedAt), AcknowledgedBy: optional(a.AckedBy), ClosedAt: when(a.ClosedAt), ClosedBy: optional(a.ClosedBy), Note: optional(a.Note),
	}
	if a.Repeats > 0 {
		out.LastRepeatAt = when(a.LastAt)
	}
	return out
}

// ListAlerts lists alerts, the newest first.
func (*Service) ListAlerts(_ context.Context, c *endpoint.Call, in *api.ListAlertsRequest) (*api.ListAlertsResponse, error) {
	var state store.AlertState
	if in.State != nil {
		state = store.AlertState(*in.State)
	}
	name := value(in.RuleName)
	q, err := c.Page(in.MaxResults, in.NextToken, string(state), name)
	if err != nil {
		return nil, err
	}
	rows, next, err := alert.List(c.Tx, state, name, q)
	if err != nil {
		return nil, err
	}
	return &api.ListAlertsResponse{Alerts: mapped(rows, alertOut), NextToken: c.NextToken(next, string(state), name)}, nil
}

// DescribeAlert shows an alert, and where it was sent.
func (*Service) DescribeAlert(_ context.Context, c *endpoint.Call, in *api.DescribeAlertRequest) (*api.DescribeAlertResponse, error) {
	a, err := alert.Get(c.Tx, in.AlertId)
	if err != nil {
		return nil, err
	}
	all, err := alert.Deliveries(c.Tx, a.ID)
	if err != nil {
		return nil, err
	}
	return &api.DescribeAlertResponse{Alert: alertOut(a), Event: optional(a.Event), Deliveries: mapped(all, alertDeliveryOut)}, nil
}

func alertDeliveryOut(d alert.Delivery) api.AlertDelivery {
	out := api.AlertDelivery{TargetName: d.Target, State: api.AlertDeliveryState(d.State), Attempts: count(int64(d.Attempts)), DoneAt: when(d.DoneAt), Problem: optional(d.Problem)}
	if d.State == store.DeliveryWaiting {
		out.RetryAt = when(d.DueAt)
	}
	return out
}

// AcknowledgeAlert says that the caller looks after an alert.
func (*Service) AcknowledgeAlert(_ context.Context, c *endpoint.Call, in *api.AcknowledgeAlertRequest) (*api.AcknowledgeAlertResponse, error) {
	a, err := alert.Acknowledge(c.Tx, in.AlertId, value(in.Note), c.Caller.ARN)
	return &api.AcknowledgeAlertResponse{Alert: alertOut(a)}, err
}

// CloseAlert says that an alert is done with.
func (*Service) CloseAlert(_ context.Context, c *endpoint.Call, in *api.CloseAlertRequest) (*api.CloseAlertResponse, error) {
	a, err := alert.Close(c.Tx, in.AlertId, value(in.Note), c.Caller.ARN)
	return &api.CloseAlertResponse{Alert: alertOut(a)}, err
}

// CreateAlertSilence keeps alerts from being sent for a while.
func (*Service) CreateAlertSilence(_ context.Context, c *endpoint.Call, in *api.CreateAlertSilenceRequest) (*api.CreateAlertSilenceResponse, error) {
	until := c.Tx.Now().Add(time.Duration(in.DurationSeconds) * time.Second)
	s, err := alert.Silence(c.Tx, value(in.RuleName), value(in.Pattern), until, in.Reason, c.Caller.ARN)
	if err != nil {
		return nil, err
	}
	return &api.CreateAlertSilenceResponse{AlertSilence: silenceOut(map[string]string{s.RuleID: value(in.RuleName)})(s)}, nil
}

func silenceOut(rules map[string]string) func(store.AlertSilence) api.AlertSilence {
	return func(s store.AlertSilence) api.AlertSilence {
		out := api.AlertSilence{SilenceId: s.ID, Pattern: optional(s.Pattern), Until: s.Until, Reason: s.Reason, CreatedAt: s.CreatedAt, CreatedBy: s.CreatedBy}
		if s.RuleID != "" {
			name, there := rules[s.RuleID]
			if !there {
				name = s.RuleID // of a rule that was deleted
			}
			out.RuleName = &name
		}
		return out
	}
}

// ListAlertSilences lists the silences that hold.
func (*Service) ListAlertSilences(_ context.Context, c *endpoint.Call, in *api.ListAlertSilencesRequest) (*api.ListAlertSilencesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, names, err := alert.Silences(c.Tx)
	if err != nil {
		return nil, err
	}
	rows, next := paged(all, q, func(s store.AlertSilence) string { return fmt.Sprintf("%020d %s", s.Until.UnixMicro(), s.ID) })
	return &api.ListAlertSilencesResponse{AlertSilences: mapped(rows, silenceOut(names)), NextToken: c.NextToken(next)}, nil
}

// DeleteAlertSilence ends a silence.
func (*Service) DeleteAlertSilence(_ context.Context, c *endpoint.Call, in *api.DeleteAlertSilenceRequest) (*api.DeleteAlertSilenceResponse, error) {
	return &api.DeleteAlertSilenceResponse{}, alert.EndSilence(c.Tx, in.SilenceId)
}
