// Package sink has what the senders below it share: encoding a batch, refusing what can't be sent, TLS. Each sender is an
// [audit.Sink]: when its Write returns nil, the receiver has the events, in order; what that means is in each package's
// documentation. Writing again what a receiver has already does no harm: every event carries its number and its id.
package sink

import (
	"fmt"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/store"
)

// Message is an event as it is sent.
type Message struct {
	Event store.SealedEvent
	Body  []byte
}

// Refusals collects the events that will never be taken. The zero value is empty.
type Refusals struct {
	seqs   []int64
	reason string
}

// Add refuses an event. The first reason is the one that is told.
func (r *Refusals) Add(seq int64, reason string) {
	if len(r.seqs) == 0 {
		r.reason = reason
	}
	r.seqs = append(r.seqs, seq)
}

// Err is what Write returns when all others are safe: nil, or an [audit.Refused].
func (r *Refusals) Err() error {
	if len(r.seqs) == 0 {
		return nil
	}
	return &audit.Refused{Seqs: r.seqs, Reason: r.reason}
}

// Encode formats a batch. What has no such form, or is longer than most bytes (0: any length), is refused.
func Encode(f format.Formatter, batch []store.SealedEvent, most int, refused *Refusals) []Message {
	out := make([]Message, 0, len(batch))
	for _, e := range batch {
		body, err := f.Format(e)
		switch {
		case err != nil:
			refused.Add(e.Seq, err.Error())
		case most > 0 && len(body) > most:
			refused.Add(e.Seq, fmt.Sprintf("the event has %d bytes, the sink takes %d", len(body), most))
		default:
			out = append(out, Message{e, body})
		}
	}
	return out
}
