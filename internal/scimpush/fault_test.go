package scimpush_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/page"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
)

var errCut = errors.New("the connection was cut")

// answer is one that the server has not given.
func answer(status int, body string, headers ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(headers); i += 2 {
		res.Header.Set(headers[i], headers[i+1])
	}
	return res
}

// The worker is killed before each request, and after each that was done: another one takes over, and what comes of it is exact.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	for kill := 0; ; kill++ {
		w := newWorld(t)
		ana, bob, eve := w.user("ana"), w.user("bob"), w.user("eve")
		g := w.group("Auditors", ana, bob)
		w.connect(store.StrictSCIM, func(c *scimpush.Change) { c.Deprovision = new(store.LeaveDeleted) })
		reached := false
		ctx, cancel := context.WithCancel(t.Context())
		w.wire.before = func(n int, _ *http.Request) (*http.Response, error) {
			if n == kill/2 && kill%2 == 0 {
				reached = true
				cancel()
				return nil, errCut
			}
			return nil, nil
		}
		w.wire.after = func(n int, _ *http.Request, res *http.Response) (*http.Response, error) {
			if n == kill/2 && kill%2 == 1 {
				reached = true
				cancel()
				return nil, errCut
			}
			return res, nil
		}
		_ = w.worker.Drain(ctx)
		cancel()
		// Meanwhile, the world goes on.
		w.update(func(tx *store.Tx) error {
			if err := directory.DeleteUser(tx, storeID, bob.ID, ""); err != nil {
				return err
			}
			ana.UserName = "anna"
			if _, err := directory.UpdateUser(tx, ana, "", by); err != nil {
				return err
			}
			g.DisplayName = "Revision"
			if _, err := directory.UpdateGroup(tx, g, "", by); err != nil {
				return err
			}
			_, err := directory.AddMember(tx, storeID, g.ID, eve.ID, by)
			return err
		})
		w.wire.reset()
		w.worker = w.newWorker("two")
		w.drain()
		w.same()
		if t.Failed() {
			t.Fatalf("killed at %d", kill)
		}
		if !reached {
			if kill < 14 {
				t.Errorf("only %d requests", kill)
			}
			return
		}
	}
}

// What the server asks for is honoured: seconds, or a date.
func TestServerAsksToWait(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]func(time.Time) string{
		"seconds": func(time.Time) string { return "3000" },
		"date":    func(now time.Time) string { return now.Add(3000 * time.Second).Format(http.TimeFormat) },
	} {
		for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.user("ana")
				w.connect(store.StrictSCIM, nil)
				w.wire.before = func(int, *http.Request) (*http.Response, error) {
					return answer(status, "", "Retry-After", header(w.clock.Now())), nil
				}
				w.once()
				w.wire.reset()
				w.clock.Advance(2998 * time.Second)
				w.once()
				if len(w.wire.asked) > 0 {
					t.Errorf("%v was sent too early", w.wire.asked)
				}
				w.clock.Advance(2 * time.Second)
				w.drain()
				w.same()
				if s, _ := w.state(); s.LastError != "" || s.Failures != 0 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// Pauses grow while the server does not say how long, up to a bound.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(store.StrictSCIM, nil)
	w.wire.before = func(int, *http.Request) (*http.Response, error) { return nil, errCut }
	var last time.Duration
	for n := range 20 {
		w.once()
		s, _ := w.state()
		wait := s.ResumeAt.Sub(w.clock.Now())
		most := time.Duration(min(float64(time.Second)*math.Pow(2, float64(n)), float64(5*time.Minute)))
		if s.Failures != n+1 || wait < most/2-time.Second || wait > most {
			t.Errorf("after %d failures: %s, %d, most %s", n+1, wait, s.Failures, most)
		}
		w.clock.Advance(wait)
		last = wait
	}
	if last < 2*time.Minute {
		t.Errorf("at last %s", last)
	}
}

// A token that is refused stops everything, which is on record once; a new one goes on at once.
func TestTokenIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana")
	var token string
	w.connect(store.StrictSCIM, func(c *scimpush.Change) { token = *c.Token; c.Token = new("wrong-one") })
	for range 3 {
		w.once()
		w.clock.Advance(16 * time.Minute)
	}
	s, b := w.state()
	if s.State != store.TargetFailing || s.LastError != "The server answered 401: The bearer token is missing, unknown, expired, or of another tenant." || b.Records != 0 || s.Phase == "" {
		t.Errorf("%+v %+v", s, b)
	}
	w.update(func(tx *store.Tx) error {
		_, err := scimpush.Update(tx, w.ring, storeID, w.target.ID, scimpush.Change{Token: &token})
		return err
	})
	w.once()
	w.same()
	if got := w.events(); got["Failing"] != 1 {
		t.Errorf("%v", got)
	}
}

