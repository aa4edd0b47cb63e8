package web_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/emergency"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
	"sallyport/internal/store/storetest/pgtest"
)

// TestEmergency: two people open what was sealed; the opener gets credentials that end with it, in that browser and no other.
func TestEmergency(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *glass{
		"SQLite":     func(t *testing.T) *glass { return newGlass(t) },
		"PostgreSQL": func(t *testing.T) *glass { return newGlassOn(t, storetest.OpenPostgres) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := open(t)
			g.clock.Advance(500 * time.Millisecond)
			began := g.clock.Now()
			alice, bob := g.opened()
			o := g.opening()
			if want := g.clock.Now().Add(time.Hour).Truncate(time.Second); o.State != store.OpeningOpen || !o.Until.Equal(want) || o.ApproverName != "bob" || o.Review != store.ReviewOpen {
				t.Fatalf("opening %+v, want it open until %s", o, want)
			}
			c := g.take(alice)
			if c.Expires.After(o.Until) || o.Until.Sub(c.Expires) >= time.Second || c.Emergency != o.ID {
				t.Errorf("credentials of %s until %s, of an opening until %s", c.Emergency, c.Expires, o.Until)
			}
			if !g.stands(c) {
				t.Error("what was given out does not stand")
			}
			other := g.portalOf("alice")
			if a := other.open("/portal/account/" + string(sealedAccount)); a.status != http.StatusNotFound {
				t.Errorf("another session of the opener sees the account: %d", a.status)
			}
			if a := other.send(http.MethodPost, "/portal/credentials", url.Values{"account": {string(sealedAccount)}, "role": {"Breaker"}}); a.status != http.StatusForbidden {
				t.Errorf("another session of the opener gets credentials: %d", a.status)
			}
			bob.submit(bob.open("/emergency"), "opening")
			if g.stands(c) {
				t.Error("what was given out stands after the end")
			}
			if a := alice.open("/portal/account/" + string(sealedAccount)); a.status != http.StatusNotFound {
				t.Errorf("the account is there after the end: %d", a.status)
			}
			if name != "SQLite" { // where a worker seals the log
				return
			}
			for _, e := range []string{"RequestEmergencyAccess", "OpenEmergencyAccess", "GetRoleCredentials", "CloseEmergencyAccess"} {
				if g.count(e) != 1 {
					t.Errorf("%d events %s since %s: %v", g.count(e), e, began, g.events())
				}
			}
		})
	}
}

// TestEmergencyTimeBox: with the clock at the end, to the second, nothing is given out and what was does not stand.
func TestEmergencyTimeBox(t *testing.T) {
	t.Parallel()
	g := newGlass(t)
	alice, _ := g.opened()
	o, c := g.opening(), g.take(alice)
	g.clock.Advance(o.Until.Sub(g.clock.Now()) - time.Second)
	if last := g.take(alice); !last.Expires.Equal(o.Until) {
		t.Errorf("the last credentials are good until %s, not %s", last.Expires, o.Until)
	}
	if !g.stands(c) {
		t.Error("over a second too soon")
	}
	g.clock.Advance(time.Second)
	if g.stands(c) {
		t.Error("it stands at its end")
	}
	if a := alice.open("/portal/account/" + string(sealedAccount)); a.status != http.StatusNotFound {
		t.Errorf("the account is there at the end: %d", a.status)
	}
	if a := alice.send(http.MethodPost, "/portal/credentials", url.Values{"account": {string(sealedAccount)}, "role": {"Breaker"}}); a.status != http.StatusForbidden {
		t.Errorf("credentials are given out at the end: %d", a.status)
	}
	g.work()
	if o := g.opening(); o.State != store.OpeningEnded || g.count("EndEmergencyAccess") != 1 {
		t.Errorf("after the worker: %s, %v", o.State, g.events())
	}
}

