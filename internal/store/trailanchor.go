package store

import "time"

// TrailAnchor is the last digest up to which a trail's files were deleted by policy, or are to be.
type TrailAnchor struct {
	TrailID     string
	Name        string // of the trail, which may be gone
	N           int64  // of the digest, as in TrailObject
	Bucket, Key string
	At          time.Time // end of the digest
	ToSeq       int64
	ToHash      []byte
	Hash        string
	Signature   string
	Policy      string
	PlannedAt   time.Time
	DeletedAt   time.Time // zero: not all are deleted yet
}

const trailAnchorColumns = `trail_id, name, n, bucket, key, at, to_seq, to_hash, hash, signature, policy, planned_at, deleted_at`

const (
	putTrailAnchor query = `INSERT INTO trail_anchor (` + trailAnchorColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (trail_id) DO UPDATE SET name = excluded.name, n = excluded.n, bucket = excluded.bucket, key = excluded.key, at = excluded.at, to_seq = excluded.to_seq, to_hash = excluded.to_hash, hash = excluded.hash, signature = excluded.signature, policy = excluded.policy, planned_at = excluded.planned_at, deleted_at = excluded.deleted_at`
	trailAnchor       query = `SELECT ` + trailAnchorColumns + ` FROM trail_anchor WHERE trail_id = $1`
	trailAnchorIn     query = `SELECT ` + trailAnchorColumns + ` FROM trail_anchor WHERE bucket = $1 AND name = $2 ORDER BY at DESC LIMIT 1`
	doomedTrailFiles  query = `SELECT ` + trailObjectColumns + ` FROM trail_object WHERE trail_id = $1 AND n <= $2 AND (kind = 'DIGEST' OR digest > 0 AND digest <= $3) ORDER BY n LIMIT $4`
	deletedTrailFiles query = `DELETE FROM trail_object WHERE trail_id = $1 AND n <= $2 AND (kind = 'DIGEST' OR digest > 0 AND digest <= $3)`
	// full scan: there is one for each trail that there was.
	openTrailAnchors query = `SELECT trail_id FROM trail_anchor WHERE deleted_at = 0 ORDER BY trail_id`
	// It jumps from trail to trail, and not through their files.
	trailsOfObjects query = `WITH RECURSIVE one (id) AS (SELECT MIN(trail_id) FROM trail_object UNION ALL SELECT (SELECT MIN(o.trail_id) FROM trail_object o WHERE o.trail_id > one.id) FROM one WHERE one.id IS NOT NULL)
SELECT id FROM one WHERE id IS NOT NULL ORDER BY id`
)

func scanTrailAnchor(r row) (a TrailAnchor, err error) {
	var at, planned, deleted int64
	err = r.Scan(&a.TrailID, &a.Name, &a.N, &a.Bucket, &a.Key, &at, &a.ToSeq, &a.ToHash, &a.Hash, &a.Signature, &a.Policy, &planned, &deleted)
	a.At, a.PlannedAt, a.DeletedAt = fromMicros(at), fromMicros(planned), fromMicros(deleted)
	return a, err
}

// PutTrailAnchor records up to where a trail's files are deleted, in place of what was recorded before.
func (tx *Tx) PutTrailAnchor(a TrailAnchor) error {
	_, err := tx.exec(putTrailAnchor, a.TrailID, a.Name, a.N, a.Bucket, a.Key, micros(a.At), a.ToSeq, bytesOf(a.ToHash), a.Hash, a.Signature, a.Policy, micros(a.PlannedAt), micros(a.DeletedAt))
	return err
}

// TrailAnchor is up to where the files of the trail with an id are deleted; ErrNotFound.
func (tx *Tx) TrailAnchor(trail string) (TrailAnchor, error) {
	return get(tx, trailAnchor, scanTrailAnchor, trail)
}

// TrailAnchorIn is up to where the files of trails of a name are deleted in a bucket: the newest, if the name had several; ErrNotFound.
func (tx *Tx) TrailAnchorIn(bucket, name string) (TrailAnchor, error) {
	return get(tx, trailAnchorIn, scanTrailAnchor, bucket, name)
}

// OpenTrailAnchors lists the trails of which files are still to be deleted.
func (tx *Tx) OpenTrailAnchors() ([]string, error) { return list(tx, openTrailAnchors, scanText) }

// TrailsOfObjects lists the trails of which files are on record, those that are gone too, oldest first.
func (tx *Tx) TrailsOfObjects() ([]string, error) { return list(tx, trailsOfObjects, scanText) }

// DoomedTrailFiles lists up to limit digests of a trail, up to one, and the log files that they list: in the order of writing, so that
// a digest comes after its log files.
func (tx *Tx) DoomedTrailFiles(trail string, upTo int64, limit int) ([]TrailObject, error) {
	return list(tx, doomedTrailFiles, scanTrailObject, trail, upTo, upTo, limit)
}

// TrailFilesDeleted forgets the files of [Tx.DoomedTrailFiles], as far as one of them.
func (tx *Tx) TrailFilesDeleted(trail string, upTo, asFar int64) error {
	_, err := tx.exec(deletedTrailFiles, trail, asFar, upTo)
	return err
}
