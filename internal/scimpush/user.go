package scimpush

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sallyport/internal/store"
)

// obstacle is a reason of our own for which a record is not pushed.
type obstacle struct{ text string }

func (o *obstacle) Error() string { return o.text }

// wantedUser is a user as a target is to have them; nil: it is not to have them.
func wantedUser(tx *store.Tx, t store.SCIMTarget, id string) (*person, error) {
	u, err := tx.User(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.StoreID != t.StoreID {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load user: %w", err)
	}
	if !t.Everyone {
		if in, err := tx.TargetHasUser(t.ID, id); err != nil || !in {
			return nil, wrap(err, "look whether user is pushed")
		}
	}
	p := personOf(t, u)
	return &p, nil
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// known is what is known of a record there.
type known struct {
	store.SCIMMapping
	begun bool // to make it there, at least
}

func knownOf(tx *store.Tx, t store.SCIMTarget, kind store.PushKind, id string) (known, error) {
	m, err := tx.Mapping(t.ID, kind, id)
	if errors.Is(err, store.ErrNotFound) {
		return known{SCIMMapping: store.SCIMMapping{Target: t.ID, Kind: kind, ID: id, Round: t.Round}}, nil
	}
	return known{m, err == nil}, wrap(err, "load mapping")
}

// user brings a user there to what is wanted.
func (r *run) user(ctx context.Context, d store.SCIMDirty) error {
	var want *person
	var m known
	err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
		if want, err = wantedUser(tx, r.target, d.ID); err != nil {
			return err
		}
		m, err = knownOf(tx, r.target, store.PushUser, d.ID)
		return err
	})
	switch {
	case err != nil:
		return err
	case want == nil && m.begun:
		err = r.userLeaves(ctx, &m)
	case want != nil && m.Remote != "":
		err = r.updateUser(ctx, &m, *want)
		if status(err) == http.StatusNotFound {
			if err = r.gone(ctx, "Missing", &m); err == nil {
				err = r.createUser(ctx, &m, *want)
			}
		}
	case want != nil:
		err = r.createUser(ctx, &m, *want)
	}
	if err != nil {
		return err
	}
	return r.clean(ctx, d)
}

// intend keeps, before a request, what it may do: should its answer be lost, it is known that it must be made again.
func (r *run) intend(ctx context.Context, m *known, active bool) error {
	if m.begun && m.Hash == "" && (m.Active || !active) {
		return nil
	}
	m.Hash, m.Active, m.begun = "", m.Active || active, true
	err := r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return errors.Join(tx.Holds(r.lease), tx.PutMapping(m.SCIMMapping)) })
	return wrap(err, "keep intention")
}

// details are what the event of a change says.
func details(m *known) map[string]any {
	return map[string]any{"kind": m.Kind, "localId": m.ID, "remoteId": m.Remote}
}

// keep records a change of a record there.
func (r *run) keep(ctx context.Context, change string, m *known) error {
	return r.record(ctx, "ScimPush"+change, details(m), func(tx *store.Tx) error { return wrap(tx.PutMapping(m.SCIMMapping), "keep mapping") })
}

// keepNew records that a record is there now. People can be put into groups from now on, or are to be taken out.
func (r *run) keepNew(ctx context.Context, change string, m *known) error {
	return r.record(ctx, "ScimPush"+change, details(m), func(tx *store.Tx) error {
		if err := tx.PutMapping(m.SCIMMapping); err != nil {
			return fmt.Errorf("keep mapping: %w", err)
		}
		return markGroups(tx, m)
	})
}

// markGroups has the groups look again that a user is in.
func markGroups(tx *store.Tx, m *known) error {
	if m.Kind == store.PushGroup {
		return nil
	}
	return wrap(tx.MarkGroupsOf(m.Target, m.ID), "mark groups")
}

// gone records that a record is there no more.
func (r *run) gone(ctx context.Context, change string, m *known) error {
	was := *m
	*m = known{SCIMMapping: store.SCIMMapping{Target: m.Target, Kind: m.Kind, ID: m.ID, Round: r.target.Round}}
	return r.record(ctx, "ScimPush"+change, details(&was), func(tx *store.Tx) error {
		if err := markGroups(tx, &was); err != nil {
			return err
		}
		return wrap(tx.DeleteMapping(was.SCIMMapping), "forget mapping")
	})
}

