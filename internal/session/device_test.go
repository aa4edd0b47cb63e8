package session

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// start begins a device authorization and returns the poll that goes with it.
func (w *world) start(c Client) (DeviceStart, TokenRequest) {
	w.t.Helper()
	d, err := w.StartDevice(c.ID, string(c.Secret), testStart, laptop)
	if err != nil {
		w.t.Fatal(err)
	}
	return d, TokenRequest{ClientID: c.ID, ClientSecret: string(c.Secret), GrantType: DeviceGrant, DeviceCode: string(d.DeviceCode)}
}

func (w *world) decide(userCode string, approve bool) error {
	return w.db.Update(context.Background(), func(tx *store.Tx) error {
		if approve {
			return w.ApproveDevice(tx, w.portal, userCode, browser)
		}
		return w.DenyDevice(tx, w.portal, userCode, browser)
	})
}

func (w *world) pending(portal store.Session, userCode string, from Origin) (d DeviceRequest, err error) {
	err = w.db.View(context.Background(), func(tx *store.Tx) (err error) {
		d, err = w.PendingDevice(tx, portal, userCode, from)
		return err
	})
	return d, err
}

// device is a client's whole way by device code.
func (w *world) device(c Client) Token {
	w.t.Helper()
	d, poll := w.start(c)
	if err := w.decide(d.UserCode, true); err != nil {
		w.t.Fatal(err)
	}
	return w.must(poll)
}

func TestDevice(t *testing.T) {
	onEach(t, func(t *testing.T, w *world) {
		c := w.register(Registration{Scopes: []string{AccountAccess}}) // the CLI names no grant types here
		d, poll := w.start(c)
		if d.VerificationURI != testPortal+"/device" || d.VerificationURIComplete != testPortal+"/device?user_code="+d.UserCode ||
			d.ExpiresIn != 10*time.Minute || d.Interval != time.Second {
			t.Errorf("got %+v", d)
		}
		// Wire protocols §8.1: the first two polls come at once, and none may be slowed down.
		w.refused(authorizationPending, poll)
		w.refused(authorizationPending, poll)
		w.refused(slowDown, poll)
		for range 30 {
			w.clock.Advance(d.Interval)
			w.refused(authorizationPending, poll)
		}
		got, err := w.pending(w.portal, strings.ToLower(strings.ReplaceAll(d.UserCode, "-", "")), browser)
		want := DeviceRequest{"botocore-client-dev", got.ClientKey, d.UserCode, []string{AccountAccess}, w.clock.Now().Add(-30 * time.Second), laptop}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
		if err := w.decide(d.UserCode, true); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(d.Interval)
		tok := w.must(poll)
		if tok.ExpiresIn != time.Hour || tok.Refresh == "" {
			t.Errorf("got a token for %v, refresh: %v", tok.ExpiresIn, tok.Refresh != "")
		}
		w.clock.Advance(d.Interval)
		w.refused(invalidGrant, poll)
		w.must(refreshWith(c, tok))
	})
}

// TestDeviceDenied is a part of case S31: the client is told once.
func TestDeviceDenied(t *testing.T) {
	w := onSQLite(t)
	d, poll := w.start(w.register(Registration{}))
	if err := w.decide(d.UserCode, false); err != nil {
		t.Fatal(err)
	}
	w.refused(accessDenied, poll)
	w.refused(expiredToken, poll)
	wantKind(t, w.decide(d.UserCode, true), fault.Conflict)
}

func TestDeviceExpires(t *testing.T) {
	w := onSQLite(t)
	d, poll := w.start(w.register(Registration{}))
	w.clock.Advance(10*time.Minute - time.Second)
	w.refused(authorizationPending, poll)
	w.clock.Advance(time.Second)
	w.refused(expiredToken, poll)
	wantKind(t, w.decide(d.UserCode, true), fault.NotFound)
}

