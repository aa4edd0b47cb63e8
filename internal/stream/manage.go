package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

const (
	// maxSinks bounds what each event is sent to.
	maxSinks  = 20
	maxSecret = 8 << 10
	typeSink  = "EVENT_SINK"
	reserved  = "file" // each node's, which metrics tell of beside the sinks
	testLimit = 20 * time.Second
)

// Change is what an operator says of a sink; nil: nothing.
type Change struct {
	Name, Address, CA, Secret *string
	Format                    *Format
	Options                   map[string]string
	WriteOnly                 *bool
	Sources                   *[]string // empty: all
	State                     *store.SinkState
}

// Create adds a sink. It is sent what happens from now on, or all that the log has.
func Create(tx *store.Tx, keys *keyring.Ring, kind string, c Change, fromStart bool, by string) (store.EventSink, error) {
	if c.Name == nil || c.Address == nil {
		return store.EventSink{}, fault.Invalidf("A sink needs a name and an address.")
	}
	all, err := tx.EventSinks()
	if err != nil {
		return store.EventSink{}, fmt.Errorf("list sinks: %w", err)
	}
	if len(all) >= maxSinks {
		return store.EventSink{}, fault.Quotaf("There are %d sinks, as many as there may be.", len(all))
	}
	s := store.EventSink{ID: arn.NewUUID(), Kind: kind, State: store.SinkOn, CreatedAt: tx.Now(), CreatedBy: by}
	if !fromStart {
		if s.Position, err = tx.AuditHead(); err != nil {
			return s, fmt.Errorf("find end of log: %w", err)
		}
	}
	if err := c.apply(keys, &s, Settings{Format: CloudTrail}); err != nil {
		return s, err
	}
	return s, taken(tx.InsertEventSink(s), s.Name, "insert sink")
}

func taken(err error, name, doing string) error {
	if errors.Is(err, store.ErrExists) {
		return fault.Conflictf("There is a sink %q already.", name)
	}
	return wrap(err, doing)
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Find is a sink; a NotFound fault.
func Find(tx *store.Tx, id string) (store.EventSink, error) {
	s, err := tx.EventSink(id)
	if errors.Is(err, store.ErrNotFound) {
		return s, fault.Missing(typeSink, id)
	}
	return s, wrap(err, "load sink")
}

// Update changes a sink. It is tried again at once.
func Update(tx *store.Tx, keys *keyring.Ring, id string, c Change) (store.EventSink, error) {
	s, err := Find(tx, id)
	if err != nil {
		return s, err
	}
	was, err := SettingsOf(s)
	if err != nil {
		return s, err
	}
	if c.Address != nil && *c.Address != was.Address && len(s.Secret) > 0 && c.Secret == nil {
		return s, fault.Invalidf("A secret is good for one receiver: give the one for %s with it.", *c.Address)
	}
	if err := c.apply(keys, &s, was); err != nil {
		return s, err
	}
	if err := taken(tx.UpdateEventSink(s), s.Name, "update sink"); err != nil {
		return s, err
	}
	return Find(tx, id)
}

// Delete forgets a sink, with what it has refused.
func Delete(tx *store.Tx, id string) error {
	if _, err := Find(tx, id); err != nil {
		return err
	}
	return wrap(tx.DeleteEventSink(id), "delete sink")
}

// SettingsOf are a sink's settings.
func SettingsOf(s store.EventSink) (in Settings, err error) {
	return in, wrap(json.Unmarshal(s.Config, &in), "read configuration")
}

// apply makes a sink so, and checks it by opening it.
func (c Change) apply(keys *keyring.Ring, s *store.EventSink, in Settings) error {
	set(&s.Name, c.Name)
	if s.Name == reserved {
		return fault.Invalidf("The name %q is that of the log's own file.", reserved)
	}
	set(&s.State, c.State)
	set(&in.Address, c.Address)
	set(&in.CA, c.CA)
	set(&in.Format, c.Format)
	set(&in.Filter.WriteOnly, c.WriteOnly)
	set(&in.Filter.Sources, c.Sources)
	if c.Options != nil {
		in.Options = c.Options
	}
	secret, err := c.secret(keys, s)
	if err != nil {
		return err
	}
	made, err := Open(Config{ID: s.ID, Name: s.Name, Kind: s.Kind, Secret: secret, Settings: in})
	if err != nil {
		return err
	}
	if err := shut(made); err != nil {
		return fmt.Errorf("close sink: %w", err)
	}
	s.Config, err = json.Marshal(in)
	return wrap(err, "encode configuration")
}

// secret is the one that a sink has from now on; "" takes it away.
func (c Change) secret(keys *keyring.Ring, s *store.EventSink) (string, error) {
	switch {
	case c.Secret == nil && len(s.Secret) == 0:
		return "", nil
	case c.Secret == nil:
		plain, err := keys.OpenRecord("event_sink", "secret", s.ID, s.Secret)
		return string(plain), wrap(err, "open secret")
	case len(*c.Secret) > maxSecret:
		return "", fault.Invalidf("The secret must have at most %d characters.", maxSecret)
	}
	if s.Secret = nil; *c.Secret != "" {
		s.Secret = keys.SealRecord("event_sink", "secret", s.ID, []byte(*c.Secret))
	}
	return *c.Secret, nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Lag is how far a sink is behind.
type Lag struct {
	Events int64
	Since  time.Time // when the first of them was recorded; zero: there is none
	Dead   int64
}

// LagOf tells how far a sink is behind.
func LagOf(tx *store.Tx, db *store.DB, s store.EventSink) (l Lag, err error) {
	head, err := tx.AuditHead()
	if err != nil {
		return l, fmt.Errorf("find end of log: %w", err)
	}
	if l.Dead, err = tx.CountDeadEvents(s.ID); err != nil {
		return l, fmt.Errorf("count dead events: %w", err)
	}
	if l.Events = max(0, head-s.Position); l.Events == 0 {
		return l, nil
	}
	first, err := db.AuditWindow(tx, s.Position, 1, 0)
	if len(first) > 0 {
		l.Since = first[0].At
	}
	return l, wrap(err, "read first event")
}

// Test sends a sink an event that says that it is a test, and is not in the log. The error says in one line what came of it.
func (w *Worker) Test(ctx context.Context, s store.EventSink, by string) (time.Duration, error) {
	var i store.Instance
	err := w.DB.View(ctx, func(tx *store.Tx) (err error) { i, err = tx.OrganizationInstance(); return err })
	if err != nil {
		return 0, fmt.Errorf("load instance: %w", err)
	}
	made, _, err := w.open(s)
	if err != nil {
		return 0, err
	}
	within, stop := context.WithTimeout(ctx, testLimit)
	defer stop()
	now := w.DB.Now()
	e := audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: ownSource},
		EventSource:  ownSource, EventName: "EventSinkTest", EventType: "AwsServiceEvent",
		AWSRegion: i.Region, SourceIPAddress: ownSource, UserAgent: ownSource, ReadOnly: true, RecipientAccountID: string(i.Owner),
		ServiceEventDetails: map[string]any{"test": true, "sinkId": s.ID, "sinkName": s.Name, "requestedBy": by},
	}
	sealed, err := e.Unsealed(now)
	if err == nil {
		err = made.Write(within, []store.SealedEvent{sealed})
	}
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		err = errors.New("the receiver did not answer within " + testLimit.String())
	}
	return w.DB.Now().Sub(now), errors.Join(err, shut(made))
}
