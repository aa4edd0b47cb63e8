package trail

import (
	"errors"
	"fmt"

	"sallyport/internal/bucket"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// maxBuckets bounds the places for trail files.
const maxBuckets = 100

// CreateBucket makes a place for trail files. The folder of one of our own is made when it is opened first.
func (b *Buckets) CreateBucket(tx *store.Tx, row store.TrailBucket, secret, by string) (store.TrailBucket, error) {
	if err := checkBucketName(row.Name); err != nil {
		return row, err
	}
	if row.Endpoint == "" && (row.Region != "" || row.AccessKey != "" || secret != "" || row.PathStyle) {
		return row, fault.Invalidf("A bucket that the server keeps itself has no region, path style or keys: give the Endpoint of the S3 server too.")
	}
	if row.Endpoint != "" {
		if row.Region == "" || row.AccessKey == "" || secret == "" {
			return row, fault.Invalidf("A bucket of an S3 server needs its Region, and the AccessKeyId and SecretAccessKey to write to it with.")
		}
		if _, err := bucket.NewS3(bucket.S3Config{Endpoint: row.Endpoint}); err != nil {
			return row, err
		}
		row.Secret = b.Ring.SealRecord("trail_bucket", "secret", row.Name, []byte(secret))
	}
	all, err := tx.TrailBuckets("", maxBuckets)
	if err != nil {
		return row, fmt.Errorf("list buckets: %w", err)
	}
	if len(all) >= maxBuckets {
		return row, fault.Quotaf("There are %d buckets, as many as there may be.", maxBuckets)
	}
	row.CreatedAt, row.CreatedBy = tx.Now(), by
	err = tx.InsertTrailBucket(row)
	if errors.Is(err, store.ErrExists) {
		return row, fault.Conflictf("There is a bucket %s already.", row.Name)
	}
	return row, err
}

// DeleteBucket forgets a bucket that no trail uses.
func (b *Buckets) DeleteBucket(tx *store.Tx, name string) error {
	trails, err := tx.AllTrails()
	if err != nil {
		return fmt.Errorf("list trails: %w", err)
	}
	for _, t := range trails {
		if t.Bucket == name {
			return fault.Conflictf("The trail %s writes to the bucket %s: delete the trail first, or have it write to another.", t.Name, name)
		}
	}
	err = tx.DeleteTrailBucket(name)
	if errors.Is(err, store.ErrNotFound) {
		return fault.Missing("Bucket", name)
	}
	return err
}
