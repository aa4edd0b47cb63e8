package directory_test

import (
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

type people struct {
	t       *testing.T
	db      *store.DB
	changes []string
}

func each(t *testing.T, test func(p *people)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		p := &people{t: t, db: open(t, clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)))}
		p.db.WatchChanges(func(cs []store.Change) {
			for _, c := range cs {
				p.changes = append(p.changes, c.Key)
			}
		})
		test(p)
	})
}

func (p *people) update(fn func(*store.Tx) error) {
	p.t.Helper()
	if err := p.db.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

// refused runs fn, which must fail with a fault of the kind, and gives its text.
func (p *people) refused(kind fault.Kind, fn func(*store.Tx) error) string {
	p.t.Helper()
	err := p.db.Update(p.t.Context(), fn)
	if fault.KindOf(err) != kind {
		p.t.Fatalf("got %v, want kind %d", err, kind)
	}
	return fault.As(err).Message
}

func person(name string) store.User {
	return store.User{StoreID: storeID, UserName: name, DisplayName: "Some One", UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "Some", FamilyName: "One"}}}
}

func (p *people) user(name string) (u store.User) {
	p.t.Helper()
	p.update(func(tx *store.Tx) (err error) { u, err = directory.CreateUser(tx, person(name), by); return err })
	return u
}

func (p *people) group(name string) (g store.Group) {
	p.t.Helper()
	p.update(func(tx *store.Tx) (err error) {
		g, err = directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: name}, by)
		return err
	})
	return g
}

func (p *people) join(g store.Group, u store.User) (m store.Membership) {
	p.t.Helper()
	p.update(func(tx *store.Tx) (err error) { m, err = directory.AddMember(tx, storeID, g.ID, u.ID, by); return err })
	return m
}

// since gives the change keys written since it was last called.
func (p *people) since() []string {
	out := p.changes
	p.changes = nil
	return out
}
