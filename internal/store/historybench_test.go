package store

import (
	"fmt"
	"sync/atomic"
	"testing"

	"sallyport/internal/arn"
)

// What a history costs those who change what it is about.

// BenchmarkAssign asks for an assignment, grants it, takes it away and removes it: four transactions as the API and its worker make them.
func BenchmarkAssign(b *testing.B) {
	var n atomic.Int64
	json := make([]byte, 900)
	set := arn.PermissionSet{Instance: "ssoins-1111111111111111", ID: "ps-1111111111111111"}
	benchmark(b, func(db *DB) error {
		a := Assignment{Account: "111122223333", Set: set, PrincipalType: PrincipalUser, PrincipalID: fmt.Sprintf("user-%d", n.Add(1)), State: AssignmentPending, CreatedAt: db.Now()}
		steps := []func(tx *Tx) error{
			func(tx *Tx) error { return tx.InsertAssignment(a) },
			func(tx *Tx) error { a.State = AssignmentGranted; return tx.SetAssignmentState(a) },
			func(tx *Tx) error { a.State = AssignmentDeleting; return tx.SetAssignmentState(a) },
			func(tx *Tx) error { return tx.DeleteAssignment(a) },
		}
		for _, step := range steps {
			err := db.Update(b.Context(), func(tx *Tx) error {
				if err := step(tx); err != nil {
					return err
				}
				return tx.AppendEvent(Event{ID: newID(tx.now), At: tx.now, JSON: json})
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// BenchmarkJoin puts a user into a group and out again.
func BenchmarkJoin(b *testing.B) {
	var n atomic.Int64
	benchmark(b, func(db *DB) error { return joinAndLeave(b, db, fmt.Sprintf("group-%d", n.Add(1)), 1) })
}

// BenchmarkJoinThousand puts a thousand users into a group and out again.
func BenchmarkJoinThousand(b *testing.B) {
	var n atomic.Int64
	benchmark(b, func(db *DB) error { return joinAndLeave(b, db, fmt.Sprintf("group-%d", n.Add(1)), 1000) })
}

func joinAndLeave(b *testing.B, db *DB, group string, size int) error {
	b.Helper()
	users := make([]string, size)
	all := make([]Membership, size)
	for i := range all {
		users[i] = fmt.Sprintf("user-%d", i)
		all[i] = Membership{ID: fmt.Sprintf("%s/%d", group, i), StoreID: "d-1111111111", GroupID: group, UserID: users[i], CreatedAt: db.Now(), CreatedBy: "arn:aws:iam::111122223333:user/operator"}
	}
	if err := db.Update(b.Context(), func(tx *Tx) error { return tx.InsertMemberships(all) }); err != nil {
		return err
	}
	return db.Update(b.Context(), func(tx *Tx) error { return tx.DeleteMembers(group, users) })
}
