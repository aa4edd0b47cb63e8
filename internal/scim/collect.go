package scim

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// row is a resource of a list: a record of either kind, or with neither one that is read when it is shown.
type row struct {
	place
	user  *store.User
	group *store.Group
}

// collector takes the resources that a filter chooses, and keeps those of the page.
type collector struct {
	*search
	gather bool // they come in no order
	total  int
	rows   []row
	more   bool
}

// add takes one; enough says that no more need come.
func (l *collector) add(r row) (enough bool) {
	l.total++
	switch {
	case l.gather:
		l.rows = append(l.rows, r)
	case l.total < l.start:
	case len(l.rows) < l.count:
		l.rows = append(l.rows, r)
	default:
		l.more = true
		return l.after != nil // the total is known from the first page
	}
	return false
}

// finish cuts the page out of what came in no order.
func (l *collector) finish() {
	if !l.gather {
		return
	}
	slices.SortFunc(l.rows, func(a, b row) int { return l.compare(a.place, b.place) })
	from := min(l.start-1, len(l.rows))
	if l.after != nil {
		at, is := slices.BinarySearchFunc(l.rows, *l.after, func(r row, p place) int { return l.compare(r.place, p) })
		if from = at; is {
			from++
		}
	}
	to := min(from+l.count, len(l.rows))
	l.more = to < len(l.rows)
	l.rows = l.rows[from:to]
}

// errTurn says that a request has to wait for its turn to read all that there is.
var errTurn = errors.New("scim: a scan has to wait")

// turn lets one request of the process at a time read all that there is, so that lists with odd filters leave room for others.
var turn = make(chan struct{}, 1)

// takeTurn waits for it.
func takeTurn(ctx context.Context) (leave func(), err error) {
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, &fault.Error{Kind: fault.Throttled, Message: "Other lists are being made. Try again.", Err: context.Cause(ctx)}
	}
}

// load reads the records of the rows that have none.
func (c *call) load(s *search, rows []row) error {
	ids := make([][]string, len(s.kinds))
	for _, r := range rows {
		if r.user == nil && r.group == nil {
			ids[r.kind] = append(ids[r.kind], r.id)
		}
	}
	at := make(map[string]*row, len(rows))
	for i := range rows {
		at[rows[i].id] = &rows[i]
	}
	for i, k := range s.kinds {
		if k.ofUsers() {
			users, err := c.tx.UsersByID(ids[i])
			if err != nil {
				return fmt.Errorf("load users: %w", err)
			}
			for j := range users {
				at[users[j].ID].user = &users[j]
			}
			continue
		}
		groups, err := c.tx.GroupsByID(ids[i])
		if err != nil {
			return fmt.Errorf("load groups: %w", err)
		}
		for j := range groups {
			at[groups[j].ID].group = &groups[j]
		}
	}
	return nil
}
