package scimpush

import (
	"errors"
	"fmt"

	"sallyport/internal/store"
)

// finding is what a comparison says of a record there.
type finding struct {
	m        known
	person   *person // wanted; nil: none is
	team     *team
	adopted  bool // it is there and was not known to be ours
	stranger bool // nothing here explains it
	same     bool // it is as wanted
}

// aboutUser compares a user there with what is wanted.
func aboutUser(tx *store.Tx, t store.SCIMTarget, there person) (f finding, err error) {
	m, err := tx.MappingOf(t.ID, store.PushUser, there.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if f.m, err = userThere(tx, t, there); err != nil || f.m.ID == "" {
			f.stranger = err == nil
			return f, err
		}
		f.adopted = true
	case err != nil:
		return f, fmt.Errorf("look mapping up: %w", err)
	default:
		f.m = known{m, true}
	}
	if f.person, err = wantedUser(tx, t, f.m.ID); err != nil {
		return f, err
	}
	switch {
	case f.person == nil && f.adopted && !f.m.begun: // theirs, and of no business of ours
		f.stranger = true
	case f.person == nil:
		f.same = f.m.Hash == left && !bool(there.Active)
	default:
		f.same = f.person.same(there) && f.person.Active == there.Active
	}
	f.m.Active = bool(there.Active)
	f.m.Remote = there.ID
	return f, nil
}

// userThere is the record of a user there who is not known: one that we may have made, or of the same name here. ID "": nobody's.
func userThere(tx *store.Tx, t store.SCIMTarget, there person) (known, error) {
	id := there.ExternalID
	m, err := knownOf(tx, t, store.PushUser, id)
	if err != nil {
		return known{}, err
	}
	if id != "" && m.begun && m.Remote == "" {
		m.Made = true
		return m, nil
	}
	u, err := tx.User(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.StoreID != t.StoreID {
		u, err = tx.UserByName(t.StoreID, there.UserName)
	}
	if errors.Is(err, store.ErrNotFound) {
		return known{}, nil
	}
	if err != nil {
		return known{}, fmt.Errorf("look user up: %w", err)
	}
	if m, err = knownOf(tx, t, store.PushUser, u.ID); err != nil || m.Remote != "" {
		return known{}, err
	}
	m.Made = u.ID == id
	return m, nil
}

// aboutGroup compares a group there with what is wanted.
func aboutGroup(tx *store.Tx, t store.SCIMTarget, there team) (f finding, err error) {
	m, err := tx.MappingOf(t.ID, store.PushGroup, there.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		if f.m, err = groupThere(tx, t, there); err != nil || f.m.ID == "" {
			f.stranger = err == nil
			return f, err
		}
		f.adopted = true
	case err != nil:
		return f, fmt.Errorf("look mapping up: %w", err)
	default:
		f.m = known{m, true}
	}
	if f.team, err = wantedGroup(tx, t, f.m.ID); err != nil {
		return f, err
	}
	f.stranger = f.team == nil && f.adopted && !f.m.begun
	f.same = f.team != nil && f.team.same(there)
	f.m.Remote = there.ID
	return f, nil
}

func groupThere(tx *store.Tx, t store.SCIMTarget, there team) (known, error) {
	id := there.ExternalID
	m, err := knownOf(tx, t, store.PushGroup, id)
	if err != nil {
		return known{}, err
	}
	if id != "" && m.begun && m.Remote == "" {
		m.Made = true
		return m, nil
	}
	g, err := tx.Group(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && g.StoreID != t.StoreID {
		g, err = tx.GroupByName(t.StoreID, there.DisplayName)
	}
	if errors.Is(err, store.ErrNotFound) {
		return known{}, nil
	}
	if err != nil {
		return known{}, fmt.Errorf("look group up: %w", err)
	}
	if m, err = knownOf(tx, t, store.PushGroup, g.ID); err != nil || m.Remote != "" {
		return known{}, err
	}
	m.Made = g.ID == id
	return m, nil
}
