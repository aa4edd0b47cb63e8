package emergency_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/emergency"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

const down = "It is down, all of it."

// TestRestoreVoids: after a restore no earlier code opens, no earlier request can be approved, and nothing is open; new codes work.
func TestRestoreVoids(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.plan()
	p.Codes, p.Openers = 2, append(p.Openers, w.people["cleo"].ID)
	e, codes := w.prepare(p)
	var open, asked store.Opening
	ask := func(tx *store.Tx, who, code string) store.Opening {
		t.Helper()
		o, problem, err := w.Ask(tx, w.comer(tx, who), e.ID, down, code)
		if problem != "" || err != nil {
			t.Fatalf("%s is refused: %q, %v", who, problem, err)
		}
		return o
	}
	w.update(func(tx *store.Tx) error {
		open, asked = ask(tx, "anna", codes[0]), ask(tx, "cleo", "")
		return tx.InsertEmergencySignIn("session of anna", w.passkey(tx, "anna").ID)
	})
	w.update(func(tx *store.Tx) error {
		v, err := tx.SetEpoch("restored")
		if len(v.Codes) != 1 || v.Codes[0] != e.Name {
			t.Errorf("codes of %q are void", v.Codes)
		}
		return err
	})
	w.update(func(tx *store.Tx) error {
		if ok := must(tx.EmergencyStands(w.people["anna"].ID, member, w.set, open.ID)); ok {
			t.Error("what was given stands")
		}
		for _, was := range []store.Opening{open, asked} {
			if o := must(tx.Opening(was.ID)); o.State != store.OpeningEnded || o.EndedBy != store.EndedByRestore || o.EndedAt.IsZero() || o.Review != was.Review {
				t.Errorf("left is %+v", o)
			}
		}
		if _, err := w.Proved(tx, store.Session{ID: "session of anna", UserID: w.people["anna"].ID}, w.comer(tx, "anna").From); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("the sign-in is good still: %v", err)
		}
		if _, err := w.Answer(tx, w.comer(tx, "ben"), asked.ID, true); fault.KindOf(err) != fault.Conflict {
			t.Errorf("the request is approved: %v", err)
		}
		for i, code := range codes { // one that was used, one that was not
			if _, problem, err := w.Ask(tx, w.comer(tx, "anna"), e.ID, down, code); problem == "" || err != nil {
				t.Errorf("code %d opens: %v", i, err)
			}
		}
		return nil
	})
	failures, err := w.Test(t.Context(), e.ID)
	if err != nil || !strings.Contains(strings.Join(failures, " "), "make new ones (sallyport emergency codes)") {
		t.Errorf("the test says %v, %v", failures, err)
	}
	w.update(func(tx *store.Tx) (err error) {
		codes, err = w.NewCodes(tx, must(tx.EmergencyAccess(e.ID)), 1)
		return err
	})
	w.update(func(tx *store.Tx) error {
		if o := ask(tx, "anna", codes[0]); o.State != store.OpeningOpen || o.ID == open.ID {
			t.Errorf("a new code leaves it %+v", o)
		}
		return nil
	})
	if failures, err := w.Test(t.Context(), e.ID); len(failures) != 1 || failures[0] != "No offline code is left." || err != nil {
		t.Errorf("with the new code used the test says %v, %v", failures, err)
	}
}

// TestPrune: an opening is forgotten, with all of its record, a while after it was reviewed; before that never.
func TestPrune(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e, _ := w.prepare(w.plan())
	var o store.Opening
	w.update(func(tx *store.Tx) (err error) {
		if o, _, err = w.Ask(tx, w.comer(tx, "anna"), e.ID, down, ""); err != nil {
			return err
		}
		if o, err = w.Answer(tx, w.comer(tx, "ben"), o.ID, true); err != nil {
			return err
		}
		for i := range 501 { // beside that of the opening: more than one transaction forgets
			if err := tx.InsertEmergencyEvent(store.EmergencyEvent{OpeningID: o.ID, EventID: fmt.Sprintf("%04d", i), At: tx.Now()}); err != nil {
				return err
			}
		}
		if err := tx.InsertEmergencyUse(store.EmergencyUse{OpeningID: o.ID, AccessKeyID: "ASIA1", Account: member, At: tx.Now(), Until: o.Until}); err != nil {
			return err
		}
		return w.CloseBy(tx, o, operator)
	})
	w.update(func(tx *store.Tx) (err error) { // a request that was never open
		denied, _, err := w.Ask(tx, w.comer(tx, "anna"), e.ID, down, "")
		if err != nil {
			return err
		}
		_, err = w.Answer(tx, w.comer(tx, "ben"), denied.ID, false)
		return err
	})
	left := func() (n, events, uses int) {
		t.Helper()
		for more := true; more; {
			w.update(func(tx *store.Tx) (err error) { more, err = emergency.Prune(tx); return err })
		}
		w.update(func(tx *store.Tx) error {
			all, _, err := tx.Openings(page.Query{Limit: 10})
			done, _, err2 := tx.EmergencyEvents(o.ID, page.Query{Limit: 1000})
			n, events, uses = len(all), len(done), len(must(tx.EmergencyUses(o.ID, 10)))
			if err != nil {
				return err
			}
			return err2
		})
		return n, events, uses
	}
	check := func(when string, n, events, uses int) {
		t.Helper()
		if gotN, gotE, gotU := left(); gotN != n || gotE != events || gotU != uses {
			t.Errorf("%s: %d openings, %d events, %d credentials are left, want %d, %d, %d", when, gotN, gotE, gotU, n, events, uses)
		}
	}
	const keep = 400 * 24 * time.Hour
	check("at once", 2, 502, 1)
	w.clock.Advance(keep + 5*time.Hour)
	check("not reviewed", 1, 502, 1)
	w.update(func(tx *store.Tx) error {
		_, err := emergency.CloseReview(tx, o.ID, emergency.Reviewer{Name: operator}, down)
		return err
	})
	w.clock.Advance(keep)
	check("reviewed, as long ago as is kept", 1, 502, 1)
	w.clock.Advance(time.Second)
	check("reviewed longer ago", 0, 0, 0)
}
