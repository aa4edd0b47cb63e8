// Package collect keeps the audit logs of other deployments: a central place, often a security account's, that those who administer
// them cannot reach. A deployment is a source here; there it has a webhook sink with the source's address and secret. Its chain is
// verified as it comes: each event must follow the last one, so that a log that was rewritten, or left something out, is refused from
// there on, and is an event of our own.
package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// Base is the path below which sources send.
const Base = "/collect/"

const (
	maxSources = 200
	maxName    = 64
	typeSource = "EVENT_SOURCE"
	ownSource  = "sallyport"
)

// Collector takes the events of sources.
type Collector struct {
	DB     *store.DB
	Keys   *keyring.Ring
	Log    *slog.Logger
	Region string
	Owner  arn.AccountID
}

// Create adds a source and returns the secret that it is to sign with. It is shown once.
func Create(tx *store.Tx, keys *keyring.Ring, name, by string) (store.EventSource, credential.Secret, error) {
	s := store.EventSource{ID: arn.NewUUID(), Name: name, CreatedAt: tx.Now(), CreatedBy: by}
	if strings.TrimSpace(name) != name || name == "" || len(name) > maxName {
		return s, "", fault.Invalidf("The name of a source has 1 to %d characters, and no space around them.", maxName)
	}
	all, err := tx.EventSources()
	if err != nil {
		return s, "", fmt.Errorf("list sources: %w", err)
	}
	if len(all) >= maxSources {
		return s, "", fault.Quotaf("There are %d sources, as many as there may be.", len(all))
	}
	secret := credential.Secret(arn.NewUUID() + arn.NewUUID())
	s.Secret = keys.SealRecord("event_source", "secret", s.ID, []byte(secret))
	err = tx.InsertEventSource(s)
	if errors.Is(err, store.ErrExists) {
		return s, "", fault.Conflictf("There is a source %q already.", name)
	}
	return s, secret, wrap(err, "insert source")
}

// Find is a source; a NotFound fault.
func Find(tx *store.Tx, id string) (store.EventSource, error) {
	s, err := tx.EventSource(id)
	if errors.Is(err, store.ErrNotFound) {
		return s, fault.Missing(typeSource, id)
	}
	return s, wrap(err, "load source")
}

// sweepKind is the kind of the jobs that delete what is left of sources.
const (
	sweepKind  = "collected-sweep"
	sweepBatch = 2000
)

// Delete forgets a source at once, and what it has sent in the time after.
func Delete(tx *store.Tx, id string) error {
	if _, err := Find(tx, id); err != nil {
		return err
	}
	if err := tx.DeleteEventSource(id); err != nil {
		return fmt.Errorf("delete source: %w", err)
	}
	return wrap(tx.Enqueue(store.Job{Kind: sweepKind, Key: id}), "leave the events of the source to a job")
}

// NewSweeper returns the worker that deletes what deleted sources have sent.
func NewSweeper(db *store.DB, owner string) *store.Sweeper {
	return &store.Sweeper{DB: db, Kind: sweepKind, Owner: owner, Do: func(tx *store.Tx, j store.Job) error {
		n, err := tx.SweepCollected(j.Key, sweepBatch)
		if err != nil || n < sweepBatch {
			return wrap(err, "delete events of source")
		}
		return wrap(tx.Enqueue(store.Job{Kind: sweepKind, Key: j.Key}), "leave the rest to a job")
	}}
}

// broken records that a source's chain does not go on, once for each time that it stops.
func (c *Collector) broken(ctx context.Context, s store.EventSource, why string) error {
	return c.DB.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.LockEventSource(s.ID)
		if err != nil || now.Problem == why {
			return err
		}
		now.Problem, now.ProblemAt = why, tx.Now()
		if err := tx.UpdateEventSource(now); err != nil {
			return fmt.Errorf("record problem of source: %w", err)
		}
		return (&audit.Event{
			UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: ownSource}, EventSource: ownSource, EventName: "CollectedChainBroken",
			EventType: "AwsServiceEvent", AWSRegion: c.Region, SourceIPAddress: ownSource, UserAgent: ownSource, RecipientAccountID: string(c.Owner),
			RequestID:           arn.NewUUID(),
			ServiceEventDetails: map[string]any{"sourceId": now.ID, "sourceName": now.Name, "lastSequence": now.LastSeq, "reason": why},
		}).Store(tx)
	})
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