// TestEmergencyWantsTwo: opener and approver are different people, signed in for it, in time.
func TestEmergencyWantsTwo(t *testing.T) {
	t.Parallel()
	g := newGlass(t)
	carol, a := g.come("carol")
	g.ask(carol, a).says("Waiting: Production down")
	o := g.opening()
	answer := url.Values{"opening": {o.ID}, "decision": {"approve"}}
	carol.send(http.MethodPost, "/emergency/answer", answer).says("Opener and approver are different people")
	alice, _ := g.come("alice")
	alice.send(http.MethodPost, "/emergency/answer", answer).says("You are none of those who may approve")
	if n := g.count("OpenEmergencyAccess AccessDenied") + g.count("OpenEmergencyAccess ForbiddenException"); n != 2 {
		t.Errorf("%d refusals are on record, not 2: %v", n, g.events())
	}
	if a := g.portalOf("bob").send(http.MethodPost, "/emergency/answer", answer); a.status != http.StatusForbidden {
		t.Errorf("who has not signed in for it approves: %d", a.status)
	}
	g.clock.Advance(15 * time.Minute)
	bob, _ := g.come("bob")
	bob.send(http.MethodPost, "/emergency/answer", answer).says("This request is over")
	if o := g.opening(); o.State != store.OpeningPending {
		t.Errorf("it is %s", o.State)
	}
	g.work()
	if o := g.opening(); o.State != store.OpeningExpired || g.count("ExpireEmergencyRequest") != 1 {
		t.Errorf("after the worker: %s", o.State)
	}
}

// TestEmergencyPeople: who is disabled, and whose passkey came later, opens and approves of nothing.
func TestEmergencyPeople(t *testing.T) {
	t.Parallel()
	g := newGlass(t)
	alice, a := g.come("alice")
	g.ask(alice, a)
	bob, a := g.come("bob")
	g.update(func(tx *store.Tx) error { return g.login.Disable(tx, g.people["bob"].ID, "test") })
	if a := bob.submit(a, "decision", "decision", "approve"); a.title() != "Emergency access" || g.opening().State != store.OpeningPending {
		t.Errorf("a disabled approver: %d %s, %s", a.status, a.title(), g.opening().State)
	}
	g.enroll("carol") // another passkey, after the access was prepared
	carol, a := g.come("carol")
	a.says("You cannot open it with this passkey")
	carol.send(http.MethodPost, "/emergency/answer", url.Values{"opening": {g.opening().ID}, "decision": {"approve"}}).says("registered after the emergency access was prepared")
	g.update(func(tx *store.Tx) error { return g.login.Disable(tx, g.people["alice"].ID, "test") })
	if g.opening().State != store.OpeningPending {
		t.Error("it was opened")
	}
}

// TestEmergencySignIn: neither another kind of device nor a mode without second factors is enough, and a stale sign-in is none.
func TestEmergencySignIn(t *testing.T) {
	t.Parallel()
	g := newGlass(t)
	g.app("Phone")
	g.world.set("mfa.mode", "off")
	g.world.set("mfa.types", "totp")
	b := g.browser()
	a := b.submit(b.submit(b.open("/emergency"), "username", "username", "alice"), "password", "password", password)
	a.expect(http.StatusOK, "Second factor")
	if strings.Contains(a.text, `name="code"`) {
		t.Error("a code of an app would do")
	}
	a = b.givePasskey(a, g.keys["alice"])
	a.says("Open Production down")
	g.clock.Advance(15*time.Minute - time.Second)
	b.open("/emergency").says("Open Production down")
	g.clock.Advance(time.Second)
	b.open("/emergency").says("This is for emergencies alone")
	if a := b.send(http.MethodPost, "/emergency/request", url.Values{"access": {g.access.ID}, "reason": {why}}); a.status != http.StatusForbidden {
		t.Errorf("a stale sign-in asks: %d", a.status)
	}
	if o := g.opening(); o.ID != "" {
		t.Errorf("it was asked for: %+v", o)
	}
}

