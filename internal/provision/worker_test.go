package provision_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/fault"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
)

func TestFailuresThatPassAreTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.backend.fail = always("ensure "+string(admintest.Member), errors.New("connection reset"))
	r := w.begin(access.BeginAssignment, admintest.Member)
	for range 5 {
		w.Settle(t)
		w.expect(r, store.RequestInProgress, "", store.AssignmentPending)
		w.Clock.Advance(10 * time.Second)
	}
	w.backend.fail = nil
	w.Settle(t)
	w.expect(r, store.RequestSucceeded, "", store.AssignmentGranted)
}

func TestFailuresForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.backend.fail = always("ensure "+string(admintest.Member), fault.Deniedf("Received a 403 status error: Access denied by IAM."))
	r := w.begin(access.BeginAssignment, admintest.Member)
	w.Settle(t)
	w.expect(r, store.RequestFailed, "Received a 403 status error: Access denied by IAM.", "")
	if want := []string{"ensure 222233334444", "remove 222233334444"}; !slices.Equal(w.backend.asked, want) {
		t.Errorf("asked %v: a role that nothing needs may be half made", w.backend.asked)
	}
	w.backend.fail = nil
	r = w.begin(access.BeginAssignment, admintest.Member)
	w.Settle(t)
	w.expect(r, store.RequestSucceeded, "", store.AssignmentGranted)
}

func TestFailuresThatDoNotPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.backend.fail = always("ensure "+string(admintest.Member), errors.New("secret detail of the backend"))
	r := w.begin(access.BeginAssignment, admintest.Member)
	for n := 0; w.request(r.ID).Status == store.RequestInProgress; n++ {
		if n > 30 {
			t.Fatal("tried for ever")
		}
		w.Clock.Advance(5 * time.Minute)
		w.Settle(t)
	}
	w.expect(r, store.RequestFailed, "An unexpected internal service exception was encountered", "")
}

func TestDeletionThatFailsForGood(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(*store.Tx, store.Assignment) (store.Request, error){
		"deleted again": access.BeginDeletion, "created again": access.BeginAssignment,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.begin(access.BeginAssignment, admintest.Member)
			w.Settle(t)
			w.backend.fail = always("remove "+string(admintest.Member), fault.Deniedf("no"))
			r := w.begin(access.BeginDeletion, admintest.Member)
			w.expect(r, store.RequestInProgress, "", store.AssignmentDeleting) // the grant is gone before the role is
			w.Settle(t)
			w.expect(r, store.RequestFailed, "no", store.AssignmentStuck)
			w.backend.fail = nil
			r = w.begin(next, admintest.Member)
			w.Settle(t)
			state := map[string]store.AssignmentState{"deleted again": "", "created again": store.AssignmentGranted}[name]
			w.expect(r, store.RequestSucceeded, "", state)
			if n := len(w.backend.roles[admintest.Member]); (n == 1) != (state == store.AssignmentGranted) {
				t.Errorf("%d roles in the account", n)
			}
		})
	}
}

// An answer that is lost on the way makes the worker ask again: still one role, of the same name.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.backend.after = func(string) error { return errors.New("timeout") }
	r := w.begin(access.BeginAssignment, admintest.Member)
	for range 3 {
		w.Settle(t)
		w.Clock.Advance(10 * time.Second)
	}
	w.backend.after = nil
	w.Settle(t)
	w.expect(r, store.RequestSucceeded, "", store.AssignmentGranted)
	if n := len(w.backend.roles[admintest.Member]); n != 1 {
		t.Errorf("%d roles", n)
	}
}

// Jobs of one account are done in the order in which they were asked for, whatever fails between.
func TestOrderWithinAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	failing := true
	w.backend.fail = func(string) error {
		if failing {
			return errors.New("not now")
		}
		return nil
	}
	var want []string
	for n := range 4 {
		w.Update(t, func(tx *store.Tx) error {
			set, err := access.CreatePermissionSet(tx, w.Instance, store.PermissionSet{Name: fmt.Sprint("Set", n)})
			if err != nil {
				return err
			}
			a := w.assignment(admintest.Member)
			a.Set = set.PermissionSet
			r, err := access.BeginAssignment(tx, a)
			want = append(want, r.ID)
			return err
		})
		w.Settle(t)
	}
	failing = false
	w.Clock.Advance(time.Minute)
	w.Settle(t)
	var got []string
	for _, e := range w.Events(t) {
		got = append(got, e["requestID"].(string))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOldRequestsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.begin(access.BeginAssignment, admintest.Member)
	w.Settle(t)
	w.Clock.Advance(40 * 24 * time.Hour)
	open := w.begin(access.BeginAssignment, admintest.Sandbox)
	w.Update(t, func(tx *store.Tx) error {
		n, err := tx.PurgeRequests(tx.Now().Add(-30*24*time.Hour), 100)
		if n != 1 {
			t.Errorf("forgot %d requests", n)
		}
		return err
	})
	w.View(t, func(tx *store.Tx) error {
		if _, err := tx.Request(old.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("old request: %v", err)
		}
		_, err := tx.Request(open.ID)
		return err
	})
}
