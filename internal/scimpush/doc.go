// Package scimpush pushes people and groups to other SCIM 2.0 servers (RFC 7643, 7644), AWS's among them.
//
// The store marks a record for each target in the transaction that changes it. A worker, one for a target at a time, brings each marked
// record there to what is wanted here: whatever happened to it meanwhile, on whichever side. So a request may be lost, be done twice or be
// broken off, and the next attempt mends it. What a record is called there, and who was put into which group, is kept: AWS's dialect does
// not tell.
//
// A comparison of both sides goes through what is there, corrects what is kept, and marks everything here.
package scimpush

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// Worker pushes. Any number of processes may run one.
type Worker struct {
	DB    *store.DB
	Keys  *keyring.Ring // seals the targets' tokens
	Store arn.StoreID
	Owner string // names this process among the workers
	Log   *slog.Logger

	// Transport sends requests; nil: the network.
	Transport http.RoundTripper
	// Wait lets time pass between requests; nil: by the machine's clock.
	Wait func(context.Context, time.Duration) error
	// Limit is how long a request may take; 0 means 20 s.
	Limit time.Duration
	// Parallel is how many records are pushed to a target at once; 0 means 8.
	Parallel int
}

// Times and bounds of the work.
const (
	lease    = 90 * time.Second
	poll     = time.Second // other nodes' changes, and pauses, have no bell
	batch    = 64
	maxDelta = 100 // members in one request: AWS's limit
	walkPage = 500
	listPage = 100

	firstPause = time.Second
	longPause  = 5 * time.Minute
	mostPause  = 24 * time.Hour   // whatever a server asks for
	refusedFor = 15 * time.Minute // a token that was refused may be good again: the server may have been at fault
	firstRetry = time.Minute      // of a record that the server does not take
	longRetry  = 6 * time.Hour
	fastRetry  = 5 * time.Second // of a record over which the server stumbles
	slowRetry  = 15 * time.Minute
)

// ownSource is the event source of what AWS does not have.
const ownSource = "sallyport"

// event records something about a target.
func event(tx *store.Tx, t store.SCIMTarget, name string, details map[string]any) error {
	i, err := tx.OrganizationInstance()
	if err != nil {
		return fmt.Errorf("load instance: %w", err)
	}
	all := map[string]any{"targetId": t.ID, "targetName": t.Name}
	for k, v := range details {
		all[k] = v
	}
	e := &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: ownSource},
		EventSource:  ownSource, EventName: name, EventType: "AwsServiceEvent",
		AWSRegion: i.Region, SourceIPAddress: ownSource, UserAgent: ownSource,
		RecipientAccountID: string(i.Owner), ServiceEventDetails: all,
	}
	if err := e.Store(tx); err != nil {
		return fmt.Errorf("record %s: %w", name, err)
	}
	return nil
}
