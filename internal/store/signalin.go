package store

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/arn"
)

// SignalDelivery is how signals get from a transmitter to a receiver.
type SignalDelivery string

// The ways of delivery.
const (
	SignalPush SignalDelivery = "PUSH" // RFC 8935
	SignalPoll SignalDelivery = "POLL" // RFC 8936
)

// SignalReceiver is a transmitter elsewhere whose signals are heeded here.
type SignalReceiver struct {
	ID        string
	StoreID   arn.StoreID
	Name      string
	Issuer    string
	Audience  string
	JWKSURI   string // empty: what the issuer publishes
	Delivery  SignalDelivery
	TokenHash string // of what the transmitter pushes with
	PollURL   string
	PollToken []byte   // sealed; nil: none
	Events    []string // those that act
	TenantID  string   // whose external ids the transmitter's subjects are; empty: none's
	CreatedAt time.Time
	CreatedBy string
}

const signalReceiverColumns = `id, store_id, name, issuer, audience, jwks_uri, delivery, token_hash, poll_url, poll_token, events, tenant_id, created_at, created_by`

const (
	insertSignalReceiver query = `INSERT INTO signal_receiver (` + signalReceiverColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`
	deleteSignalReceiver query = `DELETE FROM signal_receiver WHERE id = $1`
	signalReceiverByID   query = `SELECT ` + signalReceiverColumns + ` FROM signal_receiver WHERE id = $1`
	signalReceiversOf    query = `SELECT ` + signalReceiverColumns + ` FROM signal_receiver WHERE store_id = $1 ORDER BY name`

	insertSignalIn  query = `INSERT INTO signal_in (receiver_id, jti_hash, at, outcome) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	putSignalIn     query = `UPDATE signal_in SET outcome = $1 WHERE receiver_id = $2 AND jti_hash = $3`
	countSignalsIn  query = `SELECT count(*) FROM signal_in WHERE receiver_id = $1 AND outcome = $2 AND at > $3`
	deleteSignalsIn query = `DELETE FROM signal_in WHERE receiver_id = $1`
	pruneSignalsIn  query = `DELETE FROM signal_in WHERE (receiver_id, jti_hash) IN (SELECT receiver_id, jti_hash FROM signal_in WHERE at < $1 ORDER BY at LIMIT $2)`
)

func scanSignalReceiver(r row) (v SignalReceiver, err error) {
	var events string
	var created int64
	if err := r.Scan(&v.ID, &v.StoreID, &v.Name, &v.Issuer, &v.Audience, &v.JWKSURI, &v.Delivery, &v.TokenHash, &v.PollURL, &v.PollToken, &events, &v.TenantID, &created, &v.CreatedBy); err != nil {
		return v, err
	}
	v.CreatedAt = fromMicros(created)
	return v, json.Unmarshal([]byte(events), &v.Events)
}

// InsertSignalReceiver adds a receiver; ErrExists when its name is taken.
func (tx *Tx) InsertSignalReceiver(v SignalReceiver) error {
	events, err := json.Marshal(v.Events)
	if err != nil {
		return fmt.Errorf("encode events: %w", err)
	}
	return added(tx.exec(insertSignalReceiver, v.ID, v.StoreID, v.Name, v.Issuer, v.Audience, v.JWKSURI, v.Delivery, v.TokenHash, v.PollURL, v.PollToken, string(events), v.TenantID, micros(v.CreatedAt), v.CreatedBy))
}

// DeleteSignalReceiver removes a receiver, with what it remembers; ErrNotFound.
func (tx *Tx) DeleteSignalReceiver(id string) error {
	if err := one(tx.exec(deleteSignalReceiver, id)); err != nil {
		return err
	}
	_, err := tx.exec(deleteSignalsIn, id)
	return err
}

// SignalReceiver is the receiver with the id; ErrNotFound.
func (tx *Tx) SignalReceiver(id string) (SignalReceiver, error) {
	return get(tx, signalReceiverByID, scanSignalReceiver, id)
}

// LockSignalReceiver is the receiver with the id, for whose signals the transaction is the only one until it ends; ErrNotFound.
func (tx *Tx) LockSignalReceiver(id string) (SignalReceiver, error) {
	return getLocked(tx, signalReceiverByID, scanSignalReceiver, id)
}

// SignalReceivers lists the receivers of a store by name. There are few.
func (tx *Tx) SignalReceivers(storeID arn.StoreID) ([]SignalReceiver, error) {
	return list(tx, signalReceiversOf, scanSignalReceiver, storeID)
}

// InsertSignalIn remembers a signal; ErrExists when it is remembered already.
func (tx *Tx) InsertSignalIn(receiver, jtiHash, outcome string) error {
	return added(tx.exec(insertSignalIn, receiver, jtiHash, micros(tx.now), outcome))
}

// PutSignalIn stores what has come of a signal; ErrNotFound.
func (tx *Tx) PutSignalIn(receiver, jtiHash, outcome string) error {
	return one(tx.exec(putSignalIn, outcome, receiver, jtiHash))
}

// CountSignalsIn counts a receiver's signals of an outcome since a time.
func (tx *Tx) CountSignalsIn(receiver, outcome string, since time.Time) (int64, error) {
	return get(tx, countSignalsIn, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }, receiver, outcome, micros(since))
}

// PruneSignalsIn forgets up to limit signals from before a time, and tells how many.
func (tx *Tx) PruneSignalsIn(before time.Time, limit int) (int64, error) {
	return tx.exec(pruneSignalsIn, micros(before), limit)
}
