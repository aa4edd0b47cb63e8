package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

func changed(keys ...string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		var errs []error
		for _, k := range keys {
			errs = append(errs, tx.Changed(k))
		}
		return errors.Join(errs...)
	}
}

func keys(changes []store.Change) (out []string) {
	for _, c := range changes {
		out = append(out, c.Key)
	}
	slices.Sort(out)
	return out
}

// changesTold: whoever has been answered finds the change known in this process.
func changesTold(t *testing.T, dsn newDSN) {
	db, c := fresh(t, dsn)
	var mu sync.Mutex
	told := map[string]store.Change{}
	db.WatchChanges(func(changes []store.Change) {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range changes {
			told[c.Key] = c
		}
	})
	parallel(20, func(i int) {
		key := fmt.Sprintf("user:%d", i)
		if err := db.Update(t.Context(), changed(key, key)); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if got := told[key]; got.Key != key || got.ID == "" || !got.At.Equal(c.Now()) {
			t.Errorf("%s is not known: %+v", key, got)
		}
	})
	err := db.Update(t.Context(), func(tx *store.Tx) error { return errors.Join(tx.Changed("user:none"), errOwn) })
	if _, ok := told["user:none"]; ok || !errors.Is(err, errOwn) {
		t.Errorf("told of a change that was not kept; %v", err)
	}
}

func changesPolled(t *testing.T, dsn newDSN) {
	db, c := fresh(t, dsn)
	poll := func(cursor string) store.Poll {
		t.Helper()
		p, err := db.PollChanges(t.Context(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		if lag := p.ServerTime.Sub(p.Heartbeat); lag < 0 || lag > 2*time.Second {
			t.Errorf("heartbeat of %v at %v", p.Heartbeat, p.ServerTime)
		}
		return p
	}
	if p := poll(""); len(p.Changes) > 0 {
		t.Errorf("empty database has changes: %v", p.Changes)
	}
	update(t, db, changed("user:1", "user:2"))
	first := poll("")
	if diff := cmp.Diff([]string{"user:1", "user:2"}, keys(first.Changes)); diff != "" {
		t.Error(diff)
	}
	update(t, db, changed("user:3"))
	if !db.PushesChanges() {
		if got := keys(poll(first.Cursor).Changes); !slices.Contains(got, "user:3") {
			t.Errorf("second poll: %v", got)
		}
	}
	c.Advance(store.ChangeRetention - time.Hour)
	update(t, db, changed("user:4"))
	if n, err := db.PruneChanges(t.Context()); n != 0 || err != nil {
		t.Errorf("pruned %d too early, %v", n, err)
	}
	c.Advance(2 * time.Hour)
	if n, err := db.PruneChanges(t.Context()); n != 3 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	if diff := cmp.Diff([]string{"user:4"}, keys(poll("").Changes)); diff != "" {
		t.Error(diff)
	}
}

// slowChange holds a transaction open while later ones commit and are polled (hard part 3). Where there is one writer
// the others simply wait.
func slowChange(t *testing.T, dsn newDSN) {
	db := live(t, dsn)
	if db.PushesChanges() {
		return // one writer: nothing commits beside it, and nothing is polled
	}
	poll, err := db.PollChanges(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	look := func() {
		if poll, err = db.PollChanges(t.Context(), poll.Cursor); err != nil {
			t.Error(err)
		}
		for _, c := range poll.Changes {
			seen[c.Key] = true
		}
	}
	begun, goOn := make(chan struct{}), make(chan struct{})
	var slow sync.WaitGroup
	slow.Go(func() {
		wait := sync.OnceFunc(func() { close(begun); <-goOn })
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			defer wait()
			return tx.Changed("user:slow")
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	for i := range 5 {
		update(t, db, changed(fmt.Sprintf("user:%d", i)))
		look()
	}
	if seen["user:slow"] || len(seen) != 5 {
		t.Errorf("before the slow commit: %v", seen)
	}
	close(goOn)
	slow.Wait()
	look()
	if !seen["user:slow"] {
		t.Error("the slow change was missed")
	}
}
