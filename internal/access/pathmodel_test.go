package access_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/directory"
	"sallyport/internal/store"
)

// span is how long something was so, by the events of its beginning and end.
type span struct {
	from, to       time.Time // to is zero while it lasts
	opened, closed string
}

func (s *span) at(t time.Time) bool {
	return !s.from.After(t) && (s.to.IsZero() || t.Before(s.to)) && (s.to.IsZero() || s.from.Before(s.to))
}

type record struct {
	span
	id, name string
	status   store.UserStatus
}

type member struct {
	span
	user, group string
}

type grant struct {
	span
	a store.Assignment
}

// past is the obvious history: all that ever was, in lists.
type past struct {
	t       *testing.T
	db      *store.DB
	clock   *clocktest.Clock
	rand    *rand.Rand
	events  int
	users   []*record // one for each name and state that a user had
	groups  []*record
	members []*member
	grants  []*grant
	alive   map[string]*span // of users and groups, whatever they are called
}

const (
	pastStore    arn.StoreID  = "d-1111111111"
	pastInstance arn.Instance = "ssoins-1111111111111111"
)

var pastAccounts = []arn.AccountID{"111111111111", "222222222222", "333333333333"}

func pastSet(n int) arn.PermissionSet {
	return arn.PermissionSet{Instance: pastInstance, ID: fmt.Sprintf("ps-%016d", n)}
}

// do makes a change under an event of its own, and tells the model when that was.
func (p *past) do(fn func(tx *store.Tx) error) (time.Time, string) {
	p.t.Helper()
	p.clock.Advance(time.Duration(p.rand.IntN(3)) * time.Second) // now and then two changes are of one moment
	p.events++
	event := fmt.Sprintf("event-%04d", p.events)
	var at time.Time
	err := p.db.Update(p.t.Context(), func(tx *store.Tx) error {
		at = tx.Now()
		tx.Because(store.Cause{Event: event, By: "by-" + event})
		return fn(tx)
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return at, event
}

func (s *span) end(at time.Time, event string) { s.to, s.closed = at, event }

// open are those of a list that last.
func open[T any](all []T, of func(T) *span) (out []T) {
	for _, one := range all {
		if of(one).to.IsZero() {
			out = append(out, one)
		}
	}
	return out
}

func recordSpan(r *record) *span { return &r.span }
func memberSpan(m *member) *span { return &m.span }
func grantSpan(g *grant) *span   { return &g.span }

func pick[T any](r *rand.Rand, all []T) (one T, ok bool) {
	if len(all) == 0 {
		return one, false
	}
	return all[r.IntN(len(all))], true
}

func (p *past) newUser() {
	id, name := arn.NewUUID(), fmt.Sprintf("user%d", p.events)
	at, event := p.do(func(tx *store.Tx) error {
		_, err := directory.CreateUser(tx, store.User{ID: id, StoreID: pastStore, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "A", FamilyName: "B"}}}, "x")
		return err
	})
	p.users = append(p.users, &record{span{from: at, opened: event}, id, name, store.UserEnabled})
	p.alive[id] = &span{from: at, opened: event}
}

func (p *past) changeUser() {
	was, ok := pick(p.rand, open(p.users, recordSpan))
	if !ok {
		return
	}
	is := *was
	if p.rand.IntN(2) == 0 {
		is.name = fmt.Sprintf("renamed%d", p.events)
	} else if is.status = store.UserDisabled; was.status == store.UserDisabled {
		is.status = store.UserEnabled
	}
	at, event := p.do(func(tx *store.Tx) error {
		u, err := tx.User(was.id)
		if err != nil {
			return err
		}
		u.UserName, u.Status = is.name, is.status
		_, err = directory.UpdateUser(tx, u, "", "x")
		return err
	})
	if !at.After(was.from) { // of one moment: only what was so at its end counts
		was.name, was.status = is.name, is.status
		return
	}
	was.end(at, event)
	is.span = span{from: at, opened: event}
	p.users = append(p.users, &is)
}

func (p *past) deleteUser() {
	was, ok := pick(p.rand, open(p.users, recordSpan))
	if !ok {
		return
	}
	at, event := p.do(func(tx *store.Tx) error { return directory.DeleteUser(tx, pastStore, was.id, "") })
	was.end(at, event)
	p.alive[was.id].end(at, event)
	for _, m := range open(p.members, memberSpan) {
		if m.user == was.id {
			m.end(at, event)
		}
	}
}

