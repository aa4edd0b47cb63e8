package trail

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"sallyport/internal/bucket"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
	"sallyport/internal/trailfile"
)

var errNoKMS = fault.Invalidf("There is no KMS here.")

// Buckets opens the buckets of trails.
type Buckets struct {
	Folder string // with a folder for each bucket of our own
	Ring   *keyring.Ring
	// Through wraps buckets as they are opened; nil: as they are.
	Through func(bucket.Bucket) bucket.Bucket
}

// Dir is the folder of a bucket of our own.
func (b *Buckets) Dir(name string) string { return filepath.Join(b.Folder, name) }

// Open opens a bucket by its row.
func (b *Buckets) Open(row store.TrailBucket) (bucket.Bucket, error) {
	if row.Endpoint == "" {
		d, err := bucket.Make(b.Dir(row.Name))
		if err != nil {
			return nil, fmt.Errorf("open bucket %s: %w", row.Name, err)
		}
		return d, nil
	}
	secret, err := b.Ring.OpenRecord("trail_bucket", "secret", row.Name, row.Secret)
	if err != nil {
		return nil, fmt.Errorf("open credentials of bucket %s: %w", row.Name, err)
	}
	return openS3(row, string(secret))
}

// named opens a bucket by its name.
func (b *Buckets) named(ctx context.Context, db *store.DB, name string) (bucket.Bucket, error) {
	var row store.TrailBucket
	err := db.View(ctx, func(tx *store.Tx) (err error) { row, err = tx.TrailBucket(name); return err })
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.Missing("Bucket", name)
	}
	if err != nil {
		return nil, fmt.Errorf("load bucket: %w", err)
	}
	opened, err := b.Open(row)
	if err == nil && b.Through != nil {
		opened = b.Through(opened)
	}
	return opened, err
}

// place is where a trail's files lie.
func (h House) place(t store.LogTrail) trailfile.Place {
	return trailfile.Place{Prefix: t.Prefix, Account: string(h.Owner), Region: h.Region, Trail: t.Name}
}
