package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/mail"
	"sallyport/internal/store"
)

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
