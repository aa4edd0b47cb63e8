package store_test

import (
	stdcmp "cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// What a user has comes in pages of any size, whole and in order, whether their groups have much or little.
func TestAssignmentsOfUserArePaged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		db := open(t, clock.System{})
		var want []store.Assignment
		mustUpdate(t, db, func(tx *store.Tx) (err error) {
			want, err = randomAssignments(tx, rand.New(rand.NewPCG(1, 2)))
			return err
		})
		for _, limit := range []int{1, 2, 3, 5, 8, 20, 100, 1000} {
			got := everyPage(t, db, limit)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("pages of %d (-want +got):\n%s", limit, diff)
			}
		}
	})
}

// randomAssignments gives a user, and the groups that they are in, some assignments that count and some that do not.
func randomAssignments(tx *store.Tx, random *rand.Rand) ([]store.Assignment, error) {
	var want []store.Assignment
	for g := range 13 {
		id, kind := fmt.Sprintf("group-%02d", g), store.PrincipalGroup
		if g == 12 {
			id, kind = "user", store.PrincipalUser
		} else if err := tx.InsertGroup(store.Group{ID: id, StoreID: "d-1", DisplayName: id}); err != nil {
			return nil, err
		}
		joined := g%4 != 3
		if joined && kind == store.PrincipalGroup {
			if err := tx.InsertMemberships([]store.Membership{{ID: "m-" + id, StoreID: "d-1", GroupID: id, UserID: "user"}}); err != nil {
				return nil, err
			}
		}
		for range random.IntN(40) {
			a := store.Assignment{
				Account: arn.AccountID(fmt.Sprintf("%012d", random.IntN(15))), Set: arn.PermissionSet{Instance: "ssoins-1", ID: fmt.Sprintf("ps-%d", random.IntN(30))},
				PrincipalType: kind, PrincipalID: id, State: store.AssignmentGranted,
			}
			counts := joined
			switch random.IntN(8) {
			case 0:
				a.State, counts = store.AssignmentPending, false
			case 1:
				a.Set.Instance, counts = "ssoins-2", false
			}
			if _, err := tx.Assignment(a); err == nil {
				continue
			}
			if err := tx.InsertAssignment(a); err != nil {
				return nil, err
			}
			if counts {
				want = append(want, a)
			}
		}
	}
	slices.SortFunc(want, func(a, b store.Assignment) int {
		return stdcmp.Or(stdcmp.Compare(a.Account, b.Account), stdcmp.Compare(a.Set.ID, b.Set.ID), stdcmp.Compare(a.PrincipalID, b.PrincipalID))
	})
	return want, nil
}

func everyPage(t *testing.T, db *store.DB, limit int) (got []store.Assignment) {
	t.Helper()
	for q := (page.Query{Limit: limit}); ; {
		var rows []store.Assignment
		err := db.View(t.Context(), func(tx *store.Tx) (err error) {
			rows, q.After, err = tx.AssignmentsOf("ssoins-1", store.PrincipalUser, "user", "", q)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rows...)
		if q.After == nil {
			return got
		}
		if len(rows) != limit {
			t.Errorf("a page of %d that is not the last has %d", limit, len(rows))
		}
	}
}