func (p *past) newGroup() {
	id, name := arn.NewUUID(), fmt.Sprintf("group%d", len(p.groups))
	at, event := p.do(func(tx *store.Tx) error {
		_, err := directory.CreateGroup(tx, store.Group{ID: id, StoreID: pastStore, DisplayName: name}, "x")
		return err
	})
	p.groups = append(p.groups, &record{span{from: at, opened: event}, id, name, ""})
	p.alive[id] = &span{from: at, opened: event}
}

func (p *past) deleteGroup() {
	was, ok := pick(p.rand, open(p.groups, recordSpan))
	if !ok {
		return
	}
	at, event := p.do(func(tx *store.Tx) error { return directory.DeleteGroup(tx, pastStore, was.id, "") })
	was.end(at, event)
	p.alive[was.id].end(at, event)
	for _, m := range open(p.members, memberSpan) {
		if m.group == was.id {
			m.end(at, event)
		}
	}
}

func (p *past) join() {
	u, ok := pick(p.rand, open(p.users, recordSpan))
	g, there := pick(p.rand, open(p.groups, recordSpan))
	same := func(m *member) bool { return m.user == u.id && m.group == g.id }
	if !ok || !there || slices.ContainsFunc(open(p.members, memberSpan), same) {
		return
	}
	at, event := p.do(func(tx *store.Tx) error {
		_, err := directory.AddMember(tx, pastStore, g.id, u.id, "by")
		return err
	})
	p.members = append(p.members, &member{span{from: at, opened: event}, u.id, g.id})
}

func (p *past) leave() {
	m, ok := pick(p.rand, open(p.members, memberSpan))
	if !ok {
		return
	}
	at, event := p.do(func(tx *store.Tx) error {
		is, err := tx.MembershipOf(m.group, m.user)
		if err != nil {
			return err
		}
		return directory.RemoveMember(tx, pastStore, is.ID, "by")
	})
	m.end(at, event)
}

// assign asks for an assignment, and grants it later or not at all.
func (p *past) assign() {
	a := store.Assignment{Account: pastAccounts[p.rand.IntN(len(pastAccounts))], Set: pastSet(p.rand.IntN(3)), PrincipalType: store.PrincipalGroup}
	to, ok := pick(p.rand, open(p.groups, recordSpan))
	if p.rand.IntN(3) == 0 {
		a.PrincipalType = store.PrincipalUser
		to, ok = pick(p.rand, open(p.users, recordSpan))
	}
	if !ok {
		return
	}
	a.PrincipalID, a.State = to.id, store.AssignmentPending
	if slices.ContainsFunc(open(p.grants, grantSpan), func(g *grant) bool { b := g.a; b.State = a.State; return a == b }) {
		return
	}
	_, event := p.do(func(tx *store.Tx) error {
		a := a
		a.CreatedAt = tx.Now()
		return tx.InsertAssignment(a)
	})
	if p.rand.IntN(5) == 0 {
		p.do(func(tx *store.Tx) error { return tx.DeleteAssignment(a) })
		return
	}
	a.State = store.AssignmentGranted
	at, _ := p.do(func(tx *store.Tx) error { return tx.SetAssignmentState(a) })
	p.grants = append(p.grants, &grant{span{from: at, opened: event}, a})
}

func (p *past) revoke() {
	g, ok := pick(p.rand, open(p.grants, grantSpan))
	if !ok {
		return
	}
	a := g.a
	a.State = store.AssignmentDeleting
	at, event := p.do(func(tx *store.Tx) error { return tx.SetAssignmentState(a) })
	g.end(at, event)
	p.do(func(tx *store.Tx) error { return tx.DeleteAssignment(a) })
}

func (p *past) step() {
	switch n := p.rand.IntN(20); {
	case n < 2:
		p.newUser()
	case n < 4:
		p.newGroup()
	case n < 8:
		p.join()
	case n < 10:
		p.leave()
	case n < 14:
		p.assign()
	case n < 16:
		p.revoke()
	case n < 18:
		p.changeUser()
	case n < 19:
		p.deleteUser()
	default:
		p.deleteGroup()
	}
}
