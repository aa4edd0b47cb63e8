package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

var keyTime = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

func mustUpdate(tb testing.TB, db *store.DB, fn func(*store.Tx) error) {
	tb.Helper()
	if err := db.Update(tb.Context(), fn); err != nil {
		tb.Fatal(err)
	}
}

func TestDataKeysComeInOrderOfUse(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(keyTime))
		want := []store.DataKey{
			{ID: "b", Purpose: "seal", Wrapped: []byte{0, 1, 0xff}, ActiveAt: keyTime},
			{ID: "a", Purpose: "seal", Wrapped: []byte("x"), ActiveAt: keyTime.Add(time.Hour)},
		}
		mustUpdate(t, db, func(tx *store.Tx) error {
			for _, k := range []store.DataKey{want[1], want[0], {ID: "c", Purpose: "page", Wrapped: []byte("y"), ActiveAt: keyTime}} {
				if err := tx.InsertDataKey(k); err != nil {
					return err
				}
			}
			got, err := tx.DataKeys("seal")
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			return err
		})
		err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertDataKey(want[0]) })
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("inserted twice: %v", err)
		}
	})
}

func TestEqualDocumentsAreKeptOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(keyTime))
		mustUpdate(t, db, func(tx *store.Tx) error {
			a, err := tx.PutDocument(`{"a":1}`)
			if err != nil {
				return err
			}
			again, err := tx.PutDocument(`{"a":1}`)
			if err != nil {
				return err
			}
			other, err := tx.PutDocument(`{"a": 1}`)
			if err != nil {
				return err
			}
			if a != again || a == other {
				t.Errorf("hashes %s, %s, %s", a, again, other)
			}
			text, err := tx.Document(a)
			if text != `{"a":1}` {
				t.Errorf("text %q", text)
			}
			if _, err := tx.Document(strings.Repeat("0", 64)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("no such document: %v", err)
			}
			return err
		})
	})
}

func TestEpoch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(keyTime))
		for _, want := range []string{"", "first", "second"} {
			mustUpdate(t, db, func(tx *store.Tx) error {
				o := store.Opening{ID: "of " + want, State: store.OpeningOpen, Review: store.ReviewOpen, Until: keyTime.Add(time.Hour)}
				err := errors.Join(tx.InsertOpening(o), tx.InsertEmergencyGrant(o, "123456789012"), tx.PutEmergencyCodes(want, []string{want}))
				if want != "" {
					_, again := tx.SetEpoch(want)
					err = errors.Join(err, again)
					if made, err := tx.EmergencyCodesMade(want); !made.IsZero() || err != nil {
						t.Errorf("codes of the earlier epoch are left, %v", err)
					}
					if now, err := tx.Opening(o.ID); now.State != store.OpeningEnded || err != nil {
						t.Errorf("the opening is %s, %v", now.State, err)
					}
				}
				got, again := tx.Epoch()
				if got != want {
					t.Errorf("epoch %q, not %q", got, want)
				}
				return errors.Join(err, again)
			})
		}
	})
}

// TestPruneOpening: what is forgotten goes with its record, in steps; what waits for its review stays.
func TestPruneOpening(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(keyTime))
		mustUpdate(t, db, func(tx *store.Tx) error {
			return errors.Join(
				tx.InsertOpening(store.Opening{ID: "1", State: store.OpeningEnded, Review: store.ReviewClosed, Until: keyTime, ReviewedAt: keyTime}),
				tx.InsertOpening(store.Opening{ID: "2", State: store.OpeningEnded, Review: store.ReviewOpen, Until: keyTime}),
				tx.InsertEmergencyEvent(store.EmergencyEvent{OpeningID: "1", EventID: "a"}), tx.InsertEmergencyEvent(store.EmergencyEvent{OpeningID: "1", EventID: "b"}),
				tx.InsertEmergencyEvent(store.EmergencyEvent{OpeningID: "2", EventID: "c"}), tx.InsertEmergencyUse(store.EmergencyUse{OpeningID: "1", AccessKeyID: "ASIA1"}))
		})
		steps := 0
		for more := true; more; steps++ {
			mustUpdate(t, db, func(tx *store.Tx) (err error) {
				more, err = tx.PruneOpening(keyTime.Add(time.Second), 2)
				return err
			})
		}
		mustUpdate(t, db, func(tx *store.Tx) error {
			_, gone := tx.Opening("1")
			_, kept := tx.Opening("2")
			of1, _, err1 := tx.EmergencyEvents("1", page.Query{Limit: 9})
			of2, _, err2 := tx.EmergencyEvents("2", page.Query{Limit: 9})
			if !errors.Is(gone, store.ErrNotFound) || kept != nil || len(of1) != 0 || len(of2) != 1 || steps != 3 {
				t.Errorf("after %d steps: %v, %v, %v, %v", steps, gone, kept, of1, of2)
			}
			return errors.Join(err1, err2)
		})
	})
}

