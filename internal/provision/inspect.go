package provision

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Inspector tells where the roles in accounts are not what was provisioned. It changes no account.
type Inspector struct {
	DB       *store.DB
	Backends map[string]Provisioner // by store.Account.Backend
	Log      *slog.Logger
	Owner    string // names this process among those that check on a schedule

	// Settings are those in force; nil: the defaults.
	Settings func(context.Context) (setting.Values, error)
}

// Place is where a look at all accounts goes on: in an account after a role or, without one, with the account that follows. The zero
// Place is the beginning.
type Place struct {
	Account arn.AccountID
	Role    string
}

// Unchecked is an account of which nothing is known, and why.
type Unchecked struct {
	Account arn.AccountID
	Reason  string
}

// Look is what one look at a bounded number of roles has found.
type Look struct {
	Findings  []store.DriftFinding // by account and role
	Checked   int                  // roles, those that were not there included
	Unchecked []Unchecked
	Next      *Place // nil: that was all

	spans []span
}

// span is a stretch of an account's roles that was looked at.
type span struct {
	account     arn.AccountID
	after, upTo string // "": from the beginning, to the end
	findings    []store.DriftFinding
	checked     int
}

// Bounds of one look.
const (
	MaxLook     = 100 // roles
	lookAccount = 100 // accounts, which may have none
)

// Look compares up to limit roles, and is at most MaxLook, from a place on: in all accounts, or in one.
func (i *Inspector) Look(ctx context.Context, only arn.AccountID, from Place, limit int) (Look, error) {
	limit = min(limit, MaxLook)
	accounts, err := i.accounts(ctx, only, from)
	if err != nil {
		return Look{}, err
	}
	var l Look
	for n, a := range accounts {
		after := ""
		if a.ID == from.Account {
			after = from.Role
		}
		if l.Checked >= limit {
			l.Next = &Place{Account: accounts[n-1].ID}
			return l, nil
		}
		if a.Status != store.AccountActive { // nobody can use a role there: what was found before stands
			if only != "" {
				l.Unchecked = append(l.Unchecked, Unchecked{a.ID, "It is closed."})
			}
			continue
		}
		s, reason, err := i.span(ctx, a, after, limit-l.Checked)
		switch {
		case err != nil:
			return Look{}, err
		case reason != "":
			l.Unchecked = append(l.Unchecked, Unchecked{a.ID, reason})
			continue
		}
		l.spans = append(l.spans, s)
		l.Findings = append(l.Findings, s.findings...)
		l.Checked += s.checked
		if s.upTo != "" {
			l.Next = &Place{a.ID, s.upTo}
			return l, nil
		}
	}
	if only == "" && len(accounts) == lookAccount {
		l.Next = &Place{Account: accounts[lookAccount-1].ID}
	}
	return l, nil
}

// accounts are those that a look is about, in order, and no more than it may ask.
func (i *Inspector) accounts(ctx context.Context, only arn.AccountID, from Place) (out []store.Account, err error) {
	err = i.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		if only == "" && from.Role == "" {
			out, err = tx.Accounts(from.Account, lookAccount)
			return wrap(err, "list accounts")
		}
		id := only
		if id == "" {
			id = from.Account
		}
		a, err := tx.Account(id)
		if errors.Is(err, store.ErrNotFound) {
			f := fault.Missing("Account", string(id))
			f.Message = "There is no account " + string(id) + " in the organization."
			return f
		}
		if out = append(out, a); err != nil || only != "" {
			return wrap(err, "load account")
		}
		more, err := tx.Accounts(id, lookAccount-1)
		out = append(out, more...)
		return wrap(err, "list accounts")
	})
	return out, err
}

// span looks at roles of an account. A difference counts when a second look sees it too: between the two reads of one look, of what
// was provisioned and of what is there, a job may have begun and ended.
func (i *Inspector) span(ctx context.Context, a store.Account, after string, limit int) (s span, reason string, err error) {
	s, reason, err = i.once(ctx, a, after, limit)
	if err != nil || reason != "" || len(s.findings) == 0 {
		return s, reason, err
	}
	again, reason, err := i.once(ctx, a, after, limit)
	if err != nil || reason != "" {
		return s, reason, err
	}
	s.findings = slices.DeleteFunc(s.findings, func(f store.DriftFinding) bool {
		return !slices.ContainsFunc(again.findings, func(g store.DriftFinding) bool {
			return f.Role == g.Role && f.Kind == g.Kind && slices.Equal(f.Details, g.Details)
		})
	})
	return s, "", nil
}

