package emergency_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/emergency"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// TestSelfTest: whatever would keep an access from being opened is found, told, and put on record; the trial leaves nothing open.
func TestSelfTest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*world, *store.Tx) error
		codes int
		want  string // part of what is found; empty: it could be opened
	}{
		"nothing":                {spoil: func(*world, *store.Tx) error { return nil }},
		"nothing, with codes":    {spoil: func(*world, *store.Tx) error { return nil }, codes: 1},
		"approver disabled":      {spoil: func(w *world, tx *store.Tx) error { return w.disable(tx, "ben") }, want: "ben is disabled."},
		"approver, but codes":    {spoil: func(w *world, tx *store.Tx) error { return w.disable(tx, "ben") }, codes: 1},
		"opener's passkey gone":  {spoil: func(w *world, tx *store.Tx) error { return tx.DeleteFactor(w.passkey(tx, "anna").ID) }, want: "anna has none of the passkeys"},
		"opener without a word":  {spoil: func(w *world, tx *store.Tx) error { return tx.DeletePassword(w.people["anna"].ID) }, want: "anna has no password of their own"},
		"passkey that is sealed": {spoil: func(w *world, tx *store.Tx) error { return w.spoilKey(tx, "anna") }, want: "cannot be read with the keys"},
		"account suspended":      {spoil: func(_ *world, tx *store.Tx) error { return tx.SetAccountStatus(member, store.AccountSuspended) }, want: "it is suspended"},
		"permission set edited": {spoil: func(w *world, tx *store.Tx) error {
			return access.PutInlinePolicy(tx, must(tx.PermissionSet(w.set)), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`, quota.Limits{})
		}, want: "older edition"},
		"role gone": {spoil: func(w *world, tx *store.Tx) error {
			return tx.DeleteRole(member, must(tx.ProvisionedRole(member, w.set)).Name)
		}, want: "no role there"},
		"codes used up": {spoil: func(w *world, tx *store.Tx) error {
			all, _, err := tx.EmergencyAccesses(page.Query{Limit: 1})
			if err != nil {
				return err
			}
			return errors.Join(tx.PutEmergencyCodes(all[0].ID, []string{"hash"}), tx.UseEmergencyCode(all[0].ID, "hash", "opening"))
		}, codes: 1, want: "No offline code is left."},
		"codes of another epoch": {spoil: func(_ *world, tx *store.Tx) error { _, err := tx.SetEpoch("restored"); return err }, codes: 1, want: "make new ones"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.plan()
			p.Codes = c.codes
			e, _ := w.prepare(p)
			w.update(func(tx *store.Tx) error { return c.spoil(w, tx) })
			letters := w.letters()
			failures, err := w.Test(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" != (len(failures) == 0) || !strings.Contains(strings.Join(failures, " "), c.want) {
				t.Errorf("found %v, want %q", failures, c.want)
			}
			failed := min(len(failures), 1)
			if n := w.count("EmergencySelfTestFailed"); n != failed {
				t.Errorf("%d events tell of the failure, want %d", n, failed)
			}
			if n := w.letters() - letters; n != failed {
				t.Errorf("%d letters tell of the failure, want %d", n, failed)
			}
			w.update(func(tx *store.Tx) error {
				e := must(tx.EmergencyAccess(e.ID))
				if !slices.Equal(e.Failures, failures) || e.TestedAt.IsZero() {
					t.Errorf("kept are %v of %s", e.Failures, e.TestedAt)
				}
				if open, _, err := tx.Openings(page.Query{Limit: 1}); len(open) > 0 || err != nil {
					t.Errorf("the trial has left %+v, %v", open, err)
				}
				if ok, err := tx.EmergencyStands(w.people["anna"].ID, member, w.set, ""); ok || err != nil {
					t.Errorf("the trial has left a grant, %v", err)
				}
				return nil
			})
			if w.count("OpenEmergencyAccess") != 0 {
				t.Error("the trial is on record as an opening")
			}
		})
	}
}

func (w *world) disable(tx *store.Tx, name string) error {
	u := w.people[name]
	u.Status = store.UserDisabled
	return tx.UpdateUser(u)
}

// at moves the clock to a time.
func (w *world) at(t time.Time) { w.clock.Advance(t.Sub(w.clock.Now())) }

// spoilKey seals somebody's passkey with what is no key of the server's.
func (w *world) spoilKey(tx *store.Tx, name string) error {
	f := w.passkey(tx, name)
	f.Sealed = []byte("of another server")
	return tx.UseFactor(f)
}

// letters counts those that wait.
func (w *world) letters() int {
	w.tb.Helper()
	jobs, err := w.DB.ClaimJobs(w.tb.Context(), "mail", "test", 100, time.Microsecond)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.clock.Advance(time.Second) // they can be claimed again
	return len(jobs)
}

// TestDaily: each access is tested once a day, from its hour on, whoever was late; a failure is told each day anew.
func TestDaily(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // at nine
	e, _ := w.prepare(w.plan())
	w.update(func(tx *store.Tx) error { _, err := setting.Put(tx, "emergency.test-hour", "11", operator); return err })
	work := emergency.Worker{Service: w.Service, Node: "one", Log: slog.New(slog.DiscardHandler)}
	other := emergency.Worker{Service: w.Service, Node: "other", Log: slog.New(slog.DiscardHandler)}
	tested := func() (at time.Time) {
		t.Helper()
		for _, w := range []*emergency.Worker{&work, &other} {
			if err := w.Work(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		w.update(func(tx *store.Tx) error { at = must(tx.EmergencyAccess(e.ID)).TestedAt; return nil })
		return at
	}
	w.at(time.Date(2026, 11, 25, 10, 59, 59, 0, time.UTC))
	if at := tested(); !at.IsZero() {
		t.Errorf("tested before its hour, at %s", at)
	}
	first := time.Date(2026, 11, 25, 11, 0, 0, 0, time.UTC)
	w.at(first)
	if at := tested(); !at.Equal(first) {
		t.Errorf("tested at %s, not %s", at, first)
	}
	w.at(first.Add(23 * time.Hour))
	if at := tested(); !at.Equal(first) {
		t.Errorf("tested twice a day, at %s", at)
	}
	w.update(func(tx *store.Tx) error { return w.disable(tx, "ben") })
	for day := range 3 { // the first time an hour late
		w.at(first.Add(time.Duration(day+1)*24*time.Hour + time.Hour))
		tested()
		if n := w.count("EmergencySelfTestFailed"); n != day+1 {
			t.Errorf("%d failures are on record after %d days", n, day+1)
		}
	}
}
