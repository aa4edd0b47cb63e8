package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

const (
	// checkpointPause is from a commit to the checkpoint, so that pages written again and again are copied once. Each
	// checkpoint flushes the database file, and commits wait for the disk meanwhile.
	checkpointPause = time.Second
	// maxFrames is the length of the WAL, in pages of 4 KiB, at which it is made to start anew. Otherwise a writer that
	// never rests would let it grow for ever, since it can only start anew when all of it has been copied.
	maxFrames = 16384
)

const (
	// PASSIVE copies what it can beside the writer and the readers.
	checkpointPassive query = `PRAGMA wal_checkpoint(PASSIVE)`
	// RESTART copies the rest while the writer waits, and waits for readers of the old end.
	checkpointRestart query = `PRAGMA wal_checkpoint(RESTART)`
)

// checkpointer copies committed pages from the WAL to the database file, outside the writer's critical path.
type checkpointer struct {
	pool  *sql.DB
	turn  sync.Mutex // held by the writer during a batch, and here while the WAL starts anew
	dirty chan struct{}
	stop  chan struct{}
	done  chan struct{}
}

func newCheckpointer(pool *sql.DB) *checkpointer {
	return &checkpointer{pool: pool, dirty: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
}

// committed says that the WAL has grown.
func (p *checkpointer) committed() {
	select {
	case p.dirty <- struct{}{}:
	default:
	}
}

// run makes checkpoints until close. A checkpoint that fails is tried again after the next commit; nothing is lost, for
// the WAL has all of it.
func (p *checkpointer) run() {
	defer close(p.done)
	for {
		select {
		case <-p.stop:
			return
		case <-p.dirty:
		}
		select {
		case <-p.stop: // closing the database copies the rest
			return
		case <-time.After(checkpointPause):
		}
		if frames, err := p.checkpoint(checkpointPassive); err == nil && frames > maxFrames {
			p.restart()
		}
	}
}

// restart copies the last pages and lets the WAL start anew. Little is left to copy: a passive checkpoint has just ended.
func (p *checkpointer) restart() {
	p.turn.Lock()
	defer p.turn.Unlock()
	_, _ = p.checkpoint(checkpointRestart)
}

// checkpoint returns the length of the WAL.
func (p *checkpointer) checkpoint(q query) (frames int, err error) {
	var busy, copied int
	if err := p.pool.QueryRowContext(context.Background(), string(q)).Scan(&busy, &frames, &copied); err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	return frames, nil
}

func (p *checkpointer) close() error {
	close(p.stop)
	<-p.done
	return nil
}
