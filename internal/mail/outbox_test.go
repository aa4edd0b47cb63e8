package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/fault"
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

func TestOutboxSends(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enqueue(reset(o), hello)
	o.expect(0) // not in the transaction
	o.clock.Advance(time.Minute)
	o.drain()
	o.expect(2)
	m := o.smtp.Messages()[0]
	if m.To[0] != "ana@example.org" || m.Subject != "Reset your password at sso.example.org" || !strings.Contains(m.Text, "\n"+secretLink+"\n") {
		t.Errorf("%+v", m)
	}
	if at, err := m.Header.Date(); err != nil || !at.Equal(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("dated %v, %v: not when it was written", at, err)
	}
	o.drain()
	o.expect(2)
	o.empty()
}

func TestMailOfATransactionThatFails(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	failure := errors.New("no")
	err := o.DB.Update(t.Context(), func(tx *store.Tx) error { return errors.Join(o.Enqueue(tx, hello), failure) })
	if !errors.Is(err, failure) {
		t.Fatal(err)
	}
	o.drain()
	o.expect(0)
	o.empty()
}

// Whoever reads the database, or a backup of it, learns neither links nor to whom they went.
func TestDatabaseDoesNotShowMail(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enqueue(reset(o))
	jobs, err := o.DB.ClaimJobs(t.Context(), "mail", "auditor", 10, time.Minute)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	var all []byte
	err = filepath.WalkDir(o.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(all, []byte(jobs[0].Key)) {
		t.Error("the message is not in the files that were read")
	}
	for _, secret := range []string{secretLink, "c2VjcmV0LXNlY3JldA", "ana@example.org", "example.org", "Reset your"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the database has %q", secret)
		}
	}
}

func TestTemporaryFailures(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.smtp.Answer("RCPT", "450 4.2.1 <ana@example.org> is greylisted", 3)
	o.enqueue(reset(o))
	for i, wait := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		o.drain()
		o.expect(0, "mail not sent yet", "host=example.org", fmt.Sprint("attempt=", i+1), "refused the recipient: 450 4.2.1")
		o.clock.Advance(wait - time.Millisecond)
		o.drain()
		o.expect(0) // too early
		o.clock.Advance(time.Millisecond)
	}
	o.drain()
	o.expect(1)
	o.empty()
}

func TestPermanentFailures(t *testing.T) {
	t.Parallel()
	for command, reply := range map[string]string{
		"RCPT": "550 5.1.1 <ana@example.org> is nobody", "TEXT": "554 5.7.1 Spam: " + secretLink,
	} {
		o := newOffice(t)
		o.smtp.Answer(command, reply, 1)
		o.enqueue(reset(o))
		o.drain()
		o.expect(0, "mail given up", "host=example.org", reply[:9])
		o.empty()
	}
}

// A day of failures is enough; a link or a code is given up when it is of no use any more.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	letters := mail.Letters{Portal: "https://sso.example.org"}
	for _, tc := range []struct {
		name     string
		message  func(*office) mail.Message
		min, max time.Duration
		tries    int
	}{
		{"text", func(*office) mail.Message { return hello }, 22 * time.Hour, 24 * time.Hour, 30},
		{"link for an hour", reset, 30 * time.Minute, time.Hour, 10},
		{"code for ten minutes", func(*office) mail.Message { return letters.Code("123456", 10).For("ana@example.org") }, 5 * time.Minute, 10 * time.Minute, 7},
	} {
		o := newOffice(t)
		o.smtp.Answer("MAIL", "451 4.3.0 Later", 1000)
		o.enqueue(tc.message(o))
		began, last, tries := o.clock.Now(), time.Time{}, 0
		for range 700 {
			o.drain()
			if said := o.log.said(); said != "" {
				last = o.clock.Now()
				tries++
				if strings.Contains(said, "given up") {
					break
				}
			}
			o.clock.Advance(tc.max / 600)
		}
		if took := last.Sub(began); took < tc.min || took > tc.max || tries < tc.tries-3 || tries > tc.tries+3 {
			t.Errorf("%s: given up after %v and %d tries", tc.name, took, tries)
		}
		o.expect(0)
		o.empty()
	}
}

// A process that comes up after a week sends no old links.
func TestOldMailIsNotSent(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enqueue(reset(o), hello)
	o.clock.Advance(2 * time.Hour)
	o.drain()
	o.expect(1, "mail given up", "of no use any more")
	o.enqueue(hello)
	o.clock.Advance(24 * time.Hour)
	o.drain()
	o.expect(1, "of no use any more")
	o.empty()
}

