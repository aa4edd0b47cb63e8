package ssf

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/heed"
	"sallyport/internal/secevent"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestEffects: what each signal does, by each way of naming a person, and that it does it once.
func TestEffects(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w, from := newWorldOn(t, open), newElsewhere(t)
		const tenant = "11111111111-2222-3333-4444-555555555555"
		w.update(func(tx *store.Tx) error {
			u, err := tx.User(w.user.ID)
			u.ExternalIDs = []store.ExternalID{{Issuer: w.URL + "/" + tenant + "/scim/v2", ID: "00u1"}, {Issuer: "https://hr.example", ID: "7"}}
			if err == nil {
				_, err = directory.UpdateUser(tx, u, "", "test")
			}
			return err
		})
		r, token := w.receiver(from.URL, func(r *store.SignalReceiver) { r.TenantID = tenant })
		push := func(set string) string {
			a := ask(t, "POST", w.URL+"/signals/"+r.ID, token, secevents, set)
			if a.status != http.StatusAccepted || a.body != "" {
				t.Fatalf("answered %d %s", a.status, a.body)
			}
			return set
		}
		other := w.person("bob")
		theirs := w.signIn(other)
		for name, c := range effects(w, from, theirs) {
			w.signIn(w.user)
			before := w.live(w.user)
			set := push(from.token(w, c.event, c.subject, map[string]any{"events": map[string]any{c.event: orEmpty(c.claims)}}))
			if after := w.live(w.user); (after == 0) != c.ends || !c.ends && after != before {
				t.Errorf("%s: of %d sessions %d are left", name, before, after)
			}
			w.signIn(w.user)
			before = w.live(w.user)
			push(set) // again
			if w.live(w.user) != before {
				t.Errorf("%s: acted twice", name)
			}
		}
		if w.live(other) != 1 || w.status(w.user) != store.UserEnabled {
			t.Errorf("bob has %d sessions, ana is %s", w.live(other), w.status(w.user))
		}
		one := w.signIn(other)
		push(from.token(w, secevent.SessionRevoked, map[string]any{"format": "complex", "user": email("bob@example.org"), "session": map[string]any{"format": "opaque", "id": one}}, nil))
		if w.live(other) != 1 {
			t.Error("the session that was named is not the one that ended")
		}
		for _, event := range []string{secevent.AccountDisabled, secevent.AccountPurged} {
			w.update(func(tx *store.Tx) error { return w.login.Enable(tx, w.user.ID, "test") })
			w.signIn(w.user)
			push(from.token(w, event, email("ana@example.org"), nil))
			if w.status(w.user) != store.UserDisabled || w.live(w.user) != 0 {
				t.Errorf("%s: %s with %d sessions", event, w.status(w.user), w.live(w.user))
			}
		}
		push(from.token(w, secevent.AccountEnabled, email("ana@example.org"), nil))
		if w.status(w.user) != store.UserDisabled {
			t.Error("a signal has granted something")
		}
	})
}

// effect is a signal, and whether it ends ana's sessions.
type effect struct {
	event   string
	subject map[string]any
	claims  map[string]any
	ends    bool
}