// emergencyPages are those of a world of their own, in which an emergency access is prepared.
func emergencyPages(w *world) map[string]answer {
	pages := map[string]answer{}
	g := newGlass(w.tb, func(p *emergency.Plan) { p.Codes, p.Description = 2, "When <b>nothing</b> else helps." })
	alice := g.browser()
	pages["emergency"] = alice.open("/emergency")
	pages["emergency, missing"] = alice.submit(pages["emergency"], "username")
	pages["emergency, passkey"] = alice.submit(alice.submit(pages["emergency"], "username", "username", "alice"), "password", "password", password)
	pages["emergency, to open"] = alice.givePasskey(pages["emergency, passkey"], g.keys["alice"])
	pages["emergency, bad"] = alice.submit(pages["emergency, to open"], "access", "reason", "why")
	pages["emergency code, wrong"] = g.ask(alice, pages["emergency, to open"], "code", "NO-SUCH-CODE")
	pages["emergency, waiting"] = g.ask(alice, pages["emergency, to open"])
	bob, a := g.come("bob")
	pages["emergency, to approve"] = a
	pages["emergency, open elsewhere"] = bob.submit(a, "decision", "decision", "approve")
	pages["emergency, open"] = alice.open("/emergency")
	again, a := g.come("alice")
	pages["emergency, another browser"] = a
	pages["emergency, taken up"] = again.submit(a, "access")
	bob.submit(bob.open("/emergency"), "opening")
	pages["emergency, review"] = bob.open("/emergency")
	pages["emergency, nothing"] = bob.submit(pages["emergency, review"], "opening", "reason", "It was a drill of ours.")
	g.enroll("carol")
	_, pages["emergency, new passkey"] = g.come("carol")
	pages["emergency, closed twice, problem"] = bob.send(http.MethodPost, "/emergency/close", url.Values{"opening": {g.opening().ID}})
	return pages
}

// TestEmergencyCode: an offline code takes the approver's place once, also when it comes twenty times at once, and not without password
// and passkey.
func TestEmergencyCode(t *testing.T) {
	t.Parallel()
	alone := func(p *emergency.Plan) { p.Approvers, p.Openers, p.Codes = nil, p.Openers[:1], 3 }
	for name, g := range map[string]*glass{"SQLite": newGlass(t, alone), "PostgreSQL": newGlassOn(t, storetest.OpenPostgres, alone)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g.tb = t
			alice, a := g.come("alice")
			alice.submit(a, "access", "reason", why).says("enter one of the offline codes")
			form := url.Values{"access": {g.access.ID}, "reason": {why}, "code": {" " + strings.ToLower(strings.ReplaceAll(g.codes[0], "-", " "))}}
			var wg sync.WaitGroup
			statuses := make([]int, 20)
			for i := range statuses {
				wg.Go(func() {
					b := *alice
					b.cookies, b.visited = maps.Clone(alice.cookies), nil
					statuses[i] = b.send(http.MethodPost, "/emergency/request", form).status
				})
			}
			wg.Wait()
			g.update(func(tx *store.Tx) error {
				all, _, err := tx.Openings(page.Query{Limit: 100})
				left, lerr := tx.EmergencyCodesLeft(g.access.ID)
				if len(all) != 1 || all[0].State != store.OpeningOpen || left != 2 {
					t.Errorf("%d openings, %d codes left, answers %v", len(all), left, statuses)
				}
				return errors.Join(err, lerr)
			})
			if !g.stands(g.take(alice)) {
				t.Error("what was given out does not stand")
			}
			alice.submit(alice.open("/emergency"), "opening")
			alice.send(http.MethodPost, "/emergency/request", form).says("This code is not right, or was used already")
			if o := g.opening(); o.State != store.OpeningEnded {
				t.Errorf("a used code: %s", o.State)
			}
		})
	}
}

// TestEmergencyCodesGuessed: after a few wrong codes each costs a wait, under which the right one is not looked at; another person's codes
// are theirs.
func TestEmergencyCodesGuessed(t *testing.T) {
	t.Parallel()
	g := newGlass(t, func(p *emergency.Plan) { p.Codes = 2 })
	alice, a := g.come("alice")
	for i := range 5 {
		g.ask(alice, a, "code", fmt.Sprintf("0000%d", i)).says("This code is not right")
	}
	g.ask(alice, a, "code", g.codes[0]).says("too many were tried")
	if n := g.count("OpenEmergencyAccess AccessDenied"); n != 6 {
		t.Errorf("%d wrong codes are on record, not 6", n)
	}
	carol, c := g.come("carol")
	g.ask(carol, c, "code", g.codes[1]).says("Open: Production down")
	g.clock.Advance(5 * time.Second)
	g.ask(alice, a, "code", g.codes[0]).says("Open: Production down")
	g.update(func(tx *store.Tx) error {
		left, err := tx.EmergencyCodesLeft(g.access.ID)
		if left != 0 {
			t.Errorf("%d codes are left", left)
		}
		return err
	})
}

