package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/trail"
	"sallyport/internal/trailfile"
)

// VerifyTrails verifies the files of the trail with a name, or of all when it is empty, without a server: by the database, and the record
// there of each bucket. What is not written for want of a server is not looked for. change may narrow each check.
func VerifyTrails(ctx context.Context, cfg *config.Config, name string, change func(*trailfile.Check)) (_ *trailfile.Report, err error) {
	if err := founded(cfg); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg.DSN(), clock.System{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ring, err := openRing(ctx, cfg, db)
	if err != nil {
		return nil, err
	}
	w := &trail.Worker{DB: db, Buckets: &trail.Buckets{Folder: cfg.TrailDir, Ring: ring}, Log: slog.New(slog.DiscardHandler)}
	var trails []store.LogTrail
	var in setting.Values
	err = db.View(ctx, func(tx *store.Tx) error {
		i, err := tx.OrganizationInstance()
		if err != nil {
			return fmt.Errorf("load instance of organization: %w", err)
		}
		w.House = trail.House{Owner: i.Owner, Region: i.Region}
		if in, err = setting.Load(tx); err != nil {
			return fmt.Errorf("read settings: %w", err)
		}
		trails, err = tx.Trails()
		return err
	})
	if err != nil {
		return nil, err
	}
	total, looked := trailfile.NewReport(), 0
	for _, t := range trails {
		if name != "" && name != t.Name && name != w.House.ARN(t.Name) {
			continue
		}
		t.VerifiedAt = time.Time{} // all of it
		r, err := w.Verify(ctx, t, in, func(c *trailfile.Check) { c.Now = time.Time{}; change(c) })
		if err != nil {
			return nil, err
		}
		total.Merge(r)
		looked++
	}
	if looked == 0 {
		return nil, fault.Invalidf("There is no such trail.")
	}
	return total, nil
}