// once looks once. The reason is why the account could not be looked at.
func (i *Inspector) once(ctx context.Context, a store.Account, after string, limit int) (s span, reason string, err error) {
	backend := i.Backends[a.Backend]
	if backend == nil {
		return s, fmt.Sprintf("It has a backend that this server does not have: %s.", a.Backend), nil
	}
	var want []store.Provisioned
	busy := false
	err = i.DB.View(ctx, func(tx *store.Tx) (err error) {
		if busy, err = tx.HasJob(access.JobKind, string(a.ID)); err != nil {
			return fmt.Errorf("look for jobs: %w", err)
		}
		want, err = tx.ProvisionedIn(a.ID, after, limit)
		return wrap(err, "list what was provisioned")
	})
	if err != nil || busy {
		return s, "Its roles are being changed now. Check again when that has ended.", err
	}
	are, err := backend.InspectRoles(ctx, a.ID, after, limit)
	switch f := fault.As(err); {
	case err != nil && ctx.Err() != nil:
		return s, "", err
	case f != nil && f.Message != "":
		return s, f.Message, nil
	case err != nil:
		i.Log.WarnContext(ctx, "account cannot be inspected", "account", a.ID, "error", err)
		return s, "It did not answer. The server's log says more.", nil
	}
	s = span{account: a.ID, after: after}
	if len(want) == limit {
		s.upTo = want[limit-1].Name
	}
	if len(are) >= limit && (s.upTo == "" || are[limit-1].Name < s.upTo) {
		s.upTo = are[limit-1].Name
	}
	err = i.DB.View(ctx, func(tx *store.Tx) error { return s.compare(tx, want, are) })
	return s, "", err
}

// compare walks what was provisioned and what is there, both by name.
func (s *span) compare(tx *store.Tx, want []store.Provisioned, are []Role) error {
	beyond := func(name string) bool { return s.upTo != "" && name > s.upTo }
	want = slices.DeleteFunc(want, func(p store.Provisioned) bool { return beyond(p.Name) })
	are = slices.DeleteFunc(slices.Clone(are), func(r Role) bool { return beyond(r.Name) })
	texts := texts{tx: tx, known: map[string]string{}}
	s.findings, s.checked = nil, 0
	find := func(role string, set arn.PermissionSet, kind store.DriftKind, details ...string) {
		s.findings = append(s.findings, store.DriftFinding{Account: s.account, Role: role, Set: set, Kind: kind, Details: details, FoundAt: tx.Now()})
	}
	for len(want) > 0 || len(are) > 0 {
		s.checked++
		order := first(want, are)
		if order > 0 {
			find(are[0].Name, arn.PermissionSet{}, store.DriftUnexpected, "No permission set was provisioned as this role, though its path says so.")
			are = are[1:]
			continue
		}
		p := want[0]
		want = want[1:]
		if order < 0 {
			find(p.Name, p.Set, store.DriftMissing, "The role is not in the account.")
		} else {
			if how := deviations(p, are[0], texts.load); len(how) > 0 {
				find(p.Name, p.Set, store.DriftChanged, how...)
			}
			are = are[1:]
		}
		if p.Latest != p.Revision {
			find(p.Name, p.Set, store.DriftOutdated, "The permission set was edited after it was provisioned here.")
		}
	}
	return texts.err
}

// first tells which of two lists by name has the name that comes next: -1 the one, 1 the other, 0 both.
func first(want []store.Provisioned, are []Role) int {
	switch {
	case len(are) == 0:
		return -1
	case len(want) == 0:
		return 1
	}
	return strings.Compare(want[0].Name, are[0].Name)
}

// texts are documents by their hashes, each read once.
type texts struct {
	tx    *store.Tx
	known map[string]string
	err   error
}

// load is the text, "" where there is none.
func (t *texts) load(hash string) string {
	if s, ok := t.known[hash]; ok || hash == "" || t.err != nil {
		return s
	}
	s, err := t.tx.Document(hash)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.err = fmt.Errorf("load policy: %w", err)
	}
	t.known[hash] = s
	return s
}
