package store

import (
	"errors"
	"time"
)

// Kinds of files of a trail.
const (
	TrailLog    = "LOG"
	TrailDigest = "DIGEST"
)

// TrailObject is a file of a trail: planned, or written.
type TrailObject struct {
	TrailID     string
	N           int64 // in the order of writing
	Kind        string
	Bucket, Key string
	At          time.Time // of a log, when it was planned; of a digest, its end
	FromSeq     int64     // the event before its first
	ToSeq       int64
	ToHash      []byte
	Events      int64
	Oldest      time.Time
	Newest      time.Time
	Filter      string // the selectors as they were
	Hash        string // SHA-256 of what is compressed, hexadecimal
	Signature   string
	Fingerprint string
	Body        []byte // of a digest that is not written yet
	Digest      int64  // of a log, the digest that lists it; 0: none yet; -1: none ever
	WrittenAt   time.Time
}

const trailObjectColumns = `trail_id, n, kind, bucket, key, at, from_seq, to_seq, to_hash, events, oldest, newest, filter, hash, signature, fingerprint, body, digest, written_at`

const (
	insertTrailObject  query = `INSERT INTO trail_object (` + trailObjectColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0) ON CONFLICT DO NOTHING`
	pendingTrailObject query = `SELECT ` + trailObjectColumns + ` FROM trail_object WHERE trail_id = $1 AND written_at = 0 ORDER BY n LIMIT 1`
	trailObjectAt      query = `SELECT ` + trailObjectColumns + ` FROM trail_object WHERE trail_id = $1 AND n = $2`
	lastTrailDigest    query = `SELECT ` + trailObjectColumns + ` FROM trail_object WHERE trail_id = $1 AND kind = 'DIGEST' AND digest = 0 ORDER BY n DESC LIMIT 1`
	undigestedLogs     query = `SELECT ` + trailObjectColumns + ` FROM trail_object WHERE trail_id = $1 AND kind = 'LOG' AND digest = 0 ORDER BY n LIMIT $2`
	digestTrailLogs    query = `UPDATE trail_object SET digest = $1 WHERE trail_id = $2 AND kind = 'LOG' AND digest = 0 AND n <= $3`
	writtenTrailObject query = `UPDATE trail_object SET written_at = $1, body = $2 WHERE trail_id = $3 AND n = $4`
	takenTrailKey      query = `SELECT n FROM trail_object WHERE bucket = $1 AND key = $2`
)

func scanTrailObject(r row) (o TrailObject, err error) {
	var at, oldest, newest, written int64
	err = r.Scan(&o.TrailID, &o.N, &o.Kind, &o.Bucket, &o.Key, &at, &o.FromSeq, &o.ToSeq, &o.ToHash, &o.Events, &oldest, &newest, &o.Filter, &o.Hash, &o.Signature, &o.Fingerprint, &o.Body, &o.Digest, &written)
	o.At, o.Oldest, o.Newest, o.WrittenAt = fromMicros(at), fromMicros(oldest), fromMicros(newest), fromMicros(written)
	return o, err
}

// InsertTrailObject plans a file; ErrExists when its place is taken.
func (tx *Tx) InsertTrailObject(o TrailObject) error {
	return added(tx.exec(insertTrailObject, o.TrailID, o.N, o.Kind, o.Bucket, o.Key, micros(o.At), o.FromSeq, o.ToSeq, bytesOf(o.ToHash), o.Events, micros(o.Oldest), micros(o.Newest),
		o.Filter, o.Hash, o.Signature, o.Fingerprint, bytesOf(o.Body), o.Digest))
}

// PendingTrailObject is the first file of a trail that is planned and not known to be written; ErrNotFound.
func (tx *Tx) PendingTrailObject(trail string) (TrailObject, error) {
	return get(tx, pendingTrailObject, scanTrailObject, trail)
}

// LastTrailDigest is the newest digest of a trail; ErrNotFound.
func (tx *Tx) LastTrailDigest(trail string) (TrailObject, error) {
	return get(tx, lastTrailDigest, scanTrailObject, trail)
}

// UndigestedLogs lists log files that no digest lists yet.
func (tx *Tx) UndigestedLogs(trail string, limit int) ([]TrailObject, error) {
	return list(tx, undigestedLogs, scanTrailObject, trail, limit)
}

// DigestTrailLogs records that a digest lists a trail's log files up to the last that it has.
func (tx *Tx) DigestTrailLogs(trail string, digest, upTo int64) error {
	_, err := tx.exec(digestTrailLogs, digest, trail, upTo)
	return err
}

// TrailObjectWritten records that a file is in its bucket; ErrNotFound.
func (tx *Tx) TrailObjectWritten(o TrailObject) error {
	return one(tx.exec(writtenTrailObject, micros(tx.now), []byte{}, o.TrailID, o.N))
}

// TrailObject is a file by its number; ErrNotFound.
func (tx *Tx) TrailObject(trail string, n int64) (TrailObject, error) {
	return get(tx, trailObjectAt, scanTrailObject, trail, n)
}

// TrailKeyTaken says whether a file with that key was ever planned.
func (tx *Tx) TrailKeyTaken(bucket, key string) (bool, error) {
	_, err := get(tx, takenTrailKey, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err }, bucket, key)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// TrailRow is a digest with the chain that the log has now at its last event.
type TrailRow struct {
	TrailObject
	LogHash []byte // nil: the event is not in the log
}

const trailDigests query = `SELECT o.trail_id, o.n, o.kind, o.bucket, o.key, o.at, o.from_seq, o.to_seq, o.to_hash, o.events, o.oldest, o.newest, o.filter, o.hash, o.signature, o.fingerprint, o.body, o.digest, o.written_at, l.hash FROM trail_object o LEFT JOIN audit_log l ON l.seq = o.to_seq WHERE o.trail_id = $1 AND o.kind = 'DIGEST' AND o.digest = 0 AND o.n > $2 ORDER BY o.n LIMIT $3`

// TrailDigests lists up to limit digests of a trail after a number.
func (tx *Tx) TrailDigests(trail string, after int64, limit int) ([]TrailRow, error) {
	return list(tx, trailDigests, func(r row) (t TrailRow, err error) {
		t.TrailObject, err = scanTrailObject(rowWith{r, &t.LogHash})
		return t, err
	}, trail, after, limit)
}

// rowWith scans one column more.
type rowWith struct {
	row
	more any
}

// Scan is of database/sql.
func (r rowWith) Scan(dest ...any) error { return r.row.Scan(append(dest, r.more)...) }

const trailKeysOurs query = `SELECT key FROM trail_object WHERE bucket = $1 AND key IN ($2)`

// TrailKeysOurs tells which of some keys of a bucket are of files that were ever planned.
func (tx *Tx) TrailKeysOurs(bucket string, keys []string) (map[string]bool, error) {
	ours := map[string]bool{}
	for len(keys) > 0 {
		size := min(len(keys), widest)
		q, args := trailKeysOurs.in(keys[:size], bucket)
		found, err := list(tx, q, scanText, args...)
		if err != nil {
			return nil, err
		}
		for _, k := range found {
			ours[k] = true
		}
		keys = keys[size:]
	}
	return ours, nil
}
