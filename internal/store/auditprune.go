package store

import (
	"errors"
	"fmt"
	"time"
)

// AuditAnchor is where the log begins since events before were deleted by policy.
type AuditAnchor struct {
	Seq    int64 // of the last event that was deleted; 0: none was
	Hash   []byte
	At     time.Time
	Policy string
}

const (
	insertAnchor query = `INSERT INTO audit_anchor (seq, hash, at, policy) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	// full scan: it begins at the end and stops at the first row.
	lastAnchor query = `SELECT seq, hash, at, policy FROM audit_anchor ORDER BY seq DESC LIMIT 1`
	// full scan: it begins at the beginning and stops at the first row.
	firstLogged query = `SELECT seq FROM audit_log ORDER BY seq LIMIT 1`
	pruneLog    query = `DELETE FROM audit_log WHERE seq <= $1`
)

// AuditAnchor is the newest; the zero one where nothing was deleted.
func (tx *Tx) AuditAnchor() (AuditAnchor, error) {
	a, err := get(tx, lastAnchor, func(r row) (a AuditAnchor, err error) {
		var at int64
		err = r.Scan(&a.Seq, &a.Hash, &at, &a.Policy)
		a.At = fromMicros(at)
		return a, err
	})
	if errors.Is(err, ErrNotFound) {
		return AuditAnchor{}, nil
	}
	return a, err
}

// PruneAudit deletes events from the log's beginning, up to limit of them: those from before a time that all have that the log is for,
// see [Tx.AuditFloor], but never the last. It leaves an anchor, and returns it; the zero one when there was nothing to delete.
func (tx *Tx) PruneAudit(before time.Time, limit int, policy string) (AuditAnchor, error) {
	most, err := tx.AuditFloor()
	if err != nil {
		return AuditAnchor{}, fmt.Errorf("find what all have: %w", err)
	}
	h, err := tx.logHead()
	if err != nil {
		return AuditAnchor{}, fmt.Errorf("find the log's end: %w", err)
	}
	first, err := get(tx, firstLogged, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err })
	if errors.Is(err, ErrNotFound) {
		return AuditAnchor{}, nil
	}
	if err != nil {
		return AuditAnchor{}, err
	}
	oldest, err := tx.AuditLog(first-1, limit)
	if err != nil {
		return AuditAnchor{}, err
	}
	anchor := AuditAnchor{At: tx.now, Policy: policy}
	for _, e := range oldest {
		if !e.At.Before(before) || e.Seq > most || e.Seq >= h.seq {
			break
		}
		anchor.Seq, anchor.Hash = e.Seq, e.Hash
	}
	if anchor.Seq == 0 {
		return AuditAnchor{}, nil
	}
	if _, err := tx.exec(insertAnchor, anchor.Seq, anchor.Hash, micros(anchor.At), anchor.Policy); err != nil {
		return AuditAnchor{}, fmt.Errorf("leave anchor: %w", err)
	}
	_, err = tx.exec(pruneLog, anchor.Seq)
	return anchor, err
}
