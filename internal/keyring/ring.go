package keyring

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"sallyport/internal/store"
)

// Purpose is what a line of data keys is for. Keys of one are never used for another.
type Purpose string

// The purposes.
const (
	Records     Purpose = "seal"       // secrets in the database
	Credentials Purpose = "credential" // session tokens and secret keys of role sessions
	Pages       Purpose = "page"       // page tokens
	Tokens      Purpose = "token"      // sealed blobs and refresh-token successors
	Signals     Purpose = "signal"     // signatures of signals to others
)

var purposes = [...]Purpose{Records, Credentials, Pages, Tokens, Signals}

const (
	// lead is how long before its use a new key is published: four reloads, for nodes whose clocks differ a little.
	lead        = time.Minute
	reloadEvery = 15 * time.Second
)

// Ring holds the data keys of a database. It is safe for concurrent use.
type Ring struct {
	db    *store.DB
	kek   KEK
	lines atomic.Pointer[map[Purpose]line]
}

// line is the keys of one purpose in the order in which they become active; never empty.
type line []*Key

// Open reads the data keys of a database, and makes those that it does not have yet.
func Open(ctx context.Context, db *store.DB, kek KEK) (*Ring, error) {
	if kek.wrap == nil {
		return nil, ErrNoKEK
	}
	r := &Ring{db: db, kek: kek}
	r.lines.Store(&map[Purpose]line{})
	err := db.Update(ctx, func(tx *store.Tx) error {
		lines, err := r.read(tx) // all must open before one is added: a wrong key may leave no trace
		if err != nil {
			return err
		}
		for _, p := range purposes {
			if len(lines[p]) > 0 {
				continue
			}
			if _, err := r.insert(tx, p, tx.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, r.Reload(ctx)
}

func (r *Ring) find(p Purpose, id string) *Key {
	for _, k := range (*r.lines.Load())[p] {
		if k.ID() == id {
			return k
		}
	}
	return nil
}

// Reload reads the data keys again.
func (r *Ring) Reload(ctx context.Context) error {
	return r.db.View(ctx, func(tx *store.Tx) error {
		lines, err := r.read(tx)
		if err != nil {
			return err
		}
		r.lines.Store(&lines)
		return nil
	})
}

// Run learns of the keys that other nodes make, until ctx ends.
func (r *Ring) Run(ctx context.Context, log *slog.Logger) {
	t := time.NewTicker(reloadEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := r.Reload(ctx); err != nil && ctx.Err() == nil {
				log.Error("reload data keys", "error", err)
			}
		}
	}
}

// Rotate makes a new key for a purpose and returns its id. The key is used from a minute later on.
func (r *Ring) Rotate(ctx context.Context, p Purpose) (id string, err error) {
	err = r.db.Update(ctx, func(tx *store.Tx) error {
		id, err = r.insert(tx, p, tx.Now().Add(lead))
		return err
	})
	if err != nil {
		return "", err
	}
	return id, r.Reload(ctx)
}

// RotateIn makes a new key for a purpose in a transaction, and returns its id. Nodes learn of it by [Ring.Run] before it is used, a
// minute later.
func (r *Ring) RotateIn(tx *store.Tx, p Purpose) (id string, err error) {
	return r.insert(tx, p, tx.Now().Add(lead))
}

func (r *Ring) insert(tx *store.Tx, p Purpose, active time.Time) (string, error) {
	var id [idSize]byte
	var root [keySize]byte
	_, _ = rand.Read(id[:])
	_, _ = rand.Read(root[:])
	row := r.kek.seal(id, p, active, root[:])
	if err := tx.InsertDataKey(row); err != nil {
		return "", fmt.Errorf("add data key: %w", err)
	}
	return row.ID, nil
}

// read lists the keys. Those already known stay the same objects, so that whoever holds one sees it retire.
func (r *Ring) read(tx *store.Tx) (map[Purpose]line, error) {
	lines := map[Purpose]line{}
	for _, p := range purposes {
		rows, err := tx.DataKeys(string(p))
		if err != nil {
			return nil, fmt.Errorf("read data keys: %w", err)
		}
		for i, row := range rows {
			k := r.find(p, row.ID)
			if k == nil {
				if k, err = r.kek.open(row); err != nil {
					return nil, err
				}
			}
			if i+1 < len(rows) {
				k.retired.Store(rows[i+1].ActiveAt.UnixMicro())
			}
			lines[p] = append(lines[p], k)
		}
	}
	return lines, nil
}

// Keys are those of a purpose that were not succeeded before a time, the coming ones too.
func (r *Ring) Keys(p Purpose, before time.Time) (keys []*Key) {
	for _, k := range (*r.lines.Load())[p] {
		if at := k.RetiredAt(); at.IsZero() || !at.Before(before) {
			keys = append(keys, k)
		}
	}
	return keys
}

// Current is the key that a purpose writes with.
func (r *Ring) Current(p Purpose) *Key { return r.at(p, r.db.Now()) }

// at is the key that a purpose wrote with at t; the first one for times before it.
func (r *Ring) at(p Purpose, t time.Time) *Key {
	keys := (*r.lines.Load())[p]
	for i := len(keys) - 1; i > 0; i-- {
		if !keys[i].active.After(t) {
			return keys[i]
		}
	}
	return keys[0]
}
