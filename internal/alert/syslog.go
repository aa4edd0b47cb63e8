package alert

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"sallyport/internal/fault"
	"sallyport/internal/sink/syslog"
	"sallyport/internal/store"
)

// syslogTarget is the configuration of a syslog server; ok: its place could be read.
type syslogTarget struct {
	syslog.Config
	ok bool
}

func syslogConfig(place, authority string) (t syslogTarget) {
	u, err := url.Parse(place)
	if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Port() == "" {
		return t
	}
	t.Address, t.TLS.CA, t.Plain = u.Host, authority, u.Scheme == "syslog+tcp"
	t.ok = t.Plain && authority == "" || u.Scheme == "syslog+tls"
	return t
}

func (t syslogTarget) check() error {
	if !t.ok {
		return fault.Invalidf("A syslog server is syslog+tls://host:port or, on this machine and without an authority, syslog+tcp://127.0.0.1:port.")
	}
	_, err := syslog.Open(t.Config)
	return err
}

// entry5424 sends an alert as a message of RFC 5424.
type entry5424 struct{}

// urgency is the severity of messages (RFC 5424 §6.2.1).
var urgency = map[string]int{Critical: 1, High: 2, Medium: 4, Low: 5}

func (entry5424) send(ctx context.Context, d *Deliverer, t store.AlertTarget, a store.Alert) error {
	var opened [2][]byte
	for i, sealed := range [][]byte{t.Place, t.Secret} {
		if len(sealed) == 0 {
			continue
		}
		var err error
		if opened[i], err = d.Keys.OpenRecord("alert_target", []string{"place", "secret"}[i], t.ID, sealed); err != nil {
			return fmt.Errorf("open target: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, d.limit())
	defer cancel()
	c, err := syslog.Dial(ctx, syslogConfig(string(opened[0]), string(opened[1])).Config)
	if err != nil {
		return err
	}
	data := []syslog.Param{{Name: "alertId", Value: a.ID}, {Name: "rule", Value: a.RuleName}, {Name: "severity", Value: a.Severity}, {Name: "test", Value: fmt.Sprint(a.Test)}}
	for _, id := range a.EventIDs[:min(len(a.EventIDs), 10)] {
		data = append(data, syslog.Param{Name: "eventId", Value: id})
	}
	err = c.Send(ctx, syslog.Message{Severity: urgency[a.Severity], Time: a.At, ID: "Alert", Data: data, Text: []byte(a.Message)})
	if err == nil {
		err = c.Finish(ctx) // it has read the message
	}
	return errors.Join(err, c.Close())
}
