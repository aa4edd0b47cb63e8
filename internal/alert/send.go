package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"sallyport/internal/mail"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// note is an alert as it is sent.
type note struct {
	ID       string          `json:"alertId"`
	Rule     string          `json:"rule"`
	Severity string          `json:"severity"`
	Time     string          `json:"time"`
	Message  string          `json:"message"`
	Test     bool            `json:"test"`
	EventIDs []string        `json:"eventIds"`
	Event    json.RawMessage `json:"event,omitempty"` // as EventBridge presents it
}

func noteOf(a store.Alert) note {
	return note{a.ID, a.RuleName, a.Severity, a.At.UTC().Format(time.RFC3339), a.Message, a.Test, a.EventIDs, json.RawMessage(a.Event)}
}

// sender sends one alert to one target.
type sender interface {
	send(ctx context.Context, d *Deliverer, t store.AlertTarget, a store.Alert) error
}

var senders = map[string]sender{Webhook: webhook{}, Slack: slack{}, Email: letter{}, Syslog: entry5424{}}

type webhook struct{}

func (webhook) send(ctx context.Context, d *Deliverer, t store.AlertTarget, a store.Alert) error {
	body, err := json.Marshal(noteOf(a))
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	head := http.Header{"Idempotency-Key": {a.ID}}
	if len(t.Secret) > 0 {
		secret, err := d.Keys.OpenRecord("alert_target", "secret", t.ID, t.Secret)
		if err != nil {
			return fmt.Errorf("open secret: %w", err)
		}
		head.Set(outbound.SignatureHeader, outbound.Sign(string(secret), d.DB.Now(), body))
	}
	return d.post(ctx, t, body, head)
}

type slack struct{}

// escape is Slack's: what others have named makes no link and calls nobody.
var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func (slack) send(ctx context.Context, d *Deliverer, t store.AlertTarget, a store.Alert) error {
	body, err := json.Marshal(map[string]string{"text": escape.Replace(fmt.Sprintf("[%s] %s (%s, alert %s)", a.Severity, a.Message, a.At.UTC().Format(time.RFC3339), a.ID))})
	if err != nil {
		return fmt.Errorf("encode alert: %w", err)
	}
	return d.post(ctx, t, body, http.Header{})
}

// letter hands alerts to the queue of mail, which keeps trying on its own.
type letter struct{}

func (letter) send(ctx context.Context, d *Deliverer, t store.AlertTarget, a store.Alert) error {
	to, err := d.Keys.OpenRecord("alert_target", "place", t.ID, t.Place)
	if err != nil {
		return fmt.Errorf("open address: %w", err)
	}
	m := mail.Letters{Portal: d.Portal}.Alert(a.Severity, a.RuleName, a.Message, a.ID, a.At, a.Test).For(string(to))
	return d.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return d.Mail.Enqueue(tx, m) })
}

// post sends a body to a target's URL.
func (d *Deliverer) post(ctx context.Context, t store.AlertTarget, body []byte, head http.Header) error {
	place, err := d.Keys.OpenRecord("alert_target", "place", t.ID, t.Place)
	if err != nil {
		return fmt.Errorf("open URL: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, d.limit())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(place), bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be used")
	}
	r.Header = head
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Sallyport")
	res, err := d.client().Do(r)
	if err != nil {
		return errors.New("the server cannot be reached: " + outbound.Why(err, d.limit(), string(place)))
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("the server answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	return nil
}
