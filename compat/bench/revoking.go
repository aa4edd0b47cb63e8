package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/sts"
	"sallyport/internal/credential"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

const (
	revokedSessions = 10_000 // over all rounds
	innocentOnes    = 1_000
	usesPerSecond   = 2_000
	changesAtOnce   = 8
	usesAtOnce      = 32
	changesPerRound = 4 * time.Second // how long a round's changes take

	liveChanges = 1_000_000
)

// checking is what the check costs beside the look-up of a map, and the verification of a request with few and with very many changes.
func checking(ctx context.Context, b bench) ([]row, error) {
	check, err := b.benchmarks(ctx, "./internal/revocation", "^BenchmarkCheck$/^(unchanged|map)$")
	if err != nil {
		return nil, err
	}
	verify, err := b.benchmarks(ctx, "./internal/server", "^BenchmarkVerification$")
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, n := range []string{"1000", "1000000"} {
		c, m := check["Check/unchanged/"+n], check["Check/map/"+n]
		if c.micros == nil || m.micros == nil {
			return nil, fmt.Errorf("no benchmark of %s changes", n)
		}
		t, a := summarize(c.micros), summarize(c.allocs)
		rows = append(rows, row{
			"what a credential's use pays for revocation, " + n + " changes alive, µs", t.String(), "one look-up in a map of as many: " + summarize(m.micros).String(),
			ratio(c.micros, m.micros).String(), "less than 1 µs, no allocation", t.median < 1 && a.high == 0,
		})
	}
	few, many := verify["Verification/1000"], verify["Verification/1000000"]
	if few.micros == nil || many.micros == nil {
		return nil, fmt.Errorf("no benchmark of verification")
	}
	slower := ratio(many.micros, few.micros)
	return append(rows, row{
		"signature, credentials and right of a request verified, 1,000,000 changes alive, µs", summarize(many.micros).String(), "1,000 alive: " + summarize(few.micros).String(),
		slower.String() + " slower", "at most 1.2", slower.median <= 1.2,
	}), nil
}

// held is what somebody holds who signed in: what ends it, and a use of the role credentials that were given out in it.
type held struct {
	end, use []byte
	state    atomic.Int32
}

// States of what is held.
const (
	stands int32 = iota
	ending
	ended // the 2xx has been received
)

// signInMany signs the same person in n times.
func (w world) signInMany(ctx context.Context, db *store.DB, n int) ([]credential.Secret, error) {
	tokens := make([]credential.Secret, n)
	return tokens, inBatches(ctx, db, n, func(tx *store.Tx, i int) (err error) {
		tokens[i], err = signedIn(tx, w.Users[0].ID)
		return err
	})
}

// holders has role credentials given out to all who are signed in. Their requests are for any node of the same world.
func (w world) holders(ctx context.Context, addr string, tokens []credential.Secret) ([]*held, error) {
	n := len(tokens)
	out, errs := make([]*held, n), make([]error, n)
	var wg sync.WaitGroup
	for c := range changesAtOnce {
		wg.Go(func() {
			for i := c; i < n; i += changesAtOnce {
				out[i], errs[i] = w.hold(ctx, addr, tokens[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w world) hold(ctx context.Context, addr string, token credential.Secret) (*held, error) {
	c := w.client(addr)
	got, _, err := call[*sso.GetRoleCredentialsResponse](ctx, c, &sso.Info, "GetRoleCredentials", roleCredentials(token))
	if err != nil {
		return nil, err
	}
	h := &held{}
	if h.end, err = c.render(ctx, &sso.Info, "Logout", &sso.LogoutRequest{AccessToken: string(token)}); err != nil {
		return nil, err
	}
	k := got.RoleCredentials
	c.key = sigv4.Credentials{AccessKeyID: *k.AccessKeyId, SecretAccessKey: *k.SecretAccessKey, SessionToken: *k.SessionToken}
	h.use, err = c.render(ctx, &sts.Info, "GetCallerIdentity", &sts.GetCallerIdentityRequest{})
	return h, err
}

// manyChanges measures GetCallerIdentity with a million changes alive beside a world with none.
func manyChanges(ctx context.Context, b bench) ([]row, error) {
	var targets []target
	var memory [2]float64
	var ready [2]time.Duration
	for i, n := range []int{0, liveChanges} {
		b := b
		b.dir = fmt.Sprint(b.dir, "/many", n)
		server, all, err := b.heldWorld(ctx, innocentOnes, n)
		if err != nil {
			return nil, err
		}
		var requests [][]byte
		for _, h := range all {
			requests = append(requests, h.use)
		}
		if memory[i], err = server.residentMiB(); err != nil {
			return nil, err
		}
		ready[i] = server.ready
		targets = append(targets, target{name: fmt.Sprint("GetCallerIdentity with ", n, " changes"), addr: server.addr, conns: connections, requests: fixed(requests)})
	}
	rates, err := b.measure(ctx, targets...)
	if err != nil {
		return nil, err
	}
	kept := ratio(rates[1], rates[0])
	return []row{
		{"GetCallerIdentity per second, 1,000,000 changes alive", summarize(rates[1]).String(), "none alive: " + summarize(rates[0]).String(), kept.String(), "0.9", kept.median >= 0.9},
		{
			"the same, start to ready, s", fmt.Sprintf("%.2f", ready[1].Seconds()), fmt.Sprintf("none alive: %.2f", ready[0].Seconds()),
			fmt.Sprintf("memory %.0f MiB, %.0f without", memory[1], memory[0]), "measured", true,
		},
	}, nil
}

func addChanges(ctx context.Context, db *store.DB, n int) error {
	const batch = 500
	keys := make([]string, 0, batch)
	for i := range n {
		if keys = append(keys, fmt.Sprint("session:other-", i)); len(keys) == batch {
			if err := db.Update(ctx, func(tx *store.Tx) error { return tx.Changed(keys...) }); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	return nil
}
