package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/awsapi/ssoadmin"
)

const (
	alertRules     = 200
	alertedRules   = 20 // of them, those that something happens to: a rule makes a bounded number of alerts a minute
	alertEvents    = 500
	alertsPerRound = 20
)

// alerting gives 500 events a second to 200 rules, and measures how long after the answer to a call the alert about it is at a webhook.
func alerting(ctx context.Context, b bench) (rows []row, err error) {
	tokens, err := b.vendingWorld(ctx)
	if err != nil {
		return nil, err
	}
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	requests, err := w.vendingRequests(ctx, server.addr, tokens)
	if err != nil {
		return nil, err
	}
	to, err := receive()
	if err != nil {
		return nil, err
	}
	defer func() { _ = to.server.Close() }()
	if err := w.makeRules(ctx, server.addr, to.url); err != nil {
		return nil, err
	}
	var medians, longest []float64
	for r := range b.rounds {
		times, err := w.alertRound(ctx, server.addr, requests, to, r)
		if err != nil {
			return nil, err
		}
		medians = append(medians, percentile(times, 50).Seconds()*1000)
		longest = append(longest, percentile(times, 99).Seconds()*1000)
	}
	most := summarize(longest)
	return []row{{
		"answer to a call until the alert about it is at its target, 200 rules, 500 events/s, ms, p99 of a round", most.String(), "the median: " + summarize(medians).String(),
		fmt.Sprintf("%d alerts", b.rounds*alertsPerRound), "less than 1 s", most.high < 1000,
	}}, nil
}

// makeRules makes rules that nothing happens to, and a few about permission sets that are made with certain words.
func (w world) makeRules(ctx context.Context, addr, url string) error {
	c := w.client(addr)
	if _, _, err := call[*sallyport.PutAlertTargetResponse](ctx, c, &sallyport.Info, "PutAlertTarget",
		&sallyport.PutAlertTargetRequest{Name: "bench", Kind: sallyport.AlertTargetKindWebhook, Place: url, Secret: new("a-secret-of-the-benchmark")}); err != nil {
		return err
	}
	for i := range alertRules {
		pattern := fmt.Sprintf(`{"detail":{"eventSource":["sso.amazonaws.com"],"eventName":["GetRoleCredentials"],"serviceEventDetails":{"role_name":["Never%d"]}}}`, i)
		if i < alertedRules {
			pattern = fmt.Sprintf(`{"detail":{"eventName":["CreatePermissionSet"],"requestParameters":{"description":["bench %d"]}}}`, i)
		}
		if _, _, err := call[*sallyport.PutAlertRuleResponse](ctx, c, &sallyport.Info, "PutAlertRule", &sallyport.PutAlertRuleRequest{
			Name: fmt.Sprint("bench-", i), Pattern: pattern, Severity: sallyport.AlertSeverityHigh, Targets: []string{"bench"}, Enabled: new(true),
		}); err != nil {
			return err
		}
	}
	return nil
}

// alertRound makes a few permission sets while credentials are given out at an even pace, and times the alerts.
func (w world) alertRound(ctx context.Context, addr string, requests [][]byte, to *receiver, round int) (times []time.Duration, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var next atomic.Int64
	done := make(chan error, 1)
	go func() {
		p := pace{time.Now(), time.Second / alertEvents, &next}
		done <- each(ctx, addr, p, func(l *line, i int64) (bool, error) {
			_, err := l.ask(requests[i%int64(len(requests))])
			return ctx.Err() == nil, err
		})
	}()
	c := w.client(addr)
	answered := map[string]time.Time{}
	for i := range alertsPerRound {
		name := fmt.Sprintf("Bench%dx%d", round, i)
		if _, _, err := call[*ssoadmin.CreatePermissionSetResponse](ctx, c, &ssoadmin.Info, "CreatePermissionSet",
			&ssoadmin.CreatePermissionSetRequest{InstanceArn: w.InstanceARN, Name: name, Description: new(fmt.Sprint("bench ", i%alertedRules))}); err != nil {
			return nil, err
		}
		answered[name] = time.Now()
		time.Sleep(100 * time.Millisecond)
	}
	for name, at := range answered {
		for to.alert(name).IsZero() {
			if time.Since(at) > maxWait {
				return nil, fmt.Errorf("no alert about %s", name)
			}
			time.Sleep(time.Millisecond)
		}
		times = append(times, max(0, to.alert(name).Sub(at)))
	}
	stop()
	return times, <-done
}
