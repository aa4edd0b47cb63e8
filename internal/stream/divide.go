package stream

import (
	"errors"
	"net/http"

	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// Bounds of the search for what a receiver does not want.
const (
	// A receiver that has refused so many events one by one, and has taken none, refuses everything: that is its fault or the operator's.
	maxRefusedFirst = 16
	// A small batch of which nothing is taken is refused so often before it is put aside: the receiver may only just be misconfigured.
	wholeTries = 4
)

// unwantedError is the answer to a batch that a receiver does not want as a whole.
type unwantedError struct {
	error
	status int
}

// divider finds the events that a receiver refuses which judges only whole batches: it sends halves of what was refused, in order. What was
// taken before the search breaks off comes again, like everything at least once.
type divider struct {
	send func([]store.SealedEvent) error // an [unwantedError] of what the receiver does not want

	whole int64 // the first event of the batch of which nothing was taken last
	tries int
}

// write sends a batch. Its error is as a [audit.Sink]'s.
func (d *divider) write(batch []store.SealedEvent) error {
	s := search{send: d.send}
	err := s.halves(batch)
	switch {
	case err != nil:
		return err
	case len(s.refused) == 0:
		return nil
	case len(s.refused) == len(batch) && s.last.status != http.StatusRequestEntityTooLarge && !d.again(batch):
		return s.last.error
	}
	return &audit.Refused{Seqs: s.refused, Reason: s.last.Error()}
}

// again says whether a batch has been refused as a whole so often that it is the fault of its events.
func (d *divider) again(batch []store.SealedEvent) bool {
	if d.whole != batch[0].Seq {
		d.whole, d.tries = batch[0].Seq, 0
	}
	d.tries++
	return d.tries >= wholeTries
}

// search is one look for what is refused.
type search struct {
	send    func([]store.SealedEvent) error
	taken   bool
	refused []int64
	last    *unwantedError
}

func (s *search) halves(batch []store.SealedEvent) error {
	err := s.send(batch)
	if err == nil {
		s.taken = true
		return nil
	}
	u := (*unwantedError)(nil)
	if !errors.As(err, &u) {
		return err
	}
	s.last = u
	if len(batch) == 1 {
		if s.refused = append(s.refused, batch[0].Seq); !s.taken && len(s.refused) > maxRefusedFirst {
			return u.error
		}
		return nil
	}
	half := len(batch) / 2
	if err := s.halves(batch[:half]); err != nil {
		return err
	}
	return s.halves(batch[half:])
}
