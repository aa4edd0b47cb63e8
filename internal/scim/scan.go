package scim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sallyport/internal/directory"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// scanPage is how many records a scan reads at once.
const scanPage = 500

func userRow(u *store.User) row {
	return row{place: place{created: u.CreatedAt.UnixMicro(), id: u.ID}, user: u}
}

func groupRow(g *store.Group) row {
	return row{place: place{created: g.CreatedAt.UnixMicro(), id: g.ID}, group: g}
}

// usersRows are records of a source as rows, without those that the token does not see.
func (c *call) usersRows(all []store.User) []row {
	out := make([]row, 0, len(all))
	for i := range all {
		if all[i].StoreID == c.from.StoreID && c.sees(all[i].Source) {
			out = append(out, userRow(&all[i]))
		}
	}
	return out
}

// groupsRows are those of groups.
func (c *call) groupsRows(all []store.Group) []row {
	out := make([]row, 0, len(all))
	for i := range all {
		if all[i].StoreID == c.from.StoreID && c.sees(all[i].Source) {
			out = append(out, groupRow(&all[i]))
		}
	}
	return out
}

// page reads a page of a kind in the order of creation.
func (c *call) page(k *kind, q store.Sourced) ([]row, page.Key, error) {
	if k.ofUsers() {
		all, next, err := wrapped(c.tx.UsersOfSource(q))
		return c.usersRows(all), next, err
	}
	all, next, err := wrapped(c.tx.GroupsOfSource(q))
	return c.groupsRows(all), next, err
}

// whole takes a page of a list without a filter: the rest is counted by an index.
func (c *call) whole(l *collector, k *kind) (err error) {
	if l.after == nil {
		if k.ofUsers() {
			l.total, err = c.tx.CountUsersOfSource(c.from.StoreID, c.from.ID)
		} else {
			l.total, err = c.tx.CountGroupsOfSource(c.from.StoreID, c.from.ID)
		}
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
	}
	if l.count == 0 || l.after == nil && l.start > l.total {
		return nil
	}
	q := c.sourced(page.Query{Limit: l.count, After: l.after.pageKey()})
	q.Offset = l.start - 1
	rows, next, err := c.page(k, q)
	l.rows, l.more = rows, next != nil
	return err
}

// pageKey is where a page of records begins.
func (p *place) pageKey() page.Key {
	if p == nil {
		return nil
	}
	return page.Key{strconv.FormatInt(p.created, 10), p.id}
}

// scan offers all of a kind to a collector, page by page.
func (c *call) scan(l *collector, at int, k *kind) (enough bool, err error) {
	q := c.sourced(page.Query{Limit: scanPage})
	if l.after != nil && !l.sorted && at == l.after.kind {
		q.After = l.after.pageKey()
	}
	for {
		rows, next, err := c.page(k, q)
		if err != nil {
			return false, err
		}
		if enough, err := c.offer(l, at, rows); err != nil || enough {
			return enough, err
		}
		if q.After = next; next == nil {
			return false, nil
		}
	}
}

// finder hands what an index finds to a function.
type finder func(func([]row) (bool, error)) error

// candidates finds those among whom all are that a filter chooses; nil: no index serves it.
func (c *call) candidates(k *kind) finder {
	if k.filter == nil {
		return nil
	}
	if k.ofUsers() {
		return c.userCandidates(k)
	}
	return c.groupCandidates(k)
}

func (c *call) userCandidates(k *kind) finder {
	one := func(u store.User, err error) finder {
		return func(fn func([]row) (bool, error)) error {
			rows, err := found(u, err)
			if err != nil || len(rows) == 0 {
				return err
			}
			_, err = fn(c.usersRows(rows))
			return err
		}
	}
	if id, ok := k.filter.Equal("id"); ok {
		return one(directory.User(c.tx, c.from.StoreID, id))
	}
	if name, ok := k.filter.Equal("userName"); ok {
		return one(c.tx.UserByName(c.from.StoreID, name))
	}
	if id, ok := k.filter.Equal("externalId"); ok {
		subject, err := c.subject(store.PrincipalUser, id)
		if err != nil {
			return one(store.User{}, err)
		}
		return one(c.tx.User(subject))
	}
	if mail, ok := k.filter.Equal("emails[primary].value"); ok {
		return one(c.tx.UserByEmail(c.from.StoreID, mail))
	}
	if mail, ok := k.filter.Equal("emails.value"); ok && mail != "" {
		return pages(func(q page.Query) ([]row, page.Key, error) {
			all, next, err := wrapped(c.tx.UsersByAnyEmail(c.from.StoreID, mail, q))
			return c.usersRows(all), next, err
		})
	}
	return c.usersOfGroup(k)
}

// nothing is a finder of none.
func nothing(err error) finder {
	return func(func([]row) (bool, error)) error { return err }
}

// usersOfGroup finds the members of a group that a filter names.
func (c *call) usersOfGroup(k *kind) finder {
	group, ok := k.filter.Equal("groups.value")
	if !ok {
		return nil
	}
	if sees, err := c.seesGroup(strings.ToLower(group)); err != nil || !sees {
		return nothing(err) // a group that the token does not see has nobody
	}
	k.knows("groups", group)
	return pages(func(q page.Query) ([]row, page.Key, error) {
		all, next, err := wrapped(c.tx.UsersOfGroup(strings.ToLower(group), q))
		return c.usersRows(all), next, err
	})
}

func (c *call) groupCandidates(k *kind) finder {
	one := func(g store.Group, err error) finder {
		return func(fn func([]row) (bool, error)) error {
			rows, err := foundGroup(g, err)
			if err != nil || len(rows) == 0 {
				return err
			}
			_, err = fn(c.groupsRows(rows))
			return err
		}
	}
	if user, ok := k.filter.Equal("members.value"); ok { // first, since the members need not be read for it
		if sees, err := c.seesUser(strings.ToLower(user)); err != nil || !sees {
			return nothing(err)
		}
		k.knows("members", user)
		return pages(func(q page.Query) ([]row, page.Key, error) {
			all, next, err := wrapped(c.tx.GroupsOfUser(strings.ToLower(user), q))
			return c.groupsRows(all), next, err
		})
	}
	if id, ok := k.filter.Equal("id"); ok {
		return one(directory.Group(c.tx, c.from.StoreID, id))
	}
	if name, ok := k.filter.Equal("displayName"); ok {
		return one(c.tx.GroupByName(c.from.StoreID, name))
	}
	if id, ok := k.filter.Equal("externalId"); ok {
		subject, err := c.subject(store.PrincipalGroup, id)
		if err != nil {
			return one(store.Group{}, err)
		}
		return one(c.tx.Group(subject))
	}
	return nil
}

func (c *call) subject(kind store.PrincipalType, externalID string) (string, error) {
	id, err := c.tx.SubjectOf(c.from.StoreID, kind, store.ExternalID{Issuer: c.issuer(), ID: externalID})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("look external id up: %w", err)
	}
	return id, err
}

// pages is a finder of what comes in pages.
func pages(read func(page.Query) ([]row, page.Key, error)) finder {
	return func(fn func([]row) (bool, error)) error {
		for q := (page.Query{Limit: scanPage}); ; {
			rows, next, err := read(q)
			if err != nil {
				return err
			}
			if enough, err := fn(rows); err != nil || enough {
				return err
			}
			if q.After = next; next == nil {
				return nil
			}
		}
	}
}