// TestEmergencyWithoutMail: that the mail server is down keeps nobody out, and the alarm waits for it.
func TestEmergencyWithoutMail(t *testing.T) {
	t.Parallel()
	g := newGlass(t)
	g.login.Mail.Server = &mail.Server{Address: "localhost:1", From: "Sallyport <no-reply@example.org>"} // nobody listens there
	g.login.Mail.Log = slog.New(slog.DiscardHandler)
	g.opened()
	if err := g.login.Mail.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o := g.opening(); o.State != store.OpeningOpen {
		t.Errorf("it is %s", o.State)
	}
	g.clock.Advance(time.Minute)
	jobs, err := g.db.ClaimJobs(t.Context(), "mail", "test", 10, time.Minute)
	if err != nil || len(jobs) != 3 { // to bob and carol, who can approve, and to security@example.org, that it is open
		t.Errorf("%d letters wait, %v", len(jobs), err)
	}
}

// TestEmergencyWithoutAudit: if the event cannot be stored, nothing is opened.
func TestEmergencyWithoutAudit(t *testing.T) {
	t.Parallel()
	dsn := pgtest.NewDatabase(t)
	g := newGlassOn(t, func(tb testing.TB, c clock.Clock) *store.DB { return storetest.OpenAt(tb, dsn, c) })
	alice, a := g.come("alice")
	g.ask(alice, a)
	bob, a := g.come("bob")
	raw := must(sql.Open("pgx", dsn))
	defer raw.Close()
	must(raw.ExecContext(t.Context(), "ALTER TABLE audit_inbox RENAME TO audit_outage"))
	if a := bob.submit(a, "decision", "decision", "approve"); a.status != http.StatusInternalServerError {
		t.Errorf("the answer is %d", a.status)
	}
	if o := g.opening(); o.State != store.OpeningPending {
		t.Errorf("it is %s", o.State)
	}
	must(raw.ExecContext(t.Context(), "ALTER TABLE audit_outage RENAME TO audit_inbox"))
	if a := alice.open("/portal/account/" + string(sealedAccount)); a.status != http.StatusNotFound {
		t.Errorf("the account is there: %d", a.status)
	}
	bob.submit(bob.open("/emergency"), "decision", "decision", "approve").says("Open for alice")
}

// TestEmergencyReview: a review stays open, and is reminded of every day, until somebody else than the opener closes it with a reason.
func TestEmergencyReview(t *testing.T) {
	t.Parallel()
	g := newGlass(t)
	alice, bob := g.opened()
	o, c := g.opening(), g.take(alice)
	bob.send(http.MethodPost, "/emergency/review", url.Values{"opening": {o.ID}, "reason": {"It was a drill of ours."}}).says("It is still open")
	g.clock.Advance(26 * time.Hour)
	g.work()
	g.work()
	g.clock.Advance(25 * time.Hour)
	g.work()
	if n := g.count("EmergencyReviewOpen"); n != 2 {
		t.Errorf("%d reminders in two days", n)
	}
	alice, _ = g.come("alice")
	alice.send(http.MethodPost, "/emergency/review", url.Values{"opening": {o.ID}, "reason": {"It was a drill of ours."}}).says("Somebody else than the opener")
	bob, a := g.come("bob")
	bob.submit(a, "opening", "reason", "no").says("Say why")
	bob.submit(a, "opening", "reason", "It was a drill of ours.").says("There is nothing that you could")
	g.update(func(tx *store.Tx) error {
		uses, err := tx.EmergencyUses(o.ID, 10)
		if len(uses) != 1 || uses[0].AccessKeyID != c.AccessKeyID {
			t.Errorf("credentials on record: %+v", uses)
		}
		events, _, everr := tx.EmergencyEvents(o.ID, page.Query{Limit: 10})
		var names []string
		for _, e := range events {
			names = append(names, e.Name)
		}
		slices.Sort(names) // those of one instant are in any order
		if want := []string{"EndEmergencyAccess", "GetRoleCredentials", "OpenEmergencyAccess"}; !slices.Equal(names, want) {
			t.Errorf("events on record: %v", names)
		}
		return errors.Join(err, everr)
	})
	if o := g.opening(); o.Review != store.ReviewClosed || o.ReviewedBy != "bob" || o.ReviewReason != "It was a drill of ours." {
		t.Errorf("review %+v", o)
	}
	g.clock.Advance(25 * time.Hour)
	g.work()
	if n := g.count("EmergencyReviewOpen"); n != 2 {
		t.Errorf("%d reminders after the end", n)
	}
}
