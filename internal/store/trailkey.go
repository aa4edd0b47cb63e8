package store

import "time"

// TrailKey is a key that digests are signed with.
type TrailKey struct {
	Fingerprint string
	Public      []byte // PKCS #1
	Private     []byte // sealed; empty: it lives in KMS
	KMS         string // ARN of the key there
	StartsAt    time.Time
	EndsAt      time.Time
}

// TrailBucket is a place for trail files.
type TrailBucket struct {
	Name      string
	Endpoint  string // empty: a folder of our own
	Region    string
	PathStyle bool
	AccessKey string
	Secret    []byte // sealed
	CreatedAt time.Time
	CreatedBy string
}

const (
	insertTrailKey query = `INSERT INTO trail_key (fingerprint, public, private, kms, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	endTrailKeys   query = `UPDATE trail_key SET ends_at = $1 WHERE ends_at > $2`
	// A key may serve again: one in KMS has one fingerprint for as long as it lives.
	resumeTrailKey query = `UPDATE trail_key SET ends_at = $1 WHERE fingerprint = $2`
	trailKeysIn    query = `SELECT fingerprint, public, private, kms, starts_at, ends_at FROM trail_key WHERE ends_at >= $1 AND starts_at <= $2 ORDER BY ends_at, starts_at`

	insertTrailBucket query = `INSERT INTO trail_bucket (name, endpoint, region, path_style, access_key, secret, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`
	deleteTrailBucket query = `DELETE FROM trail_bucket WHERE name = $1`
	trailBucketByName query = `SELECT name, endpoint, region, path_style, access_key, secret, created_at, created_by FROM trail_bucket WHERE name = $1`
	trailBuckets      query = `SELECT name, endpoint, region, path_style, access_key, secret, created_at, created_by FROM trail_bucket WHERE name > $1 ORDER BY name LIMIT $2`
)

func scanTrailKey(r row) (k TrailKey, err error) {
	var starts, ends int64
	err = r.Scan(&k.Fingerprint, &k.Public, &k.Private, &k.KMS, &starts, &ends)
	k.StartsAt, k.EndsAt = fromMicros(starts), fromMicros(ends)
	return k, err
}

func scanTrailBucket(r row) (b TrailBucket, err error) {
	var style int
	var created int64
	err = r.Scan(&b.Name, &b.Endpoint, &b.Region, &style, &b.AccessKey, &b.Secret, &created, &b.CreatedBy)
	b.PathStyle, b.CreatedAt = style != 0, fromMicros(created)
	return b, err
}

// PutTrailKey makes a key the one that signs from now on: those before end.
func (tx *Tx) PutTrailKey(k TrailKey) error {
	if _, err := tx.exec(endTrailKeys, micros(tx.now), micros(tx.now)); err != nil {
		return err
	}
	n, err := tx.exec(insertTrailKey, k.Fingerprint, k.Public, bytesOf(k.Private), k.KMS, micros(k.StartsAt), micros(k.EndsAt))
	if err == nil && n == 0 {
		_, err = tx.exec(resumeTrailKey, micros(k.EndsAt), k.Fingerprint)
	}
	return err
}

// TrailKeys lists the keys that were valid at some time of a stretch, the one that serves longest last.
func (tx *Tx) TrailKeys(from, to time.Time) ([]TrailKey, error) {
	return list(tx, trailKeysIn, scanTrailKey, micros(from), micros(to))
}

// InsertTrailBucket adds a bucket; ErrExists when its name is taken.
func (tx *Tx) InsertTrailBucket(b TrailBucket) error {
	return added(tx.exec(insertTrailBucket, b.Name, b.Endpoint, b.Region, bit(b.PathStyle), b.AccessKey, bytesOf(b.Secret), micros(b.CreatedAt), b.CreatedBy))
}

// DeleteTrailBucket forgets a bucket; ErrNotFound. What is in it stays.
func (tx *Tx) DeleteTrailBucket(name string) error { return one(tx.exec(deleteTrailBucket, name)) }

// TrailBucket is a bucket by its name; ErrNotFound.
func (tx *Tx) TrailBucket(name string) (TrailBucket, error) {
	return get(tx, trailBucketByName, scanTrailBucket, name)
}

// TrailBuckets lists up to limit buckets after a name.
func (tx *Tx) TrailBuckets(after string, limit int) ([]TrailBucket, error) {
	return list(tx, trailBuckets, scanTrailBucket, after, limit)
}
