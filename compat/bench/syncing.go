package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"sallyport/internal/credential"
	"sallyport/internal/store"
)

// population is a directory that is sent over for the first time.
type population struct{ users, groups, perGroup int }

// The populations are in proportion.
var (
	wholeCompany = population{users: 10_000, groups: 1_000, perGroup: 50}
	aTwentieth   = population{users: 500, groups: 50, perGroup: 50}
)

const (
	syncConns  = 16
	syncTarget = 4_000
)

func (p population) requests() int { return p.users + p.groups + p.groups*p.perGroup }

// syncing measures what a directory that comes in by SCIM costs: its first synchronization, and what stays after it, in a directory
// that is small and in one that is large.
func syncing(ctx context.Context, b bench) ([]row, error) {
	first, err := b.firstSync(ctx)
	if err != nil {
		return nil, err
	}
	later, err := b.laterSync(ctx)
	return append(first, later...), err
}

// firstSync measures an initial synchronization as directories do it: each user by a POST, each group by a POST, each membership by a PATCH
// of its own; each durable, with its event, before it is answered. Beside it runs scimmy, where there is npm to bring it, in memory.
func (b bench) firstSync(ctx context.Context) ([]row, error) {
	peer, err := b.scimmy(ctx)
	if err != nil {
		return nil, err
	}
	var ours, theirs, tenth, end []float64
	for round := range b.rounds + 1 {
		s, err := b.syncRound(ctx, filepath.Join(b.dir, fmt.Sprint(round)))
		if err != nil {
			return nil, err
		}
		their := 0.0
		if peer != nil {
			if their, err = peer.round(ctx); err != nil {
				return nil, err
			}
		}
		if round > 0 {
			ours, theirs, tenth, end = append(ours, s.rate), append(theirs, their), append(tenth, s.tenth), append(end, s.end)
		}
	}
	rate, grown := summarize(ours), ratio(end, tenth)
	r := row{
		what: "SCIM requests of a first sync per second: 10,000 users, 1,000 groups, 50,000 memberships, 16 connections", measured: rate.String(),
		beside: "npm is not installed", ratio: "–", target: fmt.Sprintf("%d per second", syncTarget), met: rate.median >= syncTarget,
	}
	if peer != nil {
		r.beside, r.ratio = "scimmy in memory, a twentieth of it: "+summarize(theirs).String(), ratio(ours, theirs).String()
	}
	return []row{r, {
		"the server's memory at the end of it, MiB", summarize(end).String(), "after a tenth of it: " + summarize(tenth).String(),
		grown.String(), "at most 1.5", grown.median <= 1.5,
	}}, nil
}

// synced is one synchronization: requests per second, and the server's memory after a tenth and at the end.
type synced struct{ rate, tenth, end float64 }

// syncRound sends the whole population to a new world.
func (b bench) syncRound(ctx context.Context, dir string) (synced, error) {
	var token credential.Secret
	w, _, err := b.emptyWorld(ctx, dir, relax)
	if err != nil {
		return synced{}, err
	}
	err = b.offline(ctx, dir, func(db *store.DB) error {
		return db.Update(ctx, func(tx *store.Tx) (err error) {
			token, err = addToken(tx, w, store.StrictSCIM)
			return err
		})
	})
	if err != nil {
		return synced{}, err
	}
	server, _, err := b.dev(ctx, dir)
	if err != nil {
		return synced{}, err
	}
	var out synced
	took, err := wholeCompany.send(ctx, scimServer{server.addr, "/" + scimTenant + "/scim/v2", token}, func(sent int) (err error) {
		if sent == wholeCompany.requests()/10 {
			out.tenth, err = server.residentMiB()
		}
		return err
	})
	if err != nil {
		return synced{}, err
	}
	if out.end, err = server.residentMiB(); err != nil {
		return synced{}, err
	}
	out.rate = float64(wholeCompany.requests()) / took.Seconds()
	return out, server.stop()
}

// send makes a population, and says how long the server took. at is told how many requests have been answered.
func (p population) send(ctx context.Context, s scimServer, at func(sent int) error) (time.Duration, error) {
	var sent atomic.Int64
	var total time.Duration
	create := func(n int, request func(int) []byte) ([]string, error) {
		ids, requests := make([]string, n), make([][]byte, n)
		for i := range requests {
			requests[i] = request(i)
		}
		took, err := pour(ctx, s.addr, syncConns, requests, func(i int, body []byte) (err error) {
			if len(body) > 0 { // a PATCH may have none
				ids[i], err = madeID(body)
			}
			if err != nil {
				return err
			}
			return at(int(sent.Add(1)))
		})
		total += took
		return ids, err
	}
	users, err := create(p.users, s.createUser)
	if err != nil {
		return 0, fmt.Errorf("users: %w", err)
	}
	groups, err := create(p.groups, s.createGroup)
	if err != nil {
		return 0, fmt.Errorf("groups: %w", err)
	}
	_, err = create(p.groups*p.perGroup, func(i int) []byte { return s.join(groups[i/p.perGroup], users[i%p.users]) })
	if err != nil {
		return 0, fmt.Errorf("memberships: %w", err)
	}
	return total, nil
}