// What one record's error is stays with it, and it is tried again with growing pauses; others go on.
func TestOneIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := w.user("bad")
	w.group("Both", bad, w.user("good"))
	w.connect(store.StrictSCIM, nil)
	refuse := true
	tried := 0
	w.wire.before = func(_ int, r *http.Request) (*http.Response, error) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/Users") {
			return nil, nil
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if refuse && strings.Contains(string(body), `"bad"`) {
			tried++
			return answer(http.StatusBadRequest, `{"detail":"I do not like\u001b[31m bad."}`), nil
		}
		return nil, nil
	}
	for range 20 {
		w.once()
		w.clock.Advance(time.Minute)
	}
	none := func([]store.ExternalID, string) string { return "" }
	if there := w.people(w.there, none); there["user good"] == "" || there["group Both"] != "[good]" {
		t.Errorf("%v", there)
	}
	if got := w.errors(); len(got) != 1 || got[0] != "The server answered 400: I do not like [31m bad." {
		t.Errorf("%q", got)
	}
	if tried < 3 || tried > 6 {
		t.Errorf("tried %d times in 20 minutes", tried)
	}
	refuse = false
	w.drain()
	w.same()
}

// A server that answers nonsense, or too much, or redirects, gets nothing but our patience; and it never gets the token elsewhere.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	for name, hostile := range map[string]func(*http.Request) *http.Response{
		"wrong JSON":  func(*http.Request) *http.Response { return answer(http.StatusOK, `<html>`) },
		"wrong types": func(*http.Request) *http.Response { return answer(http.StatusCreated, `{"id":7,"Resources":{}}`) },
		"no id":       func(*http.Request) *http.Response { return answer(http.StatusCreated, `{}`) },
		"endless": func(*http.Request) *http.Response {
			r := answer(http.StatusOK, "")
			r.Body = io.NopCloser(endless{})
			return r
		},
		"endless error": func(*http.Request) *http.Response {
			r := answer(http.StatusBadRequest, "")
			r.Body = io.NopCloser(endless{})
			return r
		},
		"redirect": func(*http.Request) *http.Response {
			return answer(http.StatusTemporaryRedirect, "", "Location", "https://elsewhere.test/Users")
		},
		"same cursor": func(r *http.Request) *http.Response {
			return answer(http.StatusOK, `{"Resources":[],"nextCursor":"x"}`)
		},
		"says the token": func(r *http.Request) *http.Response {
			return answer(http.StatusBadRequest, `{"detail":"You sent `+r.Header.Get("Authorization")+`"}`)
		},
		"cut in the body": func(*http.Request) *http.Response {
			r := answer(http.StatusOK, "")
			r.Body = io.NopCloser(cut{})
			return r
		},
		"server error": func(*http.Request) *http.Response { return answer(http.StatusInternalServerError, "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.group("Auditors", w.user("ana"))
			var token string
			w.connect(store.StrictSCIM, func(c *scimpush.Change) { token = *c.Token })
			w.wire.before = func(_ int, r *http.Request) (*http.Response, error) {
				if r.URL.Host != "id.example.test" {
					t.Errorf("sent to %s", r.URL.Host)
				}
				return hostile(r), nil
			}
			for range 30 {
				_ = w.worker.Drain(t.Context())
				w.clock.Advance(20 * time.Second)
			}
			n := len(w.wire.asked)
			if n > 200 {
				t.Errorf("%d requests in ten minutes", n)
			}
			s, _ := w.state()
			if said := s.LastError + strings.Join(w.errors(), ""); said == "" || strings.Contains(said, token) {
				t.Errorf("said %q", said)
			}
			w.wire.reset()
			w.drain()
			w.same()
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, errCut }

// Who is there already is taken over, without being made twice.
func TestThereAlready(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ana := w.user("ana")
	g := w.group("Auditors", ana)
	var theirs store.User
	err := w.there.Update(t.Context(), func(tx *store.Tx) (err error) {
		u := someone("ANA")
		if theirs, err = directory.CreateUser(tx, u, by); err != nil {
			return err
		}
		old, err := directory.CreateUser(tx, someone("old"), by)
		if err != nil {
			return err
		}
		there, err := directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: "AUDITORS"}, by)
		if err != nil {
			return err
		}
		for _, u := range []store.User{theirs, old} {
			if _, err := directory.AddMember(tx, storeID, there.ID, u.ID, by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.connect(store.StrictSCIM, nil)
	w.drain()
	w.look(w.there, func(tx *store.Tx) error {
		u, err := tx.UserByName(storeID, "ana")
		if u.ID != theirs.ID || u.UserName != "ana" {
			t.Errorf("%+v", u)
		}
		return err
	})
	if s, _ := w.state(); s.Strangers != 1 {
		t.Errorf("%d strangers", s.Strangers)
	}
	none := func([]store.ExternalID, string) string { return "" }
	if there := w.people(w.there, none); there["group Auditors"] != "[ana old]" {
		t.Errorf("%v", there)
	}
	// The group leaves: it stays there, without ours.
	w.update(func(tx *store.Tx) error { return directory.DeleteGroup(tx, storeID, g.ID, "") })
	w.drain()
	if there := w.people(w.there, none); there["group Auditors"] != "[old]" {
		t.Errorf("%v", there)
	}
	w.update(func(tx *store.Tx) error { _, err := scimpush.Sync(tx, storeID, w.target.ID, true); return err })
	w.drain()
	if there := w.people(w.there, none); there["group Auditors"] != "" || !strings.HasPrefix(there["user old"], "DISABLED") {
		t.Errorf("%v", there)
	}
}

// What somebody has changed there is put right by the next comparison, and a dry run says what it will do, and does nothing.
func TestComparison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ana, bob := w.user("ana"), w.user("bob")
	w.group("Auditors", ana, bob)
	w.group("Gone")
	w.connect(store.StrictSCIM, nil)
	w.drain()
	err := w.there.Update(t.Context(), func(tx *store.Tx) error {
		a, err := tx.UserByName(storeID, "ana")
		if err != nil {
			return err
		}
		a.Title, a.Status = "Mr", store.UserDisabled
		if _, err := directory.UpdateUser(tx, a, "", by); err != nil {
			return err
		}
		b, err := tx.UserByName(storeID, "bob")
		if err != nil {
			return err
		}
		if err := directory.DeleteUser(tx, storeID, b.ID, ""); err != nil {
			return err
		}
		gone, err := tx.GroupByName(storeID, "Gone")
		if err != nil {
			return err
		}
		if err := directory.DeleteGroup(tx, storeID, gone.ID, ""); err != nil {
			return err
		}
		g, err := tx.GroupByName(storeID, "Auditors")
		if err != nil {
			return err
		}
		g.DisplayName = "Bandits"
		if _, err := directory.UpdateGroup(tx, g, "", by); err != nil {
			return err
		}
		m, err := tx.MembershipOf(g.ID, a.ID)
		if err != nil {
			return err
		}
		return directory.RemoveMember(tx, storeID, m.ID, by)
	})
	if err != nil {
		t.Fatal(err)
	}
	w.wire.reset()
	before, was := w.events(), w.people(w.there, func([]store.ExternalID, string) string { return "" })
	plan, err := w.worker.Plan(t.Context(), w.target.ID, false)
	if err != nil || !plan.Complete {
		t.Fatal(plan, err)
	}
	want := map[string]int{scimpush.UpdateUser: 1, scimpush.CreateUser: 1, scimpush.CreateGroup: 1, scimpush.UpdateGroup: 1, scimpush.AddMember: 2}
	if fmt.Sprint(plan.Counts) != fmt.Sprint(want) || len(plan.Items) != 6 {
		t.Errorf("%+v", plan)
	}
	if got := w.wire.writes(); len(got) > 0 || fmt.Sprint(was) != fmt.Sprint(w.people(w.there, func([]store.ExternalID, string) string { return "" })) {
		t.Errorf("a dry run has sent %v", got)
	}
	if s, b := w.state(); b.Records > 0 || s.Phase != "" || fmt.Sprint(before) != fmt.Sprint(w.events()) {
		t.Errorf("a dry run has left %+v", b)
	}
	w.update(func(tx *store.Tx) error { _, err := scimpush.Sync(tx, storeID, w.target.ID, false); return err })
	w.drain()
	w.same()
	if plan, err := w.worker.Plan(t.Context(), w.target.ID, false); err != nil || len(plan.Items) > 0 {
		t.Errorf("%+v, %v", plan, err)
	}
}

// Paused, it sends nothing and forgets nothing; removed, it is forgotten.
func TestPauseAndRemove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.connect(store.StrictSCIM, nil)
	w.drain()
	w.wire.reset()
	set := func(s store.TargetState) {
		w.update(func(tx *store.Tx) error {
			_, err := scimpush.Update(tx, w.ring, storeID, w.target.ID, scimpush.Change{State: &s})
			return err
		})
	}
	set(store.TargetOff)
	w.user("ana")
	w.once()
	if len(w.wire.asked) > 0 {
		t.Errorf("paused, and %v", w.wire.asked)
	}
	set(store.TargetOn)
	w.once()
	w.same()
	w.update(func(tx *store.Tx) error { return scimpush.Delete(tx, storeID, w.target.ID) })
	w.user("bob")
	w.update(func(tx *store.Tx) error {
		all, _, err := tx.DirtyErrors(w.target.ID, page.Query{Limit: 10})
		some, e := tx.DueDirty(w.target.ID, store.PushUsers, 10)
		if len(all)+len(some) > 0 {
			t.Errorf("%v %v", all, some)
		}
		return errors.Join(err, e)
	})
	w.wire.reset()
	w.once()
	if len(w.wire.asked) > 0 {
		t.Errorf("removed, and %v", w.wire.asked)
	}
}
