package scimpush_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// Several nodes run the worker, over the network, while people come and go: nobody is made twice, and both sides become the same.
func TestNodesShareTheWork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w, f := newWorldOn(t, open), newForeign()
		server := httptest.NewServer(f)
		defer server.Close()
		w.connect(store.CompleteSCIM, func(c *scimpush.Change) {
			c.URL, c.Rate, c.Deprovision = new(server.URL+"/base"), new(1000), new(store.LeaveDeleted)
		})
		ctx, stop := context.WithCancel(t.Context())
		var nodes sync.WaitGroup
		defer nodes.Wait()
		defer stop()
		for i := range 3 {
			node := w.newWorker(fmt.Sprint("node", i))
			node.Transport, node.Wait, node.Parallel = nil, nil, 0
			nodes.Go(func() {
				if err := node.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		g := w.group("All")
		for i := range 30 {
			u := w.user(fmt.Sprint("user", i))
			w.update(func(tx *store.Tx) error {
				_, err := directory.AddMember(tx, storeID, g.ID, u.ID, by)
				return err
			})
			if i%5 == 4 {
				w.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, u.ID, "") })
			}
		}
		var diff string
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if diff = cmp.Diff(w.local(), f.people()); diff == "" {
				return
			}
		}
		s, b := w.state()
		t.Errorf("%s\n%+v %+v %v", diff, s, b, w.errors())
	})
}

// Without TLS, nothing is sent to another machine, whatever the name of this one resolves to; a redirect is not followed; a server
// that does not come to an end is left.
func TestNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the token went elsewhere") }))
	defer elsewhere.Close()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/slow") {
			rw.WriteHeader(http.StatusOK)
			_, _ = rw.Write([]byte("{"))
			rw.(http.Flusher).Flush()
			<-release
			return
		}
		http.Redirect(rw, r, elsewhere.URL, http.StatusPermanentRedirect)
	}))
	defer server.Close()
	defer close(release)
	w.worker.Transport, w.worker.Limit = nil, 200*time.Millisecond
	w.connect(store.StrictSCIM, func(c *scimpush.Change) { c.URL = new(server.URL) })
	for _, c := range []struct{ url, want string }{
		{server.URL, "The server answered 308: it redirects, and the token goes nowhere else"},
		{server.URL + "/slow", "The server cannot be reached: it did not answer within 200ms."},
		{"http://[::ffff:192.0.2.1]:9/", ""},
	} {
		if c.want == "" {
			err := w.here.Update(t.Context(), func(tx *store.Tx) error {
				_, err := scimpush.Update(tx, w.ring, storeID, w.target.ID, scimpush.Change{URL: &c.url, Token: new("x")})
				return err
			})
			if err == nil {
				t.Errorf("%s was taken", c.url)
			}
			continue
		}
		w.update(func(tx *store.Tx) error {
			_, err := scimpush.Update(tx, w.ring, storeID, w.target.ID, scimpush.Change{URL: &c.url, Token: new("x"), State: new(store.TargetOn)})
			return err
		})
		_, err := w.worker.Plan(t.Context(), w.target.ID, false)
		if got := scimpush.Explain(err); got != c.want {
			t.Errorf("%s: %q (%v)", c.url, got, err)
		}
	}
	if scimpush.Explain(errors.New("of our own")) != "" {
		t.Error("an error of our own is shown")
	}
}
