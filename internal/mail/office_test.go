package mail_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/keyring"
	"sallyport/internal/mail"
	"sallyport/internal/mail/mailtest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const secretLink = "https://sso.example.org/reset/c2VjcmV0LXNlY3JldA"

// office is an outbox with its surroundings.
type office struct {
	*mail.Outbox
	t     *testing.T
	clock *clocktest.Clock
	smtp  *mailtest.Server
	dir   string // of the database
	log   *log
}

// log is what the outbox says.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// said is what was logged since the last call.
func (l *log) said() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{
		t: t, clock: clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)), smtp: mailtest.Start(t), dir: t.TempDir(), log: &log{},
	}
	db := storetest.OpenAt(t, filepath.Join(o.dir, "sallyport.db"), o.clock)
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keyring.Open(t.Context(), db, kek)
	if err != nil {
		t.Fatal(err)
	}
	server := serverOf(o.smtp)
	o.Outbox = &mail.Outbox{DB: db, Keys: keys, Server: &server, Log: slog.New(slog.NewTextHandler(o.log, nil)), Owner: "test"}
	return o
}

func (o *office) enqueue(messages ...mail.Message) {
	o.t.Helper()
	err := o.DB.Update(o.t.Context(), func(tx *store.Tx) error {
		for _, m := range messages {
			if err := o.Enqueue(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) drain() {
	o.t.Helper()
	if err := o.Drain(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

// expect compares what the server has with the number of messages, and what the log says.
func (o *office) expect(messages int, logged ...string) {
	o.t.Helper()
	if n := len(o.smtp.Messages()); n != messages {
		o.t.Errorf("%d messages, not %d", n, messages)
	}
	said := o.log.said()
	for _, want := range logged {
		if !strings.Contains(said, want) {
			o.t.Errorf("the log does not say %q: %s", want, said)
		}
	}
	if len(logged) == 0 && said != "" {
		o.t.Errorf("the log says %s", said)
	}
	for _, secret := range []string{secretLink, "c2VjcmV0", "ana@", "Reset your password"} {
		if strings.Contains(said, secret) {
			o.t.Errorf("the log gives %q away: %s", secret, said)
		}
	}
}

// empty says that nothing is left in the outbox, whatever the time.
func (o *office) empty() {
	o.t.Helper()
	o.clock.Advance(365 * 24 * time.Hour)
	jobs, err := o.DB.ClaimJobs(o.t.Context(), "mail", "auditor", 10, time.Minute)
	if err != nil || len(jobs) > 0 {
		o.t.Errorf("%d messages are left, %v", len(jobs), err)
	}
}

func reset(o *office) mail.Message {
	return mail.Letters{Portal: "https://sso.example.org"}.Reset("Ana", secretLink, o.clock.Now().Add(time.Hour)).For("ana@example.org")
}
