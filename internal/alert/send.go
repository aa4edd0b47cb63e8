package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/mail"
	"sallyport/internal/store"
)

// SignatureHeader has the time and the signature of what is sent to a webhook: t=UNIX,v1=HEX, where HEX is HMAC-SHA-256 with the target's
// secret of UNIX, a dot and the body.
const SignatureHeader = "Sallyport-Signature"

// Sign is the header's value.
func Sign(secret, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(t + "."))
	m.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(m.Sum(nil))
}

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
		head.Set(SignatureHeader, Sign(secret, body, d.DB.Now()))
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
		return unsaid(err, d.limit())
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("the server answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
	}
	return nil
}

// unsaid is an error of the way there without the URL, which may be a secret.
func unsaid(err error, limit time.Duration) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the server did not answer within %v", limit)
	}
	return errors.New("the server cannot be reached: " + line(err.Error()))
}

// network sends requests. Without TLS, only to this machine, whatever its name resolves to.
func network() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	dial := t.DialContext
	plain := t.Clone()
	plain.Proxy = nil
	plain.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if far, ok := c.RemoteAddr().(*net.TCPAddr); !ok || !far.IP.IsLoopback() {
			_ = c.Close()
			return nil, errors.New("without TLS the server must be on this machine")
		}
		return c, nil
	}
	return byScheme{t, plain}
}

// byScheme chooses by scheme.
type byScheme struct{ secure, plain http.RoundTripper }

func (n byScheme) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" {
		return n.secure.RoundTrip(r)
	}
	return n.plain.RoundTrip(r)
}
