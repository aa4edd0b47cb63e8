package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/collect"
	"sallyport/internal/directory"
	"sallyport/internal/emergency"
	"sallyport/internal/instance"
	"sallyport/internal/revocation"
	"sallyport/internal/scim"
	"sallyport/internal/store"
	"sallyport/internal/usage"
)

// work starts the workers; the channel closes when all have ended and what was in their hands is written.
func (s *Server) work(ctx context.Context) <-chan struct{} {
	var wg sync.WaitGroup
	run := func(f func(context.Context)) { wg.Go(func() { f(ctx) }) }
	run(s.api.Recorder.Run)
	run(s.provision)
	run(s.revoke)
	run(s.sweep)
	run(s.sweepAssignments)
	run(s.sweepInstances)
	run(s.sweepCollected)
	run(s.sendMail)
	run(s.sendResets)
	run(s.signals.Push)
	run(s.signals.Poll)
	run(func(ctx context.Context) { s.gate.Run(ctx, s.log) })
	run(func(ctx context.Context) { s.ring.Run(ctx, s.log) })
	run(s.indexEvents)
	run(s.pushPeople)
	run(s.shipEvents)
	run(s.findAlerts)
	run(s.sendAlerts)
	run(s.writeTrails)
	run(s.prune)
	run(s.inspect.Run)
	run((&usage.Worker{DB: s.db, Instance: s.instance.ID, Owner: s.worker.Owner, Log: s.log}).Run)
	run((&emergency.Worker{Service: s.emergency, Node: s.worker.Owner, Log: s.log}).Run)
	run((&scim.Reminder{DB: s.db, Owner: s.instance.Owner, Region: s.instance.Region, Node: s.worker.Owner, Log: s.log}).Run)
	var shipper *audit.Shipper
	if s.file != nil {
		shipper = &audit.Shipper{DB: s.db, File: s.file, Log: s.log}
		run(shipper.Run)
	}
	endSealing := s.startSealing(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
		endSealing() // the last events of the others are in it
		if shipper == nil {
			return
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime/2)
		defer cancel()
		if err := errors.Join(shipper.Drain(last), s.file.Close()); err != nil {
			s.log.Error("the last audit events wait for the next start", "error", err)
		}
	}()
	return done
}

// pruneEvery is how often what is over is deleted.
const pruneEvery = 10 * time.Minute

// guardsKept is how long it is kept what sources of people have removed: longer than any window of scim.guard.window.
const guardsKept = 8 * 24 * time.Hour

// startSealing keeps the audit log sealed, until it is told to end.
func (s *Server) startSealing(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); s.seal(ctx) }()
	return func() { cancel(); <-done }
}

// seal keeps the audit log sealed. It ends only with ctx; after an error it takes up again.
func (s *Server) seal(ctx context.Context) {
	owner := arn.NewUUID()
	for ctx.Err() == nil {
		if err := s.db.RunSealer(ctx, owner); err != nil && ctx.Err() == nil {
			s.log.Error("audit sealer stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// indexEvents makes events ready to be looked up.
func (s *Server) indexEvents(ctx context.Context) {
	owner := arn.NewUUID()
	for ctx.Err() == nil {
		if err := s.db.RunIndexer(ctx, owner); err != nil && ctx.Err() == nil {
			s.log.Error("indexing of audit events stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// provision makes accounts' roles match permission sets.
func (s *Server) provision(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.worker.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("provisioning stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

func (s *Server) newRevoker() *revocation.Worker {
	return &revocation.Worker{
		DB: s.db, Backends: s.worker.Backends, Owner: s.worker.Owner, Log: s.log, Region: s.instance.Region, Account: s.instance.Owner,
		News: s.gate.Bound(),
	}
}

// revoke brings revocations to accounts and confirms them.
func (s *Server) revoke(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.revoker.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("revoking stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// sweep removes what very large groups and users have left behind when they were deleted.
func (s *Server) sweep(ctx context.Context) {
	s.keepSweeping(ctx, directory.NewSweeper(s.db, arn.NewUUID()))
}

// sweepAssignments takes away what was assigned to users and groups that were deleted.
func (s *Server) sweepAssignments(ctx context.Context) {
	s.keepSweeping(ctx, access.NewGoneSweeper(s.db, arn.NewUUID()))
}

// sweepInstances deletes account instances that are too large to be deleted at once.
func (s *Server) sweepInstances(ctx context.Context) {
	s.keepSweeping(ctx, instance.NewSweeper(s.db, arn.NewUUID()))
}

// sweepCollected deletes what deleted sources of events have sent.
func (s *Server) sweepCollected(ctx context.Context) {
	s.keepSweeping(ctx, collect.NewSweeper(s.db, arn.NewUUID()))
}

func (s *Server) keepSweeping(ctx context.Context, sweeper *store.Sweeper) {
	for ctx.Err() == nil {
		if err := sweeper.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("sweeping stopped, will start again", "kind", sweeper.Kind, "error", err)
			pause(ctx, time.Second)
		}
	}
}

// sendMail brings letters to the mail server.
func (s *Server) sendMail(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.mail.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("sending mail stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// pushPeople brings people and groups to other SCIM servers.
func (s *Server) pushPeople(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.push.Run(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("pushing stopped, will start again", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// sendResets looks for the people who have forgotten their passwords.
func (s *Server) sendResets(ctx context.Context) {
	if !s.mail.Configured() {
		return
	}
	owner := arn.NewUUID()
	for ctx.Err() == nil {
		wake := s.db.JobsWake()
		n, err := s.login.SendResets(ctx, owner)
		if err != nil && ctx.Err() == nil {
			s.log.Error("sending password resets failed, will try again", "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-time.After(time.Second): // other nodes' jobs have no bell
		}
	}
}

// prune deletes sessions and sign-in attempts that serve nobody any more.
func (s *Server) prune(ctx context.Context) {
	for {
		if err := s.pruneOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("pruning failed, will try again", "error", err)
		}
		if !pause(ctx, pruneEvery) {
			return
		}
	}
}

func (s *Server) pruneOnce(ctx context.Context) error {
	err := s.db.UpdateRelaxed(ctx, func(tx *store.Tx) error { return tx.PruneSCIMGuards(tx.Now().Add(-guardsKept)) })
	if err != nil {
		return err
	}
	for _, prune := range []func(*store.Tx) (bool, error){s.sessions.Prune, revocation.Prune, s.pruneAlerts, usage.Prune, emergency.Prune} {
		for more := true; more; {
			err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
				more, err = prune(tx)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	if err := s.signals.Prune(ctx); err != nil {
		return err
	}
	return errors.Join(s.login.Prune(ctx), s.trails.Prune(ctx))
}

// pause waits, and tells whether ctx still stands.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
