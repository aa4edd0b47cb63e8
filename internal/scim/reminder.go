package scim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// Reminder puts on record that tokens come to their end, as AWS reminds of it: weekly from 90 days before on, later daily (behaviour
// reference §2.1).
type Reminder struct {
	DB     *store.DB
	Owner  arn.AccountID
	Region string
	Node   string // names this process among those that remind
	Log    *slog.Logger
}

// Times of reminders. When AWS begins to remind daily is not told.
const (
	oneDay      = 24 * time.Hour
	remindFrom  = 90 * oneDay
	remindEvery = 7 * oneDay
	remindDaily = 14 * oneDay // in the last days

	remindPoll  = 10 * time.Minute
	remindLease = time.Minute
	remindMost  = 1000 // tokens at a time
)

// Run reminds until ctx ends. Any number of processes may run it: one reminds at a time.
func (r *Reminder) Run(ctx context.Context) {
	for {
		if _, err := r.Remind(ctx); err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "reminding of SCIM tokens failed, will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(remindPoll):
		}
	}
}

// Remind reminds of each token for which it is time, once, and says of how many. Reminders for which nobody was there are not made up
// for: the next tells how many days are left.
func (r *Reminder) Remind(ctx context.Context) (n int, err error) {
	var due []store.ExpiringToken
	find := func(tx *store.Tx) error {
		all, err := tx.ExpiringSCIMTokens(tx.Now(), tx.Now().Add(remindFrom), remindMost)
		due = nil
		for _, t := range all {
			if dueSince(t.ExpiresAt, tx.Now()).After(t.RemindedAt) {
				due = append(due, t)
			}
		}
		return explain(err, "list tokens that expire")
	}
	if err := r.DB.View(ctx, find); err != nil || len(due) == 0 {
		return 0, err
	}
	l, err := r.DB.AcquireLease(ctx, "scim.reminder", r.Node, remindLease)
	if errors.Is(err, store.ErrLost) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	err = r.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Holds(l); err != nil {
			return err
		}
		if err := find(tx); err != nil { // another may have reminded before us
			return err
		}
		for _, t := range due { // two of each source at most, and few are due
			if err := errors.Join(tx.RemindOfToken(t.ID), r.event(t, tx.Now()).Store(tx)); err != nil {
				return fmt.Errorf("remind of token %s: %w", t.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		due = nil
	}
	return len(due), errors.Join(err, r.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

// dueSince is when the last reminder of a token fell due, which has at most remindFrom left.
func dueSince(expires, now time.Time) time.Time {
	left := expires.Sub(now)
	if left <= remindDaily {
		return expires.Add(-time.Duration(DaysLeft(expires, now)) * oneDay)
	}
	return expires.Add(-remindFrom + (remindFrom - left).Truncate(remindEvery))
}

// DaysLeft is how many days something has left, the present one included; none when it is over.
func DaysLeft(expires, now time.Time) int {
	return int(max(0, expires.Sub(now)+oneDay-1) / oneDay)
}

func (r *Reminder) event(t store.ExpiringToken, now time.Time) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: serviceSource}, EventSource: serviceSource, EventName: "ScimTokenExpiring",
		EventType: "AwsServiceEvent", AWSRegion: r.Region, SourceIPAddress: serviceSource, UserAgent: serviceSource, RecipientAccountID: string(r.Owner),
		ServiceEventDetails: map[string]any{
			"source": t.Tenant, "tenantId": t.TenantID, "tokenId": t.ID, "expiresAt": audit.Time(t.ExpiresAt), "daysLeft": DaysLeft(t.ExpiresAt, now),
		},
	}
}
