package scimpush

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"sallyport/internal/store"
)

// The phases of a comparison. What is there is looked through first, so that what is kept of it is right; then everything here is marked.
const (
	remoteUsers   = "REMOTE_USERS"
	missingUsers  = "MISSING_USERS"
	remoteGroups  = "REMOTE_GROUPS"
	missingGroups = "MISSING_GROUPS"
	remoteMembers = "REMOTE_MEMBERS"
	localUsers    = "LOCAL_USERS"
	localGroups   = "LOCAL_GROUPS"
)

var after = map[string]string{
	remoteUsers: missingUsers, missingUsers: remoteGroups, remoteGroups: missingGroups, missingGroups: remoteMembers, remoteMembers: localUsers, localUsers: localGroups, localGroups: "",
}

// begin starts a comparison of both sides, anew if one is going on.
func begin(t *store.SCIMTarget, prune bool) {
	t.Phase, t.Place, t.Round, t.Prune, t.Strangers = remoteUsers, "", t.Round+1, prune, 0
}

// walk goes one step on with a comparison, and keeps how far it is.
func (r *run) walk(ctx context.Context) error {
	switch r.target.Phase {
	case remoteUsers:
		return pageOf(ctx, r, store.PushUser, r.seeUser)
	case remoteGroups:
		return pageOf(ctx, r, store.PushGroup, r.seeGroup)
	case missingUsers:
		return r.unseen(ctx, store.PushUser)
	case missingGroups:
		return r.unseen(ctx, store.PushGroup)
	case remoteMembers:
		return r.seeMembers(ctx)
	case localUsers:
		return r.markAll(ctx, store.PushUser)
	}
	return r.markAll(ctx, store.PushGroup)
}

// onward keeps the place of a comparison; "" ends its phase.
func (r *run) onward(ctx context.Context, place string, strangers int64) error {
	return r.w.DB.UpdateRelaxed(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.Holds(r.lease); err != nil {
			return err
		}
		t, err := tx.SCIMTarget(r.target.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil || t.Round != r.target.Round { // begun anew
			return wrap(err, "load target")
		}
		t.Strangers += strangers
		if t.Place = place; place == "" {
			t.Phase = after[t.Phase]
		}
		if t.Phase != "" {
			return wrap(tx.SetTargetWalk(t), "keep place")
		}
		t.Prune, t.SyncedAt = false, tx.Now()
		if err := tx.SetTargetWalk(t); err != nil {
			return fmt.Errorf("keep place: %w", err)
		}
		return event(tx, t, "ScimPushCompared", map[string]any{"unknownThere": t.Strangers})
	})
}

// pageOf looks through a page of what is there.
func pageOf[T any](ctx context.Context, r *run, kind store.PushKind, see func(context.Context, T) (stranger bool, removed bool, err error)) error {
	all, next, err := list[T](ctx, r.peer, kind, "", r.target.Place)
	if status(err) == http.StatusBadRequest && r.target.Place != "" { // a cursor that is good no more: begin again
		return r.restart(ctx)
	}
	if err != nil {
		return err
	}
	strangers, removed := int64(0), 0
	for _, there := range all {
		s, gone, err := see(ctx, there)
		if err != nil {
			return err
		}
		if s {
			strangers++
		}
		if gone {
			removed++
		}
	}
	if removed > 0 && next != "" && r.target.Dialect == store.CompleteSCIM { // what comes after has moved up
		next = back(next, removed)
	}
	return r.onward(ctx, next, strangers)
}

// restart begins the phase again.
func (r *run) restart(ctx context.Context) error {
	return r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
		t := r.target
		t.Place = ""
		return errors.Join(tx.Holds(r.lease), tx.SetTargetWalk(t))
	})
}

// seeUser corrects what is kept of a user there.
func (r *run) seeUser(ctx context.Context, there person) (stranger, removed bool, err error) {
	if validID(there.ID) != nil {
		return false, false, nil
	}
	var f finding
	err = r.w.DB.View(ctx, func(tx *store.Tx) (err error) { f, err = aboutUser(tx, r.target, there); return err })
	if err != nil {
		return false, false, err
	}
	if f.stranger {
		removed, err = r.prune(ctx, store.PushUser, there.ID, bool(there.Active))
		return true, removed, err
	}
	return false, false, r.see(ctx, f, func() string {
		switch {
		case f.same && f.person == nil:
			return left
		case f.person != nil && f.person.same(there):
			return hashOf(*f.person)
		}
		return ""
	}())
}