func TestIAMUsers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(keyTime))
		ann := store.IAMUser{ID: "AIDA1", Account: "123456789012", Path: "/ops/", Name: "Ann", CreatedAt: keyTime}
		bob := store.IAMUser{ID: "AIDA2", Account: "123456789012", Path: "/", Name: "bob", CreatedAt: keyTime}
		far := store.IAMUser{ID: "AIDA3", Account: "210987654321", Path: "/", Name: "ANN", CreatedAt: keyTime}
		mustUpdate(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertIAMUser(bob), tx.InsertIAMUser(ann), tx.InsertIAMUser(far))
		})
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			return tx.InsertIAMUser(store.IAMUser{ID: "AIDA4", Account: "123456789012", Path: "/other/", Name: "aNN", CreatedAt: keyTime})
		})
		if !errors.Is(err, store.ErrExists) {
			t.Errorf("a name taken in another case: %v", err)
		}
		err = db.View(t.Context(), func(tx *store.Tx) error {
			got, err := tx.IAMUser("123456789012", "ANN")
			if d := cmp.Diff(ann, got); d != "" || err != nil {
				t.Errorf("%v %s", err, d)
			}
			if _, err := tx.IAMUser("123456789012", "eve"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("nobody: %v", err)
			}
			all, err := tx.IAMUsers("123456789012", "", 10)
			if d := cmp.Diff([]store.IAMUser{ann, bob}, all); d != "" {
				t.Error(d)
			}
			if rest, _ := tx.IAMUsers("123456789012", "Ann", 10); len(rest) != 1 {
				t.Errorf("after Ann: %v", rest)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if got := ann.ARN(); got != "arn:aws:iam::123456789012:user/ops/Ann" {
			t.Error(got)
		}
	})
}

func TestAccessKeysAndPolicies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clocktest.At(keyTime))
		u := store.IAMUser{ID: "AIDA1", Account: "123456789012", Path: "/", Name: "ann", CreatedAt: keyTime}
		k := store.AccessKey{ID: "AKIA1", User: u, Secret: []byte{1, 0, 2}, Status: store.KeyActive, CreatedAt: keyTime}
		mustUpdate(t, db, func(tx *store.Tx) error { return errors.Join(tx.InsertIAMUser(u), tx.InsertAccessKey(k)) })
		mustUpdate(t, db, func(tx *store.Tx) error {
			got, err := tx.AccessKey("AKIA1")
			if d := cmp.Diff(k, got); d != "" || err != nil {
				t.Errorf("%v %s", err, d)
			}
			if err := tx.SetAccessKeyStatus("AKIA1", store.KeyInactive); err != nil {
				return err
			}
			all, err := tx.AccessKeys("AIDA1")
			if len(all) != 1 || all[0].Status != store.KeyInactive {
				t.Errorf("keys %v", all)
			}
			if err := tx.DeleteAccessKey("AKIA1"); err != nil {
				return err
			}
			if _, err := tx.AccessKey("AKIA1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("deleted: %v", err)
			}
			if err := tx.SetAccessKeyStatus("AKIA1", store.KeyActive); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("status of nothing: %v", err)
			}
			return err
		})
		mustUpdate(t, db, func(tx *store.Tx) error {
			first, err := tx.PutDocument("{}")
			if err != nil {
				return err
			}
			second, err := tx.PutDocument("{ }")
			if err != nil {
				return err
			}
			managed := store.UserPolicy{UserID: "AIDA1", Name: "arn:aws:iam::aws:policy/AdministratorAccess", Document: second}
			inline := store.UserPolicy{UserID: "AIDA1", Name: "a", Inline: true, Document: first}
			old := managed
			old.Document = first
			for _, p := range []store.UserPolicy{inline, old, managed} {
				if err := tx.PutUserPolicy(p); err != nil {
					return err
				}
			}
			got, err := tx.UserPolicies("AIDA1")
			if d := cmp.Diff([]store.UserPolicy{managed, inline}, got); d != "" {
				t.Error(d)
			}
			if err := tx.DeleteUserPolicy("AIDA1", true, "a"); err != nil {
				return err
			}
			if err := tx.DeleteUserPolicy("AIDA1", true, "a"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("deleted twice: %v", err)
			}
			return err
		})
	})
}