func TestStuckMailBlocksNobody(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	stuck := hello
	stuck.Subject = "First"
	o.smtp.Answer("RCPT", "450 4.2.1 Later", 1)
	o.enqueue(stuck, hello, hello)
	o.drain()
	o.expect(2, "not sent yet")
	o.clock.Advance(5 * time.Second)
	o.drain()
	o.expect(3)
}

// What a killed worker had in its hands is another's when the lease has ended: sent twice rather than never.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enqueue(hello)
	if jobs, err := o.DB.ClaimJobs(t.Context(), "mail", "killed", 1, 30*time.Second); err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	o.drain()
	o.expect(0)
	o.clock.Advance(30 * time.Second)
	o.drain()
	o.expect(1)
	o.empty()
}

// So a mail program shows a message that was sent twice once.
func TestRetriesKeepTheMessageID(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enqueue(hello, hello)
	jobs, err := o.DB.ClaimJobs(t.Context(), "mail", "killed", 2, time.Second)
	if err != nil || len(jobs) != 2 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	o.clock.Advance(time.Second)
	o.drain()
	var ids []string
	for _, m := range o.smtp.Messages() {
		ids = append(ids, m.Header.Get("Message-Id"))
	}
	slices.Sort(ids)
	want := []string{"<" + jobs[0].Key + "@sso.example.org>", "<" + jobs[1].Key + "@sso.example.org>"}
	slices.Sort(want)
	if !slices.Equal(ids, want) || ids[0] == ids[1] {
		t.Errorf("%v, not %v", ids, want)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	bad := hello
	bad.To = "ana@example.org\r\nBcc: bob@example.org"
	enqueue := func(m mail.Message) error {
		return o.DB.Update(t.Context(), func(tx *store.Tx) error { return o.Enqueue(tx, m) })
	}
	if err := enqueue(bad); fault.KindOf(err) != fault.Invalid {
		t.Errorf("bad address: %v", err)
	}
	o.Server = nil
	if err := enqueue(hello); o.Configured() || fault.KindOf(err) != fault.Conflict {
		t.Errorf("no server: %v", err)
	}
	o.drain()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Run(ctx); err != nil {
		t.Error(err)
	}
	o.empty()
}

// A row that somebody has moved or changed is not sent to whom it says.
func TestChangedMailIsNotSent(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.enqueue(hello)
	jobs, err := o.DB.ClaimJobs(t.Context(), "mail", "thief", 1, time.Second)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	err = o.DB.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.FinishJob(jobs[0]), tx.Enqueue(store.Job{Kind: "mail", Key: "other", Payload: jobs[0].Payload}),
			tx.Enqueue(store.Job{Kind: "mail", Key: jobs[0].Key, Payload: []byte("{}")}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 60 {
		o.drain()
		o.clock.Advance(time.Hour)
	}
	o.expect(0, "open mail", "decode mail", "mail given up")
	o.empty()
}

func TestRun(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	o.enqueue(slices.Repeat([]mail.Message{hello}, 5)...)
	o.smtp.Wait(t, 5)
	o.enqueue(slices.Repeat([]mail.Message{hello}, 5)...)
	o.smtp.Wait(t, 10)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	o.drain() // what the stop has kept from being recorded
	ids := map[string]bool{}
	for _, m := range o.smtp.Messages() {
		ids[m.Header.Get("Message-Id")] = true
	}
	if len(ids) != 10 {
		t.Errorf("%d messages", len(ids))
	}
	o.empty()
}

// A stop does not wait for a mail server that hangs; the message stays, and its try is not counted.
func TestRunStops(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	greeted := make(chan struct{}, 1)
	silent := listen(t, func(conn net.Conn) {
		greeted <- struct{}{}
		_, _ = io.Copy(io.Discard, conn)
	})
	o.Server.Address = silent.Address
	o.enqueue(hello)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- o.Run(ctx) }()
	<-greeted
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	o.expect(0)
	jobs, err := o.DB.ClaimJobs(t.Context(), "mail", "auditor", 10, time.Minute)
	if err != nil || len(jobs) != 1 || jobs[0].Attempts != 1 {
		t.Errorf("left: %+v, %v", jobs, err)
	}
}
