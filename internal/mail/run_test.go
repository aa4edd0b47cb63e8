package mail_test

import (
	"context"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"sallyport/internal/mail"
)

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