func TestDeviceOfAnotherClient(t *testing.T) {
	w := onSQLite(t)
	_, poll := w.start(w.register(Registration{}))
	other := w.register(Registration{})
	poll.ClientID, poll.ClientSecret = other.ID, string(other.Secret)
	w.refused(invalidGrant, poll)
}

// TestDeviceAfterRestart: the table in memory is gone, and one poll brings the request back, on any node.
func TestDeviceAfterRestart(t *testing.T) {
	w := onSQLite(t)
	d, poll := w.start(w.register(Registration{}))
	w.Service = w.restart()
	_, err := w.pending(w.portal, d.UserCode, browser)
	wantKind(t, err, fault.NotFound)
	w.refused(authorizationPending, poll)
	if err := w.decide(d.UserCode, true); err != nil {
		t.Fatal(err)
	}
	w.Service = w.restart()
	w.must(poll)
}

func TestDeviceApprovedInASessionThatEnded(t *testing.T) {
	w := onSQLite(t)
	d, poll := w.start(w.register(Registration{}))
	if err := w.decide(d.UserCode, true); err != nil {
		t.Fatal(err)
	}
	w.update(func(tx *store.Tx) error { return w.End(tx, w.portal.ID, "u-1") })
	w.refused(accessDenied, poll)
	w.refused(invalidGrant, poll)
}

// TestUserCodeGuessing is a part of case S31.
func TestUserCodeGuessing(t *testing.T) {
	w := onSQLite(t)
	d, _ := w.start(w.register(Registration{}))
	for range 10 {
		_, err := w.pending(w.portal, "BBBB-BBBB", browser)
		wantKind(t, err, fault.NotFound)
	}
	_, err := w.pending(w.portal, d.UserCode, browser)
	wantKind(t, err, fault.Throttled)
	wantKind(t, w.decide(d.UserCode, true), fault.Throttled)
	w.clock.Advance(time.Minute)
	if _, err := w.pending(w.portal, d.UserCode, browser); err != nil {
		t.Error(err)
	}
	// Many sessions at one address share a bound.
	for i := range 60 {
		_, err = w.pending(store.Session{ID: fmt.Sprint(i)}, "BBBB-BBBB", browser)
	}
	wantKind(t, err, fault.Throttled)
}

func TestPendingBounds(t *testing.T) {
	t.Parallel()
	c := clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	var p pending
	add := func(i int, ip string) *entry {
		d := device{UserCode: fmt.Sprint("code ", i), IP: ip, Started: c.Now().Unix()}
		return p.add(fmt.Sprint("hash ", i), d, c.Now())
	}
	for i := range maxPendingAddress {
		if add(i, "192.0.2.1") == nil {
			t.Fatalf("authorization %d was refused", i)
		}
	}
	if add(maxPendingAddress, "192.0.2.1") != nil {
		t.Error("one address may have more than its share")
	}
	for i := range maxPending {
		add(1000+i, fmt.Sprintf("198.51.%d.%d", i/200, i%200))
	}
	if p.order.Len() != maxPending || len(p.byHash) != maxPending || len(p.byCode) != maxPending {
		t.Errorf("the table has %d, %d, %d entries", p.order.Len(), len(p.byHash), len(p.byCode))
	}
	c.Advance(deviceLife)
	add(0, "192.0.2.1")
	if p.order.Len() != 1 || len(p.byHash) != 1 || len(p.byCode) != 1 || len(p.byNetwork) != 1 {
		t.Errorf("expired entries stay: %d", p.order.Len())
	}
}

func TestPendingClash(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	var p pending
	d := device{UserCode: "BCDF-GHJK", Started: now.Unix()}
	a := p.add("a", d, now)
	if _, _, ok := p.find("BCDF-GHJK", now); !ok {
		t.Error("a single code is not found")
	}
	b := p.add("b", d, now)
	if _, _, ok := p.find("BCDF-GHJK", now); ok || !p.clashes(a) || !p.clashes(b) {
		t.Error("two device codes with one user code must both be refused")
	}
}
