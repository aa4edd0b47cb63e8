package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrLost says that a lease, a job or a cursor has passed to somebody else: what was done for it must not be recorded.
var ErrLost = errors.New("store: lost to another owner")

// Lease makes its owner the only one that runs something, until it ends. Its fence grows with each owner; work done under
// a lease records its results in transactions that check the fence (Tx.Holds), so that an owner that was slow, and has
// lost the lease without noticing, changes nothing.
type Lease struct {
	Name  string
	Owner string
	Until time.Time
	Fence int64
}

const (
	leaseByName query = `SELECT name, owner, until, fence FROM lease WHERE name = $1`
	insertLease query = `INSERT INTO lease (name, owner, until, fence) VALUES ($1, $2, $3, 1)`
	takeLease   query = `UPDATE lease SET owner = $1, until = $2, fence = fence + 1 WHERE name = $3`
	extendLease query = `UPDATE lease SET until = $1 WHERE name = $2 AND fence = $3`
	endLease    query = `UPDATE lease SET owner = '', until = 0 WHERE name = $1 AND fence = $2`
)

func scanLease(r row) (l Lease, err error) {
	var until int64
	err = r.Scan(&l.Name, &l.Owner, &until, &l.Fence)
	l.Until = fromMicros(until)
	return l, err
}

// AcquireLease takes a lease that nobody holds, or whose time is over. It is ErrLost when another owner holds it.
func (db *DB) AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (Lease, error) {
	var got Lease
	err := db.UpdateRelaxed(ctx, func(tx *Tx) error {
		l, err := getLocked(tx, leaseByName, scanLease, name)
		until := tx.now.Add(ttl)
		switch {
		case errors.Is(err, ErrNotFound):
			_, err := tx.exec(insertLease, name, owner, micros(until))
			got = Lease{name, owner, until, 1}
			return err
		case err != nil:
			return err
		case l.Owner != "" && l.Until.After(tx.now):
			return ErrLost
		}
		got = Lease{name, owner, until, l.Fence + 1}
		return one(tx.exec(takeLease, owner, micros(until), name))
	})
	if errors.Is(err, ErrExists) { // another owner was first
		return Lease{}, ErrLost
	}
	if err != nil {
		return Lease{}, fmt.Errorf("acquire lease %s: %w", name, err)
	}
	return got, nil
}

// RenewLease holds a lease for longer; ErrLost when it has passed to another owner.
func (db *DB) RenewLease(ctx context.Context, l Lease, ttl time.Duration) (Lease, error) {
	err := db.UpdateRelaxed(ctx, func(tx *Tx) error {
		l.Until = tx.now.Add(ttl)
		return held(tx.exec(extendLease, micros(l.Until), l.Name, l.Fence))
	})
	if err != nil {
		return Lease{}, fmt.Errorf("renew lease %s: %w", l.Name, err)
	}
	return l, nil
}

// ReleaseLease lets another owner take over at once. A lease that is lost already stays so.
func (db *DB) ReleaseLease(ctx context.Context, l Lease) error {
	err := db.UpdateRelaxed(ctx, func(tx *Tx) error {
		_, err := tx.exec(endLease, l.Name, l.Fence)
		return err
	})
	if err != nil {
		return fmt.Errorf("release lease %s: %w", l.Name, err)
	}
	return nil
}

// Holds is ErrLost when the lease has passed to another owner. Until the transaction ends, nobody can take it.
func (tx *Tx) Holds(l Lease) error {
	now, err := getLocked(tx, leaseByName, scanLease, l.Name)
	if errors.Is(err, ErrNotFound) || err == nil && (now.Fence != l.Fence || now.Owner != l.Owner) {
		return ErrLost
	}
	return err
}

// held turns the count of an update by fence into ErrLost when it changed nothing.
func held(n int64, err error) error {
	if err == nil && n == 0 {
		return ErrLost
	}
	return err
}
