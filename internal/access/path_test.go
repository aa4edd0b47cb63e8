package access_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// earliest is how something ended that rests on others.
func earliest(of ...*span) string {
	var first *span
	for _, s := range of {
		if s != nil && !s.to.IsZero() && (first == nil || s.to.Before(first.to)) {
			first = s
		}
	}
	if first == nil {
		return ""
	}
	return first.closed
}

// wanted are all paths at a time, each as one line.
func (p *past) wanted(t time.Time) (out []string) {
	for _, u := range p.users {
		if !u.at(t) {
			continue
		}
		for _, g := range p.grants {
			switch {
			case !g.at(t):
			case g.a.PrincipalType == store.PrincipalUser && g.a.PrincipalID == u.id:
				out = append(out, fmt.Sprintln(g.a.Account, g.a.Set.ID, "USER", u.id, u.name, u.status, "", g.opened, earliest(&g.span)))
			case g.a.PrincipalType == store.PrincipalGroup:
				for _, m := range p.members {
					if m.user != u.id || m.group != g.a.PrincipalID || !m.at(t) || !p.alive[m.group].at(t) {
						continue
					}
					since := g.opened
					if m.from.After(g.from) {
						since = m.opened
					}
					i := slices.IndexFunc(p.groups, func(r *record) bool { return r.id == m.group })
					out = append(out, fmt.Sprintln(g.a.Account, g.a.Set.ID, "GROUP", u.id, u.name, u.status, p.groups[i].name, since, earliest(&g.span, &m.span, p.alive[m.group])))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func pathLine(w access.Path) string {
	return fmt.Sprintln(w.Account, w.Path.Set.ID, w.PrincipalType, w.UserID, w.User, w.Status, w.Group, w.Since().Event, w.Until.Event)
}

// told are all paths at a time as the accounts tell them, and check holds those of each user against them.
func (p *past) told(t time.Time) (out []string) {
	p.t.Helper()
	i := store.Instance{ID: pastInstance, StoreID: pastStore}
	each := func(of func(*store.Tx, page.Query) ([]access.Path, page.Key, error)) {
		q := page.Query{Limit: 1 + p.rand.IntN(4)}
		for {
			var rows []access.Path
			err := p.db.View(p.t.Context(), func(tx *store.Tx) (err error) {
				rows, q.After, err = of(tx, q)
				return err
			})
			if err != nil {
				p.t.Fatal(err)
			}
			for _, w := range rows {
				out = append(out, pathLine(w))
			}
			if q.After == nil {
				return
			}
		}
	}
	for _, account := range pastAccounts {
		each(func(tx *store.Tx, q page.Query) ([]access.Path, page.Key, error) {
			return access.PathsOfAccount(tx, i, account, arn.PermissionSet{}, t, q)
		})
	}
	slices.Sort(out)
	byAccount := out
	out = nil
	for id := range p.alive {
		each(func(tx *store.Tx, q page.Query) ([]access.Path, page.Key, error) {
			return access.PathsOfUser(tx, i, id, "", t, q)
		})
	}
	slices.Sort(out)
	if d := cmp.Diff(byAccount, out); d != "" {
		p.t.Fatalf("accounts and users tell different stories (-accounts +users):\n%s", d)
	}
	return out
}

// TestPathsOfThen: after random changes, what is told of a random moment of the past is what a model that forgets nothing says of it,
// by users and by accounts, whatever the pages.
func TestPathsOfThen(t *testing.T) {
	t.Parallel()
	rounds, steps, engines := 3, 120, []func(testing.TB, clock.Clock) *store.DB{storetest.Open}
	if os.Getenv("SALLYPORT_SOAK") == "1" {
		rounds, steps, engines = 6, 300, append(engines, storetest.OpenPostgres)
	}
	for n := range rounds * len(engines) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			c := clocktest.At(time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC))
			p := &past{t: t, clock: c, db: engines[n%len(engines)](t, c), rand: rand.New(rand.NewPCG(seed, 0)), alive: map[string]*span{}}
			began := p.db.Now()
			for range steps {
				p.step()
			}
			lasted := p.db.Now().Sub(began)
			seen := 0
			for range 40 {
				at := began.Add(time.Duration(p.rand.Int64N(int64(lasted/time.Second)+1)) * time.Second)
				want := p.wanted(at)
				seen += len(want)
				if d := cmp.Diff(strings.Join(want, ""), strings.Join(p.told(at), "")); d != "" {
					t.Fatalf("at %s (-want +got):\n%s", at.Sub(began), d)
				}
			}
			if seen == 0 {
				t.Error("nobody had anything: nothing was tested")
			}
		})
	}
}