// createUser makes a user there. One who is there already is taken over: a request whose answer was lost, or somebody whom others have
// made (case S13).
func (r *run) createUser(ctx context.Context, m *known, want person) error {
	if m.begun { // and perhaps done, under a name that is theirs no more
		there, err := r.peer.findPerson(ctx, want)
		if err != nil {
			return err
		}
		if there != nil {
			return r.adoptUser(ctx, m, *there, want)
		}
	}
	if err := r.intend(ctx, m, bool(want.Active)); err != nil {
		return err
	}
	id, err := r.peer.create(ctx, store.PushUser, want)
	if err == nil {
		m.Remote, m.Hash, m.Active, m.Made = id, hashOf(want), bool(want.Active), true
		return r.keepNew(ctx, "Create", m)
	}
	if status(err) != http.StatusConflict {
		return err
	}
	there, e := r.peer.findPerson(ctx, want)
	switch {
	case e != nil:
		return e
	case there == nil: // something else of theirs is taken, such as the mail address
		return err
	}
	return r.adoptUser(ctx, m, *there, want)
}

func (r *run) adoptUser(ctx context.Context, m *known, there, want person) error {
	if err := r.free(ctx, store.PushUser, there.ID, m.ID); err != nil {
		return err
	}
	m.Remote, m.Hash, m.Active, m.Made = there.ID, "", bool(there.Active), there.ExternalID == m.ID
	if err := r.keepNew(ctx, "Adopt", m); err != nil {
		return err
	}
	return r.updateUser(ctx, m, want)
}

// free is an obstacle if what is there is another record's: whoever comes later must not get what somebody has there who has left.
func (r *run) free(ctx context.Context, kind store.PushKind, remote, id string) error {
	return r.w.DB.View(ctx, func(tx *store.Tx) error {
		m, err := tx.MappingOf(r.target.ID, kind, remote)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && m.ID == id:
			return nil
		case err != nil:
			return fmt.Errorf("look for mapping: %w", err)
		case m.Hash == left:
			return &obstacle{fmt.Sprintf("The name is there still, of somebody who has left (%s). Delete them there, and compare both sides (sync).", remote)}
		}
		return &obstacle{fmt.Sprintf("The name is another's there (%s), who is %s here.", remote, m.ID)}
	})
}

// updateUser makes a user there what is wanted. Who is to be kept out is so first, whatever the server says of the rest.
func (r *run) updateUser(ctx context.Context, m *known, want person) error {
	hash := hashOf(want)
	if m.Hash == hash && m.Active == bool(want.Active) {
		return nil
	}
	if !bool(want.Active) && m.Active {
		after := ""
		if m.Hash == hash { // that is all there is to say
			after = hash
		}
		if err := r.disable(ctx, m, after); err != nil || after != "" {
			return err
		}
	}
	if err := r.intend(ctx, m, bool(want.Active)); err != nil {
		return err
	}
	if err := r.peer.do(ctx, http.MethodPut, path(store.PushUser, m.Remote), want, nil); err != nil {
		return err
	}
	m.Hash, m.Active = hash, bool(want.Active)
	return r.keep(ctx, "Update", m)
}

func (r *run) keepQuietly(ctx context.Context, m *known) error {
	err := r.w.DB.UpdateRelaxed(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return errors.Join(tx.Holds(r.lease), tx.PutMapping(m.SCIMMapping), markGroups(tx, m))
	})
	return wrap(err, "keep mapping")
}

// disable keeps a user out there.
func (r *run) disable(ctx context.Context, m *known, hash string) error {
	if err := r.intend(ctx, m, false); err != nil {
		return err
	}
	if err := r.peer.keepOut(ctx, m.Remote); err != nil {
		return err
	}
	m.Active, m.Hash = false, hash
	if hash == left { // and is in no group
		return r.keepNew(ctx, "Disable", m)
	}
	return r.keep(ctx, "Disable", m)
}

// userLeaves keeps somebody out there who is here no more, or deletes them. Who was there before us is only kept out.
func (r *run) userLeaves(ctx context.Context, m *known) error {
	if m.Remote == "" { // they may be there
		there, err := r.peer.findPerson(ctx, person{ExternalID: m.ID})
		if err != nil {
			return err
		}
		if there == nil {
			return r.forget(ctx, m)
		}
		m.Remote, m.Active, m.Made = there.ID, true, true
	}
	if r.target.Deprovision == store.LeaveDeleted && m.Made {
		if err := r.peer.remove(ctx, store.PushUser, m.Remote); err != nil {
			return err
		}
		return r.gone(ctx, "Delete", m)
	}
	switch {
	case m.Hash == left:
		return nil
	case !m.Active && m.Hash != "": // kept out already
		m.Hash = left
		return r.keepQuietly(ctx, m)
	}
	err := r.disable(ctx, m, left)
	if status(err) == http.StatusNotFound {
		return r.gone(ctx, "Missing", m)
	}
	return err
}

// forget ends an intention of which nothing came.
func (r *run) forget(ctx context.Context, m *known) error {
	err := r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error { return errors.Join(tx.Holds(r.lease), tx.DeleteMapping(m.SCIMMapping)) })
	return wrap(err, "forget mapping")
}
