package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"sallyport/internal/audit"
	"sallyport/internal/outbound"
	"sallyport/internal/store"
)

// ownSource is the event source of what AWS does not have.
const ownSource = "sallyport"

// failed records that a try has failed, and when the next is. An error of our own is given back.
func (r *run) failed(ctx context.Context, cause error) error {
	if ctx.Err() != nil { // broken off, not failed
		return nil
	}
	r.w.Log.WarnContext(ctx, "sink fails, will try again", "sink", r.row.Name, "error", cause)
	row := r.row
	err := r.update(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		row = r.row
		row.Failures++
		row.LastError, row.ErrorAt = outbound.OneLine(cause.Error()), now
		if row.FailingSince.IsZero() {
			row.FailingSince = now
		}
		pause := outbound.BackOff(row.Failures, cmp.Or(r.w.Pause, firstPause), longPause)
		if b := (*audit.Busy)(nil); errors.As(cause, &b) && b.After > 0 {
			pause = min(b.After, maxWait)
		}
		row.ResumeAt = now.Add(pause)
		if !row.Warned && now.Sub(row.FailingSince) >= failingFor {
			row.Warned = true
			if err := event(tx, row, "EventSinkFailing", map[string]any{"error": row.LastError, "since": audit.Time(row.FailingSince)}); err != nil {
				return err
			}
		}
		return tx.FailEventSink(row)
	})
	if errors.Is(err, store.ErrLost) {
		_, err = r.moved(ctx)
		return err
	}
	if err != nil {
		return fmt.Errorf("record failure: %w", err)
	}
	r.row = row
	return nil
}

// well records that a sink of which it is on record that it fails does so no more.
func (r *run) well(tx *store.Tx) error {
	if !r.row.Warned {
		return nil
	}
	return event(tx, r.row, "EventSinkRecovered", map[string]any{"since": audit.Time(r.row.FailingSince)})
}

// bury puts aside what a sink refuses. full says that there is no room for it. The first is an event: were each, every event about a refused
// event might be refused too.
func (r *run) bury(tx *store.Tx, dead []store.SealedEvent, refused *audit.Refused) (full bool, err error) {
	if len(dead) == 0 {
		return false, nil
	}
	n, err := tx.CountDeadEvents(r.id)
	if err != nil {
		return false, fmt.Errorf("count dead events: %w", err)
	}
	if n+int64(len(dead)) > Dead {
		return true, nil
	}
	reason := outbound.OneLine(refused.Reason)
	if n == 0 {
		if err := event(tx, r.row, "EventSinkRefused", map[string]any{"eventID": dead[0].ID, "sequence": dead[0].Seq, "error": reason}); err != nil {
			return false, err
		}
	}
	return false, tx.PutDeadEvents(r.id, reason, dead)
}

// revive sends dead events again that an operator wants to be sent. They come out of order by their nature.
func (r *run) revive(ctx context.Context) (more bool, err error) {
	batch := r.again
	var refused *audit.Refused
	if err := r.write(ctx, batch); err != nil && !errors.As(err, &refused) {
		return false, r.failed(ctx, err)
	}
	dead := among(batch, refused)
	gone := map[int64]bool{}
	for _, e := range dead {
		gone[e.Seq] = true
	}
	var taken []int64
	for _, e := range batch {
		if !gone[e.Seq] {
			taken = append(taken, e.Seq)
		}
	}
	err = r.update(ctx, func(tx *store.Tx) error {
		if len(dead) > 0 {
			if err := tx.PutDeadEvents(r.id, outbound.OneLine(refused.Reason), dead); err != nil {
				return err
			}
		}
		if _, err := tx.DiscardDeadEvents(r.id, taken, false); err != nil {
			return err
		}
		if err := r.well(tx); err != nil {
			return err
		}
		return tx.MoveEventSink(r.row, r.row.Position, r.row.Planned, len(taken))
	})
	if errors.Is(err, store.ErrLost) {
		return r.moved(ctx)
	}
	if err != nil {
		return false, fmt.Errorf("record dead events: %w", err)
	}
	return true, nil
}

// event records something about a sink.
func event(tx *store.Tx, s store.EventSink, name string, details map[string]any) error {
	i, err := tx.OrganizationInstance()
	if err != nil {
		return fmt.Errorf("load instance: %w", err)
	}
	details["sinkId"], details["sinkName"], details["kind"] = s.ID, s.Name, s.Kind
	e := &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: ownSource},
		EventSource:  ownSource, EventName: name, EventType: "AwsServiceEvent",
		AWSRegion: i.Region, SourceIPAddress: ownSource, UserAgent: ownSource,
		RecipientAccountID: string(i.Owner), ServiceEventDetails: details,
	}
	if err := e.Store(tx); err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	return nil
}
