package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestErrorsStayWithTheirClosure: an error of one closure never touches its neighbours.
func TestErrorsStayWithTheirClosure(t *testing.T) {
	t.Parallel()
	db := faultySQLite(t, &faults{})
	before := db.Stats().Batches
	bad, loud := put("bad"), put("loud")
	insert := bad.fn
	bad.fn = func(tx *Tx) error { return errors.Join(insert(tx), errInjected) }
	insertLoud := loud.fn
	loud.fn = func(tx *Tx) error { _ = insertLoud(tx); panic("ouch") }
	all := []*caller{put("1"), bad, put("2"), loud, put("1"), put("3")}
	batch(t, db, all...)
	outcomes(t, 1, ".x.xx.", all...)
	if !errors.Is(bad.err, errInjected) || !errors.Is(all[4].err, ErrExists) || !strings.Contains(fmt.Sprint(loud.panic), "ouch") {
		t.Errorf("%v, %v, %v", bad.err, all[4].err, loud.panic)
	}
	if got := db.Stats().Batches - before; got != 1 {
		t.Errorf("%d batches", got)
	}
	kept(t, db, "1", "2", "3")
}

// TestAnswersComeAfterCommit: nobody is answered, not even with an error, before the commit.
func TestAnswersComeAfterCommit(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultySQLite(t, f)
	goOn, committing, flushed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	all := []*caller{put("1"), put("1"), {fn: func(*Tx) error { return errInjected }}}
	queueBatch(t, db, goOn, all...)
	f.set(func(_ driver.Conn, q string) error {
		if q == string(commit) {
			close(committing)
			<-flushed // a slow fsync
		}
		return nil
	})
	close(goOn)
	<-committing
	for i, c := range all {
		if c.runs.Load() != 1 {
			t.Errorf("closure %d has not run", i)
		}
		select {
		case <-c.done:
			t.Errorf("closure %d was answered before the commit", i)
		default:
		}
	}
	close(flushed)
	for _, c := range all {
		<-c.done
	}
	outcomes(t, 1, ".xx", all...)
	kept(t, db, "1")
}

// TestNobodyWaitsForABatch: whoever comes while a commit flushes makes the next batch, together.
func TestNobodyWaitsForABatch(t *testing.T) {
	t.Parallel()
	f := &faults{}
	db := faultySQLite(t, f)
	w := db.engine.(*lite).writer
	var first sync.Once
	committing := make(chan struct{})
	f.set(func(_ driver.Conn, q string) error {
		if q == string(commit) {
			first.Do(func() {
				close(committing)
				for len(w.queue) < 50 {
					runtime.Gosched()
				}
			})
		}
		return nil
	})
	var all sync.WaitGroup
	add := func(id string) {
		all.Go(func() {
			if err := db.Update(t.Context(), put(id).fn); err != nil {
				t.Error(err)
			}
		})
	}
	add("a") // does not wait for others
	<-committing
	want := []string{"a"}
	for i := range 50 {
		id := fmt.Sprintf("b%02d", i)
		add(id)
		want = append(want, id)
	}
	all.Wait()
	if got := db.Stats().Batches; got != 2 {
		t.Errorf("%d batches", got)
	}
	var got []string
	err := db.View(t.Context(), func(tx *Tx) error {
		accounts, err := tx.Accounts("", 100)
		for _, a := range accounts {
			got = append(got, string(a.ID))
		}
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestBatchesAreBounded(t *testing.T) {
	t.Parallel()
	db := faultySQLite(t, &faults{})
	var all []*caller
	for i := range maxBatch + 10 {
		all = append(all, &caller{fn: func(tx *Tx) error { return tx.SetMeta(strconv.Itoa(i), "") }})
	}
	batch(t, db, all...)
	if got := db.Stats().Batches; got != 2 {
		t.Errorf("%d closures in %d batches", len(all), got)
	}
	db.engine.(*lite).writer.most = maxBatchTime
	slow := func() *caller { return &caller{fn: func(*Tx) error { time.Sleep(2 * maxBatchTime); return nil }} }
	before := db.Stats().Batches
	batch(t, db, slow(), slow(), slow())
	if got := db.Stats().Batches - before; got < 3 {
		t.Errorf("three slow closures in %d batches", got)
	}
}
