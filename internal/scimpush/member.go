package scimpush

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"sallyport/internal/store"
)

// exchange puts those into a group there who are missing, or takes those out who are not to be in it. Those over whom the server
// stumbles do not keep it from the others.
func (r *run) exchange(ctx context.Context, m *known, join bool) error {
	var failed error
	for after := ""; ; {
		var some []store.PushedMember
		err := r.w.DB.View(ctx, func(tx *store.Tx) (err error) {
			if join {
				some, err = tx.Joining(m.Target, m.ID, after, maxDelta)
			} else {
				some, err = tx.Leaving(m.Target, m.ID, after, maxDelta)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("list members: %w", err)
		}
		if len(some) == 0 {
			return failed
		}
		after = some[len(some)-1].User
		if err := r.delta(ctx, m, join, some); err != nil {
			if !own(err) {
				return err
			}
			failed = err
		}
		if len(some) < maxDelta {
			return failed
		}
	}
}

// delta tells of members. A list that the server does not take is halved until it is known whose fault it is.
func (r *run) delta(ctx context.Context, m *known, join bool, some []store.PushedMember) error {
	if join {
		err := r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
			return errors.Join(tx.Holds(r.lease), tx.AddPushed(m.Target, m.ID, some, false))
		})
		if err != nil {
			return fmt.Errorf("keep intention: %w", err)
		}
	}
	err := r.peer.change(ctx, m.Remote, join, some)
	if err == nil {
		return r.keepMembers(ctx, m, join, some)
	}
	if !own(err) {
		return err
	}
	if status(err) == http.StatusNotFound {
		there, e := r.peer.has(ctx, store.PushGroup, m.Remote)
		switch {
		case e != nil:
			return e
		case !there:
			return errNoGroup
		}
	}
	if len(some) == 1 {
		return r.blame(ctx, m, join, some[0], err)
	}
	half := len(some) / 2
	first := r.delta(ctx, m, join, some[:half])
	if first != nil && !own(first) {
		return first
	}
	if second := r.delta(ctx, m, join, some[half:]); second != nil {
		return second
	}
	return first
}

func (r *run) keepMembers(ctx context.Context, m *known, join bool, some []store.PushedMember) error {
	all := details(m)
	ids := make([]string, len(some))
	for i, s := range some {
		ids[i] = s.User
	}
	all["members"] = ids
	if join {
		return r.record(ctx, "ScimPushAddMembers", all, func(tx *store.Tx) error {
			return wrap(tx.AddPushed(m.Target, m.ID, some, true), "keep members")
		})
	}
	return r.record(ctx, "ScimPushRemoveMembers", all, func(tx *store.Tx) error {
		return wrap(tx.RemovePushed(m.Target, m.ID, some), "forget members")
	})
}

// blame looks whether a member who is not taken is not there: then they are pushed again, and the group afterwards.
func (r *run) blame(ctx context.Context, m *known, join bool, one store.PushedMember, cause error) error {
	there, err := r.peer.has(ctx, store.PushUser, one.Remote)
	if err != nil {
		return err
	}
	if there {
		return cause
	}
	if !join {
		return r.keepMembers(ctx, m, false, []store.PushedMember{one})
	}
	return r.record(ctx, "ScimPushMissing", map[string]any{"kind": store.PushUser, "localId": one.User, "remoteId": one.Remote}, func(tx *store.Tx) error {
		if err := tx.MarkGroupsOf(m.Target, one.User); err != nil {
			return fmt.Errorf("mark groups: %w", err)
		}
		if err := tx.DeleteMapping(store.SCIMMapping{Target: m.Target, Kind: store.PushUser, ID: one.User}); err != nil {
			return fmt.Errorf("forget mapping: %w", err)
		}
		return wrap(tx.MarkDirty(m.Target, store.PushUser, one.User), "mark user")
	})
}

// learn makes what is kept of a group's members what they are there. Strangers among them are left alone.
func (r *run) learn(ctx context.Context, m *known) error {
	there := map[string]string{}
	err := r.peer.members(ctx, m.Remote, func(ids []string) error {
		return r.w.DB.View(ctx, func(tx *store.Tx) error {
			known, err := tx.KnownThere(m.Target, ids)
			for _, k := range known {
				there[k.User] = k.Remote
			}
			return wrap(err, "look members up")
		})
	})
	if err != nil {
		return err
	}
	for after := ""; ; {
		kept, err := r.unlearn(ctx, m, after, there)
		if err != nil {
			return fmt.Errorf("correct members: %w", err)
		}
		if len(kept) < walkPage {
			return r.learnNew(ctx, m, there)
		}
		after = kept[len(kept)-1].User
	}
}

// unlearn forgets those of a page of members who are not in the group there, and takes those out of there who are kept as they are.
func (r *run) unlearn(ctx context.Context, m *known, after string, there map[string]string) (kept []store.PushedMember, err error) {
	err = r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) (err error) {
		if err := tx.Holds(r.lease); err != nil {
			return err
		}
		if kept, err = tx.Pushed(m.Target, m.ID, after, walkPage); err != nil {
			return err
		}
		var wrong []store.PushedMember
		for _, k := range kept {
			if there[k.User] != k.Remote {
				wrong = append(wrong, k)
			}
		}
		return tx.RemovePushed(m.Target, m.ID, wrong)
	})
	for _, k := range kept {
		if there[k.User] == k.Remote && k.Sure {
			delete(there, k.User)
		}
	}
	return kept, err
}

func (r *run) learnNew(ctx context.Context, m *known, there map[string]string) error {
	var some []store.PushedMember
	flush := func() error {
		err := r.w.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
			return errors.Join(tx.Holds(r.lease), tx.AddPushed(m.Target, m.ID, some, true))
		})
		some = nil
		return wrap(err, "correct members")
	}
	for user, remote := range there {
		if some = append(some, store.PushedMember{User: user, Remote: remote}); len(some) == walkPage {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
