package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// parallelUpdates read a number and write its successor: a lost update would be seen in the sum. All touch one row, so
// some callers may be told to come back.
func parallelUpdates(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	const callers, each = 8, 10
	parallel(callers, func(int) {
		for done := 0; done < each; {
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				was, err := tx.Meta("count")
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				return tx.SetMeta("count", strconv.Itoa(number(was)+1))
			})
			switch {
			case err == nil:
				done++
			case fault.KindOf(err) != fault.Throttled:
				t.Error(err)
				return
			}
		}
	})
	if got := meta(t, db, "count"); got != strconv.Itoa(callers*each) {
		t.Errorf("counted %s of %d", got, callers*each)
	}
}

// writeSkew: two transactions read both rows and each writes the other; one of them must see the other's write.
func writeSkew(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	update(t, db, func(tx *store.Tx) error { return errors.Join(tx.SetMeta("a", "on"), tx.SetMeta("b", "on")) })
	var met sync.WaitGroup
	met.Add(2)
	var first [2]sync.Once
	parallel(2, func(i int) {
		mine := []string{"a", "b"}[i]
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			a, errA := tx.Meta("a")
			b, errB := tx.Meta("b")
			if err := errors.Join(errA, errB); err != nil {
				return err
			}
			first[i].Do(func() { // on PostgreSQL, both have read before either writes
				met.Done()
				waitShortly(&met)
			})
			if a == "on" && b == "on" { // one must stay on
				return tx.SetMeta(mine, "off")
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if a, b := meta(t, db, "a"), meta(t, db, "b"); (a == "on") == (b == "on") {
		t.Errorf("a is %s and b is %s: not serializable", a, b)
	}
}

// waitShortly waits for others who may not be able to come, as where there is only one writer.
func waitShortly(wg *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(100 * time.Millisecond):
	}
}

func uniqueRace(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	var won, lost atomic.Int32
	parallel(16, func(i int) {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			return tx.InsertAccount(store.Account{ID: "111122223333", Name: strconv.Itoa(i)})
		})
		switch {
		case err == nil:
			won.Add(1)
		case errors.Is(err, store.ErrExists):
			lost.Add(1)
		default:
			t.Error(err)
		}
	})
	if won.Load() != 1 || lost.Load() != 15 {
		t.Errorf("%d inserted, %d were told that it exists", won.Load(), lost.Load())
	}
}

// textIsBytes: keys differ by case, and are in the order of their bytes.
func textIsBytes(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	ids := []arn.AccountID{"b", "a", "B", "A", "_", "é", "z", "a b", "ab", "ﬀ", "𝒶", "a-b", "1", "İ"}
	update(t, db, func(tx *store.Tx) error {
		for _, id := range ids {
			if err := tx.InsertAccount(store.Account{ID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	var got []arn.AccountID
	err := db.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.Accounts("", 100)
		for _, a := range all {
			got = append(got, a.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Error(diff)
	}
}

// stablePages: whoever was there at the first page is seen exactly once, whoever else comes meanwhile.
func stablePages(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	insert := func(n int) {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			return tx.InsertAccount(store.Account{ID: arn.AccountID(fmt.Sprintf("%04d", n))})
		})
		if err != nil {
			t.Error(err)
		}
	}
	for n := range 50 {
		insert(2 * n)
	}
	var others sync.WaitGroup
	others.Go(func() {
		for n := range 50 {
			insert(2*n + 1)
		}
	})
	var seen []arn.AccountID
	for after, more := arn.AccountID(""), true; more; {
		err := db.View(t.Context(), func(tx *store.Tx) error {
			page, err := tx.Accounts(after, 7)
			more = len(page) == 7
			for _, a := range page {
				seen = append(seen, a.ID)
				after = a.ID
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	others.Wait()
	if !slices.IsSorted(seen) || len(slices.Compact(slices.Clone(seen))) != len(seen) {
		t.Errorf("out of order, or twice: %v", seen)
	}
	for n := range 50 {
		if !slices.Contains(seen, arn.AccountID(fmt.Sprintf("%04d", 2*n))) {
			t.Errorf("%04d is missing", 2*n)
		}
	}
}

// unrelatedUpdates: 64 callers, each with rows of its own; each change reads, looks whether
// something is there and makes it, enqueues, records a change and an event, as a real one does. Fewer than 5 % may be retried, and none fails (hard part 1).
func unrelatedUpdates(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	const callers, each = 64, 10
	update(t, db, func(tx *store.Tx) error {
		for i := range callers {
			if err := errors.Join(tx.InsertAccount(store.Account{ID: arn.AccountID(strconv.Itoa(i))}), tx.SetMeta(strconv.Itoa(i), "0")); err != nil {
				return err
			}
		}
		return nil
	})
	before := db.Stats()
	parallel(callers, func(i int) {
		me := strconv.Itoa(i)
		for n := range each {
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.Account(arn.AccountID(me)); err != nil {
					return err
				}
				was, err := tx.Meta(me)
				if err != nil {
					return err
				}
				mine := arn.AccountID(fmt.Sprintf("%s-%d", me, n))
				if _, err := tx.Account(mine); !errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("already there: %w", err)
				}
				return errors.Join(tx.InsertAccount(store.Account{ID: mine}), tx.SetMeta(me, strconv.Itoa(number(was)+1)),
					tx.Changed("user:"+me), tx.Enqueue(store.Job{Kind: "k", Key: me}), tx.AppendEvent(event(tx, string(mine))))
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	after := db.Stats()
	ran, retried := after.Transactions-before.Transactions, after.Retries-before.Retries
	if retried*20 >= ran {
		t.Errorf("%d of %d transactions were retries", retried, ran)
	}
	t.Logf("%d transactions, %d retries, %d batches", ran, retried, after.Batches-before.Batches)
}
