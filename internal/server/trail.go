package server

import (
	"context"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/endpoint"
	"sallyport/internal/kms"
	"sallyport/internal/objects"
	"sallyport/internal/sallyport"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
	"sallyport/internal/trail"
)

// newTrails makes the writer of trail files.
func (s *Server) newTrails() *trail.Worker {
	keys := &kms.Client{}
	house := trail.House{Owner: s.instance.Owner, Region: s.instance.Region}
	return &trail.Worker{
		DB: s.db, House: house, Keys: &trail.Keys{DB: s.db, Ring: s.ring, House: house, KMS: func(ctx context.Context, id string) (trail.KMSKey, error) { return keys.Key(ctx, id) }}, Buckets: &trail.Buckets{Folder: s.cfg.TrailDir, Ring: s.ring},
		Settings: s.settings, Owner: s.worker.Owner, Log: s.log, Metrics: trail.NewMetrics(s.registry),
		Dropped: (*store.Tx).DropIndexed,
	}
}

// newObjects makes the part of S3 that reads trail files. They tell of all instances: whoever may read them is whoever may read the log.
func (s *Server) newObjects() *objects.Server {
	administers := sallyport.Administers(s.instance)
	return &objects.Server{
		DB: s.db, Region: s.instance.Region, Dir: s.trails.Buckets.Dir,
		Outside: &endpoint.Outside{
			API: s.api, Verifier: &sigv4.Verifier{Service: sigv4.S3, Regions: []string{s.instance.Region}, MaxSkew: 15 * time.Minute},
			Administers: func(tx *store.Tx, caller arn.AccountID) (arn.AccountID, error) {
				return administers(tx, caller, "", nil)
			},
		},
	}
}

// writeTrails writes log files and digests of trails.
func (s *Server) writeTrails(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.trails.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("writing trails stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}
