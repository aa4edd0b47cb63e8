package scimpush

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sallyport/internal/store"
)

// wantedGroup is a group as a target is to have it; nil: it is not to have it.
func wantedGroup(tx *store.Tx, t store.SCIMTarget, id string) (*team, error) {
	g, err := tx.Group(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && g.StoreID != t.StoreID {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load group: %w", err)
	}
	if !t.Everyone {
		if in, err := tx.TargetHasGroup(t.ID, id); err != nil || !in {
			return nil, wrap(err, "look whether group is pushed")
		}
	}
	form := teamOf(g)
	return &form, nil
}

// group brings a group there, and who is in it, to what is wanted.
func (r *run) group(ctx context.Context, d store.SCIMDirty) error {
	var want *team
	var m known
	err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
		if want, err = wantedGroup(tx, r.target, d.ID); err != nil {
			return err
		}
		m, err = knownOf(tx, r.target, store.PushGroup, d.ID)
		return err
	})
	switch {
	case err != nil:
		return err
	case want == nil && m.begun:
		err = r.groupLeaves(ctx, &m)
	case want != nil:
		err = r.fill(ctx, &m, *want)
		if errors.Is(err, errNoGroup) { // deleted there: make it again
			if err = r.gone(ctx, "Missing", &m); err == nil {
				err = r.fill(ctx, &m, *want)
			}
			if errors.Is(err, errNoGroup) {
				err = &garbled{"a group that was just made is not there"}
			}
		}
	}
	if err != nil {
		return err
	}
	return r.clean(ctx, d)
}

// errNoGroup says that somebody has deleted the group there.
var errNoGroup = errors.New("the group is not there any more")

// fill makes a group there what is wanted, then its members.
func (r *run) fill(ctx context.Context, m *known, want team) error {
	if m.Remote == "" {
		if err := r.createGroup(ctx, m, want); err != nil {
			return err
		}
	}
	if m.Hash == "" { // it was there before, or may be other than it was
		if err := r.learn(ctx, m); err != nil {
			return missingGroup(err)
		}
	}
	if hash := hashOf(want); m.Hash != hash {
		if err := r.intend(ctx, m, false); err != nil {
			return err
		}
		err := r.peer.rename(ctx, m.Remote, want)
		if err != nil {
			return missingGroup(err)
		}
		m.Hash = hash
		if err := r.keep(ctx, "Update", m); err != nil {
			return err
		}
	}
	out := r.exchange(ctx, m, false)
	if out != nil && !own(out) {
		return out
	}
	in := r.exchange(ctx, m, true)
	if in != nil && !own(in) {
		return in
	}
	return errors.Join(out, in, r.missing(ctx, m))
}

// missingGroup makes the answer that there is no such group the error for it.
func missingGroup(err error) error {
	if status(err) == http.StatusNotFound {
		return errNoGroup
	}
	return err
}

// missing has those members pushed who are not there yet; the group hears of it when they are.
func (r *run) missing(ctx context.Context, m *known) error {
	some := false
	err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) { some, err = tx.HasUnmappedMembers(m.Target, m.ID); return err })
	if err == nil && some {
		err = r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return tx.MarkUnmappedMembers(m.Target, m.ID) })
	}
	return wrap(err, "mark members who are not there")
}

// createGroup makes a group there, without members. One that is there already is taken over.
func (r *run) createGroup(ctx context.Context, m *known, want team) error {
	if m.begun { // and perhaps done, under another name
		there, err := r.peer.findTeam(ctx, want)
		if err != nil {
			return err
		}
		if there != nil {
			return r.adoptGroup(ctx, m, *there)
		}
	}
	if err := r.intend(ctx, m, false); err != nil {
		return err
	}
	id, err := r.peer.create(ctx, store.PushGroup, want)
	if err == nil {
		m.Remote, m.Hash, m.Made = id, hashOf(want), true
		return r.keepNew(ctx, "Create", m)
	}
	if status(err) != http.StatusConflict {
		return err
	}
	there, e := r.peer.findTeam(ctx, want)
	switch {
	case e != nil:
		return e
	case there == nil:
		return err
	}
	return r.adoptGroup(ctx, m, *there)
}

func (r *run) adoptGroup(ctx context.Context, m *known, there team) error {
	if err := r.free(ctx, store.PushGroup, there.ID, m.ID); err != nil {
		return err
	}
	m.Remote, m.Hash, m.Made = there.ID, "", there.ExternalID == m.ID
	return r.keepNew(ctx, "Adopt", m)
}

// groupLeaves deletes a group there that is here no more. One that was there before us only loses those whom we have put into it.
func (r *run) groupLeaves(ctx context.Context, m *known) error {
	if m.Remote == "" { // it may be there
		there, err := r.peer.findTeam(ctx, team{ExternalID: m.ID})
		if err != nil {
			return err
		}
		if there == nil {
			return r.forget(ctx, m)
		}
		m.Remote, m.Made = there.ID, true
	}
	if m.Made {
		if err := r.peer.remove(ctx, store.PushGroup, m.Remote); err != nil {
			return err
		}
		return r.gone(ctx, "Delete", m)
	}
	for {
		var some []store.PushedMember
		err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
			some, err = tx.Pushed(m.Target, m.ID, "", maxDelta)
			return err
		})
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		if len(some) == 0 {
			return r.gone(ctx, "Leave", m)
		}
		err = r.delta(ctx, m, false, some)
		if errors.Is(err, errNoGroup) {
			return r.gone(ctx, "Missing", m)
		}
		if err != nil {
			return err
		}
	}
}
