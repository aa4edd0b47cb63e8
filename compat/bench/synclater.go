package main

import (
	"context"
	"fmt"
	"path/filepath"

	"sallyport/internal/store"
)

// company is a directory that is there. Its first group has most members; a page of groups has the others.
type company struct{ users, first, others int }

var (
	small = company{users: 100, first: 50, others: 10}
	large = company{users: 100_000, first: 50_000, others: 500}
)

const (
	laterGroups  = pageSize
	laterJoiners = 64 // users who come and go: many more than connections, so that nobody goes before they have come
	laterNames   = 1000
)

// staff is a company that is served, and what is measured of it.
type staff struct {
	writer, reader scimServer // by a token each
	groups, users  []string
}

// laterSync measures what a directory sends from day to day, in a large directory beside a small one.
func (b bench) laterSync(ctx context.Context) ([]row, error) {
	few, err := b.staff(ctx, "small", small)
	if err != nil {
		return nil, err
	}
	many, err := b.staff(ctx, "large", large)
	if err != nil {
		return nil, err
	}
	kinds := []struct {
		what, beside string
		requests     func(staff) [][]byte
	}{
		{"PATCH of a member of a group of 50,000, per second", "of 50", staff.comings},
		{`GET /Users?filter=userName eq "…" at 100,000 users, per second`, "at 100", staff.lookups},
		{"GET /Groups/{id}?excludedAttributes=members of a group of 50,000, per second", "of 50", staff.group},
		{"GET /Groups?excludedAttributes=members, a page of 100 groups of 500 to 50,000, per second", "of 10 to 50", staff.list},
	}
	var targets []target
	for _, k := range kinds {
		targets = append(targets,
			target{name: k.what, addr: few.writer.addr, conns: syncConns, requests: fixed(k.requests(few))},
			target{name: k.what, addr: many.writer.addr, conns: syncConns, requests: fixed(k.requests(many))})
	}
	rates, err := b.measure(ctx, targets...)
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, k := range kinds {
		few, many := rates[2*i], rates[2*i+1]
		slower := ratio(few, many)
		rows = append(rows, row{k.what, summarize(many).String(), k.beside + ": " + summarize(few).String(), slower.String() + " slower", "at most 1.5", slower.median <= 1.5})
	}
	return rows, nil
}

// staff makes and serves a company.
func (b bench) staff(ctx context.Context, name string, c company) (staff, error) {
	dir := filepath.Join(b.dir, name)
	w, _, err := b.emptyWorld(ctx, dir, relax)
	if err != nil {
		return staff{}, err
	}
	var s staff
	if err := b.offline(ctx, dir, func(db *store.DB) error { return s.fill(ctx, db, w, c) }); err != nil {
		return staff{}, err
	}
	server, _, err := b.dev(ctx, dir)
	if err != nil {
		return staff{}, err
	}
	for _, to := range []*scimServer{&s.writer, &s.reader} {
		to.addr, to.base = server.addr, "/"+scimTenant+"/scim/v2"
	}
	return s, nil
}

// fill makes the people and the groups, whose members are the users that come first, and the tokens.
func (s *staff) fill(ctx context.Context, db *store.DB, w world, c company) error {
	s.users, s.groups = make([]string, c.users+laterJoiners), make([]string, laterGroups)
	if err := inBatches(ctx, db, len(s.users), func(tx *store.Tx, i int) (err error) {
		s.users[i], err = addUser(tx, w, i)
		return err
	}); err != nil {
		return err
	}
	if err := inBatches(ctx, db, len(s.groups), func(tx *store.Tx, i int) (err error) {
		s.groups[i], err = addGroup(tx, w, i)
		return err
	}); err != nil {
		return err
	}
	if err := inBatches(ctx, db, c.first+(laterGroups-1)*c.others, func(tx *store.Tx, i int) error {
		group := 0
		if i >= c.first {
			group, i = 1+(i-c.first)/c.others, (i-c.first)%c.others
		}
		return addMember(tx, w, s.groups[group], s.users[i])
	}); err != nil {
		return err
	}
	return db.Update(ctx, func(tx *store.Tx) (err error) {
		if s.writer.token, err = addToken(tx, w, store.StrictSCIM); err != nil {
			return err
		}
		s.reader.token, err = addToken(tx, w, store.CompleteSCIM)
		return err
	})
}

// comings have users join the first group and leave it again.
func (s staff) comings() (out [][]byte) {
	joiners := s.users[len(s.users)-laterJoiners:]
	for _, u := range joiners {
		out = append(out, s.writer.join(s.groups[0], u))
	}
	for _, u := range joiners {
		out = append(out, s.writer.leave(s.groups[0], u))
	}
	return out
}

// lookups ask for users from all over the directory by name.
func (s staff) lookups() (out [][]byte) {
	for i := range laterNames {
		out = append(out, s.reader.named(fmt.Sprintf("user-%d", i*len(s.users)/laterNames)))
	}
	return out
}

func (s staff) group() [][]byte {
	return [][]byte{s.reader.request("GET", "/Groups/"+s.groups[0]+"?excludedAttributes=members", "")}
}

func (s staff) list() [][]byte {
	return [][]byte{s.reader.request("GET", "/Groups?count=100&excludedAttributes=members", "")}
}