// seeGroup corrects what is kept of a group there.
func (r *run) seeGroup(ctx context.Context, there team) (stranger, removed bool, err error) {
	if validID(there.ID) != nil {
		return false, false, nil
	}
	var f finding
	err = r.w.DB.View(ctx, func(tx *store.Tx) (err error) { f, err = aboutGroup(tx, r.target, there); return err })
	if err != nil {
		return false, false, err
	}
	if f.stranger {
		removed, err = r.prune(ctx, store.PushGroup, there.ID, true)
		return true, removed, err
	}
	hash := ""
	if f.same {
		hash = hashOf(*f.team)
	}
	return false, false, r.see(ctx, f, hash)
}

// see keeps that a record was seen there, and as what.
func (r *run) see(ctx context.Context, f finding, hash string) error {
	return r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
		if err := tx.Holds(r.lease); err != nil {
			return err
		}
		now, err := knownOf(tx, r.target, f.m.Kind, f.m.ID)
		if err != nil {
			return err
		}
		if now.begun && now.Remote != "" && now.Remote != f.m.Remote { // pushed meanwhile
			return nil
		}
		f.m.Hash, f.m.Round = hash, r.target.Round
		if err := tx.PutMapping(f.m.SCIMMapping); err != nil {
			return fmt.Errorf("keep mapping: %w", err)
		}
		if f.adopted {
			if err := errors.Join(markGroups(tx, &f.m), event(tx, r.target, "ScimPushAdopt", details(&f.m))); err != nil {
				return err
			}
		}
		if f.same {
			return nil
		}
		return wrap(tx.MarkDirty(r.target.ID, f.m.Kind, f.m.ID), "mark")
	})
}

// prune removes what is there and unknown here, if that was asked for.
func (r *run) prune(ctx context.Context, kind store.PushKind, id string, active bool) (removed bool, err error) {
	if !r.target.Prune {
		return false, nil
	}
	removed = kind == store.PushGroup || r.target.Deprovision == store.LeaveDeleted
	switch {
	case removed:
		err = r.peer.remove(ctx, kind, id)
	case active:
		err = r.peer.keepOut(ctx, id)
	default:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return removed, r.record(ctx, "ScimPushPrune", map[string]any{"kind": kind, "remoteId": id}, func(*store.Tx) error { return nil })
}

// unseen forgets what was said to be there and was not seen, and has it pushed again.
func (r *run) unseen(ctx context.Context, kind store.PushKind) error {
	var all []store.SCIMMapping
	err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Mappings(r.target.ID, kind, r.target.Place, walkPage)
		return err
	})
	if err != nil {
		return fmt.Errorf("list mappings: %w", err)
	}
	for _, m := range all {
		if m.Round >= r.target.Round || m.Remote == "" {
			continue
		}
		there, err := r.peer.has(ctx, kind, m.Remote) // a list may have missed what was moved meanwhile
		if err != nil {
			return err
		}
		if there {
			continue
		}
		gone := known{m, true}
		err = r.gone(ctx, "Missing", &gone)
		if err == nil {
			err = r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return tx.MarkDirty(m.Target, m.Kind, m.ID) })
		}
		if err != nil {
			return err
		}
	}
	place := ""
	if len(all) == walkPage {
		place = all[len(all)-1].ID
	}
	return r.onward(ctx, place, 0)
}

// seeMembers corrects what is kept of one group's members.
func (r *run) seeMembers(ctx context.Context) error {
	var all []store.SCIMMapping
	err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Mappings(r.target.ID, store.PushGroup, r.target.Place, 1)
		return err
	})
	if err != nil {
		return fmt.Errorf("list mappings: %w", err)
	}
	if len(all) == 0 {
		return r.onward(ctx, "", 0)
	}
	if all[0].Remote != "" {
		err := r.learn(ctx, &known{all[0], true})
		if err != nil && status(err) != http.StatusNotFound { // deleted meanwhile: pushing it will tell
			return err
		}
	}
	return r.onward(ctx, all[0].ID, 0)
}

// markAll marks a page of what is here.
func (r *run) markAll(ctx context.Context, kind store.PushKind) error {
	var last string
	err := r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) (err error) {
		if err := tx.Holds(r.lease); err != nil {
			return err
		}
		last, err = tx.MarkAfter(r.target, kind, r.target.Place, walkPage)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark what is here: %w", err)
	}
	return r.onward(ctx, last, 0) // killed before that, it marks the page once more
}

// back is a place by index, so many before another.
func back(place string, n int) string {
	at, err := strconv.Atoi(place)
	if err != nil {
		return place
	}
	return strconv.Itoa(max(1, at-n))
}