// effects are signals by every way of naming a person. theirs is a session of somebody else's.
func effects(w *world, from *elsewhere, theirs string) map[string]effect {
	issSub := func(iss, sub string) map[string]any {
		return map[string]any{"format": "iss_sub", "iss": iss, "sub": sub}
	}
	return map[string]effect{
		"by mail":                   {secevent.SessionRevoked, email("ANA@example.org"), nil, true},
		"by mail of nobody":         {secevent.SessionRevoked, email("nobody@example.org"), nil, false},
		"by our id":                 {secevent.SessionRevoked, issSub(w.URL, w.user.ID), nil, true},
		"by another's id":           {secevent.SessionRevoked, issSub("https://hr.example", "7"), nil, true},
		"by SCIM's id":              {secevent.SessionRevoked, issSub(from.URL, "00u1"), nil, true},
		"by SCIM's id of others":    {secevent.SessionRevoked, issSub("https://elsewhere.example", "00u1"), nil, false},
		"by an opaque id":           {secevent.SessionRevoked, map[string]any{"format": "opaque", "id": "00u1"}, nil, true},
		"of a user within":          {secevent.SessionRevoked, map[string]any{"format": "complex", "user": email("ana@example.org")}, nil, true},
		"of a device":               {secevent.SessionRevoked, map[string]any{"format": "complex", "device": map[string]any{"format": "opaque", "id": "1"}}, nil, false},
		"by phone":                  {secevent.SessionRevoked, map[string]any{"format": "phone_number", "phone_number": "+1"}, nil, false},
		"of a session of theirs":    {secevent.SessionRevoked, map[string]any{"format": "complex", "user": email("ana@example.org"), "session": map[string]any{"format": "opaque", "id": "s"}}, nil, false},
		"of another one's session":  {secevent.SessionRevoked, map[string]any{"format": "complex", "user": email("ana@example.org"), "session": map[string]any{"format": "opaque", "id": theirs}}, nil, false},
		"password changed":          {secevent.CredentialChange, email("ana@example.org"), map[string]any{"credential_type": "password", "change_type": "update"}, true},
		"device taken away":         {secevent.CredentialChange, email("ana@example.org"), map[string]any{"credential_type": "fido2-roaming", "change_type": "revoke"}, true},
		"device added":              {secevent.CredentialChange, email("ana@example.org"), map[string]any{"credential_type": "fido2-roaming", "change_type": "create"}, false},
		"enabled":                   {secevent.AccountEnabled, email("ana@example.org"), nil, false},
		"an event that we know not": {"https://example.org/event", email("ana@example.org"), nil, false},
		"verification":              {secevent.Verification, map[string]any{"format": "opaque", "id": "stream"}, nil, false},
	}
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// TestRefusals: what is wrong is told in the words of RFC 8935, changes nothing, and is on record.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w, from, stranger := newWorld(t), newElsewhere(t), newElsewhere(t)
	r, token := w.receiver(from.URL, nil)
	polled, _ := w.receiver(from.URL, func(r *store.SignalReceiver) { r.Delivery, r.PollURL, r.TokenHash = store.SignalPoll, from.URL, "" })
	at := w.URL + "/signals/" + r.ID
	good := func() string { return from.token(w, secevent.SessionRevoked, email("ana@example.org"), nil) }
	with := func(k string, v any) string {
		return from.token(w, secevent.SessionRevoked, email("ana@example.org"), map[string]any{k: v})
	}
	w.signIn(w.user)
	for name, c := range map[string]struct{ url, token, contentType, body, code string }{
		"no token":             {at, "", secevents, good(), secevent.AuthenticationFailed},
		"wrong token":          {at, "sig_no", secevents, good(), secevent.AuthenticationFailed},
		"no such receiver":     {w.URL + "/signals/00000000-0000-0000-0000-000000000000", token, secevents, good(), secevent.AuthenticationFailed},
		"one that polls":       {w.URL + "/signals/" + polled.ID, "", secevents, good(), secevent.AuthenticationFailed},
		"content type":         {at, token, plainJSON, good(), secevent.InvalidRequest},
		"huge":                 {at, token, secevents, strings.Repeat("a", secevent.MaxSize+1), secevent.InvalidRequest},
		"empty":                {at, token, secevents, "", secevent.InvalidRequest},
		"alg none":             {at, token, secevents, "eyJhbGciOiJub25lIiwidHlwIjoic2VjZXZlbnQrand0Iiwia2lkIjoiMSJ9." + strings.Split(good(), ".")[1] + ".", secevent.InvalidKey},
		"another transmitter":  {at, token, secevents, stranger.token(w, secevent.SessionRevoked, email("ana@example.org"), map[string]any{"iss": from.URL}), secevent.InvalidKey},
		"issuer":               {at, token, secevents, with("iss", "https://other.example"), secevent.InvalidIssuer},
		"audience":             {at, token, secevents, with("aud", "them"), secevent.InvalidAudience},
		"issued in the future": {at, token, secevents, with("iat", w.clock.Now().Add(time.Hour).Unix()), secevent.InvalidRequest},
		"that expires":         {at, token, secevents, with("exp", w.clock.Now().Add(time.Hour).Unix()), secevent.InvalidRequest},
		"two events":           {at, token, secevents, with("events", map[string]any{secevent.SessionRevoked: map[string]any{}, secevent.AccountDisabled: map[string]any{}}), secevent.InvalidRequest},
	} {
		w.clock.Advance(keysPause)
		if a := ask(t, "POST", c.url, c.token, c.contentType, c.body); a.status != http.StatusBadRequest || a.err() != c.code || a.header.Get("Content-Type") != plainJSON {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if w.live(w.user) != 1 || len(w.events("ReceiveSignal")) != 0 {
		t.Error("a token that was refused has acted")
	}
	if len(w.refused) != 8 { // those of an authenticated transmitter
		t.Errorf("%d refusals are on record", len(w.refused))
	}
	if a := ask(t, "POST", at, token, secevents, "\n"+good()+"\n"); a.status != http.StatusAccepted || w.live(w.user) != 0 {
		t.Errorf("a good one: %d %s", a.status, a.body)
	}
	if e := w.events("ReceiveSignal"); len(e) != 1 || e[0].ServiceEventDetails["outcome"] != heed.Ended || e[0].ServiceEventDetails["user_id"] != w.user.ID {
		t.Errorf("on record is %+v", e)
	}
}

// TestKeyRotation: a key that is new is fetched, one that is not there is not asked for again and again, and while keys cannot be
// fetched the transmitter is asked to come again.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	w, from := newWorld(t), newElsewhere(t)
	r, token := w.receiver(from.URL, func(r *store.SignalReceiver) { r.JWKSURI = from.URL + "/keys" })
	push := func() told {
		return ask(t, "POST", w.URL+"/signals/"+r.ID, token, secevents, from.token(w, secevent.SessionRevoked, email("ana@example.org"), nil))
	}
	for range 3 {
		if a := push(); a.status != http.StatusAccepted {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if from.fetched != 1 {
		t.Errorf("keys were fetched %d times", from.fetched)
	}
	from.rotate()
	if a := push(); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("a new key a moment after the keys were fetched: %d %s", a.status, a.body)
	}
	w.clock.Advance(keysPause)
	if a := push(); a.status != http.StatusAccepted || from.fetched != 2 {
		t.Errorf("new key: %d %s after %d fetches", a.status, a.body, from.fetched)
	}
	from.broken = true
	w.clock.Advance(keysFresh)
	if a := push(); a.status != http.StatusAccepted {
		t.Errorf("known key while the keys cannot be fetched: %d %s", a.status, a.body)
	}
	w.clock.Advance(keysStale)
	if a := push(); a.status != http.StatusServiceUnavailable {
		t.Errorf("known key for too long: %d %s", a.status, a.body)
	}
	from.broken = false
	w.clock.Advance(keysPause)
	if a := push(); a.status != http.StatusAccepted {
		t.Errorf("back again: %d %s", a.status, a.body)
	}
}

// TestDisablingIsBounded: beyond so many within an hour, people are kept in, without their sessions, and an event says so.
func TestDisablingIsBounded(t *testing.T) {
	t.Parallel()
	w, from := newWorld(t), newElsewhere(t)
	w.update(func(tx *store.Tx) error {
		_, err := setting.Put(tx, "signals.disablings-an-hour", "2", "test")
		return err
	})
	r, token := w.receiver(from.URL, nil)
	disable := func(u store.User) {
		t.Helper()
		w.signIn(u)
		a := ask(t, "POST", w.URL+"/signals/"+r.ID, token, secevents, from.token(w, secevent.AccountDisabled, email(u.UserName+"@example.org"), nil))
		if a.status != http.StatusAccepted || w.live(u) != 0 {
			t.Fatalf("%d %s, with %d sessions", a.status, a.body, w.live(u))
		}
	}
	bob, carol, dave := w.person("bob"), w.person("carol"), w.person("dave")
	disable(w.user)
	disable(bob)
	disable(bob) // already: no bound is touched, and none helps
	disable(carol)
	if w.status(w.user) != store.UserDisabled || w.status(bob) != store.UserDisabled || w.status(carol) != store.UserEnabled {
		t.Errorf("ana %s, bob %s, carol %s", w.status(w.user), w.status(bob), w.status(carol))
	}
	var held int
	for _, e := range w.events("ReceiveSignal") {
		if e.ServiceEventDetails["outcome"] == heed.Held && e.ServiceEventDetails["user_id"] == carol.ID {
			held++
		}
	}
	if held != 1 {
		t.Errorf("%d events tell of what was held", held)
	}
	w.clock.Advance(time.Hour + time.Second)
	if disable(dave); w.status(dave) != store.UserDisabled {
		t.Error("the bound has no end")
	}
}

// TestOnlyWhatIsAllowed: an operator can let a transmitter end sessions and not disable.
func TestOnlyWhatIsAllowed(t *testing.T) {
	t.Parallel()
	w, from := newWorld(t), newElsewhere(t)
	r, token := w.receiver(from.URL, func(r *store.SignalReceiver) { r.Events = []string{secevent.SessionRevoked} })
	w.signIn(w.user)
	ask(t, "POST", w.URL+"/signals/"+r.ID, token, secevents, from.token(w, secevent.AccountDisabled, email("ana@example.org"), nil))
	if w.status(w.user) != store.UserEnabled || w.live(w.user) != 1 {
		t.Error("it has acted")
	}
	if e := w.events("ReceiveSignal"); len(e) != 1 || e[0].ServiceEventDetails["outcome"] != heed.Ignored {
		t.Errorf("on record is %+v", e)
	}
}

// TestClientGoesNowhereElse: addresses are https, or this machine; redirects are not followed, and answers bounded.
func TestClientGoesNowhereElse(t *testing.T) {
	t.Parallel()
	hops := 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch hops++; r.URL.Path {
		case "/away":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		case "/huge":
			_, _ = w.Write(make([]byte, maxKeys+1))
		}
	}))
	defer web.Close()
	c := NewClient(nil)
	for url, asks := range map[string]int{web.URL + "/away": 1, web.URL + "/huge": 1, "http://192.0.2.1/": 0, "file:///etc/passwd": 0, "https://u:p@host/": 0, "": 0} {
		hops = 0
		if _, err := c.document(t.Context(), url); err == nil || hops != asks {
			t.Errorf("%s: %v after %d requests", url, err, hops)
		}
	}
}
