package store

import (
	"context"
	"fmt"
	"time"
)

// BeatEvery is how old the heartbeat may be before a poll renews it: so much older than it looks may be what a poll has read, if
// the database server that it asked should lag behind the one that takes changes.
const BeatEvery = time.Second

const (
	// The oldest transaction that is open at this snapshot, as a number that never wraps.
	// postgres: SQLite has one writer, which tells of its changes itself.
	pollState query = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, coalesce((SELECT at FROM heartbeat WHERE name = 'change'), 0)`
	// Of a transaction that was open at the last poll, or has begun since. Nothing older can become visible any more.
	// postgres: as above.
	changesSince query = `SELECT id, key, at FROM change WHERE xid >= $1::text::xid8 ORDER BY at, id`
	// postgres: as above.
	beat query = `INSERT INTO heartbeat (name, at) VALUES ('change', (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE heartbeat.at < excluded.at`
)

func (p *postgres) pushes() bool { return false }

func (p *postgres) tell() { ring(p.changed) }

// poll reads the changes that may have become visible since the last one, and renews the heartbeat when it is old. A
// heartbeat that this poll wrote counts only as read back in the poll's own snapshot: one that is not there shows that what is
// read lags behind what is written, as a standby does.
func (p *postgres) poll(ctx context.Context, cursor string) (Poll, error) {
	poll, err := p.look(ctx, cursor)
	if err != nil || poll.ServerTime.Sub(poll.Heartbeat) < BeatEvery {
		return poll, err
	}
	if err := p.relaxed(ctx, func(tx *Tx) error { _, err := tx.exec(beat); return err }); err != nil {
		return Poll{}, fmt.Errorf("write heartbeat: %w", err)
	}
	again, err := p.look(ctx, cursor)
	if err == nil && again.Heartbeat.Before(poll.ServerTime) {
		return Poll{}, fmt.Errorf("the database server lags: it shows a heartbeat of %v, and one was written after %v", again.Heartbeat, poll.ServerTime)
	}
	return again, err
}

// look reads the changes and the server's state in one snapshot.
func (p *postgres) look(ctx context.Context, cursor string) (poll Poll, err error) {
	err = p.view(ctx, func(tx *Tx) error {
		if poll, err = p.state(tx); err != nil {
			return err
		}
		if cursor == "" {
			poll.Changes, err = list(tx, changesAfter, scanChange, micros(tx.now.Add(-ChangeRetention)))
		} else {
			poll.Changes, err = list(tx, changesSince, scanChange, cursor)
		}
		return err
	})
	return poll, err
}

// state reads where the server is, and sets the clock by it.
func (p *postgres) state(tx *Tx) (Poll, error) {
	before := p.db.clock.Now()
	s, err := get(tx, pollState, func(r row) (s Poll, err error) {
		var now, beat int64
		err = r.Scan(&s.Cursor, &now, &beat)
		s.ServerTime, s.Heartbeat = fromMicros(now), fromMicros(beat)
		return s, err
	})
	if err == nil {
		p.db.followServer(before, p.db.clock.Now(), s.ServerTime)
	}
	return s, err
}
