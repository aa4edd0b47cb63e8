package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// jobKind is the kind of the outbox's jobs. The key of each is its message's own, so that none waits for another.
const jobKind = "mail"

// Times of the outbox's work.
const (
	lease     = sendLimit + 2*grace // what a message waits for when its worker was killed
	grace     = 10 * time.Second    // for recording what came of a message
	poll      = time.Second         // other nodes' messages, and waits, have no bell
	gather    = 100 * time.Millisecond
	firstWait = 5 * time.Second
	longWait  = time.Hour
	lastTry   = 24 * time.Hour // after Enqueue
	attempts  = 50             // more than fit into that: for what cannot be opened and so does not say when it was written
	parallel  = 4
)

// Outbox keeps messages until the mail server has them. Any number of processes may run one.
type Outbox struct {
	DB     *store.DB
	Keys   *keyring.Ring
	Server *Server // nil: there is no mail server
	Log    *slog.Logger
	Owner  string // names this process among the workers
}

// envelope is a message as it lies in the database, sealed.
type envelope struct {
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until"` // after that it is not sent
}

// Configured says whether there is a mail server. Without one, the operator is shown what would have been sent.
func (o *Outbox) Configured() bool { return o.Server != nil }

// Enqueue sees to it that a message is sent if the transaction commits. The message is a fault of kind Invalid when it cannot be
// sent to its address (see [CheckAddress]); without a mail server, it is one of kind Conflict.
func (o *Outbox) Enqueue(tx *store.Tx, m Message) error {
	if !o.Configured() {
		return fault.Conflictf("No mail server is configured, so no mail can be sent.")
	}
	if _, err := m.check(); err != nil {
		return err
	}
	l := newLetter(m, tx.Now())
	until := l.at.Add(lastTry)
	if m.life > 0 {
		until = earlier(until, l.at.Add(m.life))
	}
	if !m.until.IsZero() {
		until = earlier(until, m.until)
	}
	plain, err := json.Marshal(envelope{m.To, m.Subject, m.Text, l.at, until})
	if err != nil {
		return fmt.Errorf("encode mail: %w", err)
	}
	payload, err := json.Marshal(o.Keys.SealRecord("job", "payload", jobKind+" "+l.id, plain)) // base64
	if err != nil {
		return fmt.Errorf("encode mail: %w", err)
	}
	return tx.Enqueue(store.Job{Kind: jobKind, Key: l.id, Payload: payload})
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// open is the message of a job.
func (o *Outbox) open(j store.Job) (l letter, until time.Time, err error) {
	var sealed []byte
	if err := json.Unmarshal(j.Payload, &sealed); err != nil {
		return letter{}, time.Time{}, fmt.Errorf("decode mail: %w", err)
	}
	plain, err := o.Keys.OpenRecord("job", "payload", jobKind+" "+j.Key, sealed)
	if err != nil {
		return letter{}, time.Time{}, fmt.Errorf("open mail: %w", err)
	}
	var e envelope
	if err := json.Unmarshal(plain, &e); err != nil {
		return letter{}, time.Time{}, fmt.Errorf("decode mail: %w", err)
	}
	return letter{Message{To: e.To, Subject: e.Subject, Text: e.Text}, j.Key, e.At}, e.Until, nil
}

// Run sends what is due until ctx ends. What is being sent then is broken off and stays in the outbox.
func (o *Outbox) Run(ctx context.Context) error {
	if !o.Configured() {
		<-ctx.Done()
		return nil
	}
	var busy sync.WaitGroup
	defer busy.Wait()
	slots := make(chan struct{}, parallel)
	for {
		wake := o.DB.JobsWake()
		free := parallel - len(slots) // only this loop fills them
		jobs, err := o.claim(ctx, free)
		if err != nil && ctx.Err() == nil {
			o.Log.ErrorContext(ctx, "claim mail", "error", err)
		}
		for _, j := range jobs {
			slots <- struct{}{}
			busy.Go(func() {
				defer func() { <-slots }()
				o.do(ctx, j)
			})
		}
		pause(ctx, gather) // the bell rings for every job of any kind
		if len(jobs) < free || free == 0 {
			await(ctx, wake)
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func await(ctx context.Context, wake <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-wake:
	case <-time.After(poll):
	}
}

// Drain sends what is due, one message after the other, then returns: for programs and tests that do not run the outbox.
func (o *Outbox) Drain(ctx context.Context) error {
	if !o.Configured() {
		return nil
	}
	for {
		jobs, err := o.claim(ctx, 1)
		if err != nil || len(jobs) == 0 {
			return err
		}
		o.do(ctx, jobs[0])
	}
}

func (o *Outbox) claim(ctx context.Context, n int) ([]store.Job, error) {
	if n == 0 {
		return nil, nil
	}
	return o.DB.ClaimJobs(ctx, jobKind, o.Owner, n, lease)
}

// do tries to send one message and records what came of it. A process that is killed between the two sends it again, with the
// same Message-ID.
func (o *Outbox) do(ctx context.Context, j store.Job) {
	host, until, err := o.try(ctx, j)
	again := o.DB.Now().Add(wait(j.Attempts))
	settle, text := (*store.Tx).FinishJob, "mail given up"
	switch {
	case err == nil:
	case ctx.Err() != nil: // stopped, not failed
		settle, err = (*store.Tx).ReleaseJob, nil
	case !Permanent(err) && again.Before(until):
		settle, text = func(tx *store.Tx, j store.Job) error { return tx.RetryJob(j, again) }, "mail not sent yet"
	}
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	lost := o.DB.UpdateRelaxed(back, func(tx *store.Tx) error { return settle(tx, j) })
	log := o.Log.With("job", j.ID, "host", host, "attempt", j.Attempts)
	if err != nil {
		log.WarnContext(back, text, "error", err)
	}
	if lost != nil {
		log.ErrorContext(back, "record what came of mail", "error", lost)
	}
}

// try sends one message, and tells what of it may be logged and until when another try is worth it.
func (o *Outbox) try(ctx context.Context, j store.Job) (host string, until time.Time, err error) {
	now := o.DB.Now()
	l, until, err := o.open(j)
	if err != nil { // the message does not say until when; a key may be on its way from another node
		if j.Attempts < attempts {
			until = now.Add(lastTry)
		}
		return "", until, err
	}
	if !now.Before(until) {
		return hostOf(l.To), until, errors.New("it is of no use any more")
	}
	return hostOf(l.To), until, o.Server.send(ctx, l)
}

// wait is how long a message that has failed n times rests.
func wait(n int) time.Duration {
	if n < 1 || n > 10 { // five seconds doubled ten times are more than an hour
		return longWait
	}
	return min(firstWait<<(n-1), longWait)
}
