package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// forget takes the browser's cookies away: to the server it is a new one.
func (b *browser) forget() {
	b.tb.Helper()
	b.do("forget the cookies", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.ClearBrowserCookies, cdp.Empty{})
		return err
	}))
}

// almostLocked has somebody guess, so that the next failure locks for minutes.
func (s *server) almostLocked(who person) {
	s.tb.Helper()
	s.cli("settings", "set", "sign-in.free-failures", "100")
	thief := s.visit(s.tb)
	thief.post("/signin/username", form("username", who.UserName))
	for range 8 {
		thief.post("/signin/password", form("password", "a guess"))
	}
	s.cli("settings", "set", "sign-in.free-failures", "1")
}

// TestLockout: guessing at a name locks its password, for the right one too; a passkey signs in nonetheless, and the operator
// unlocks.
func TestLockout(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.newcomer()
	own := newBrowser(t)
	own.plugIn(true)
	own.open(s.PortalURL)
	own.step(who)
	own.step(who)
	own.useKey("Choose a new password")
	own.choose(&who, who.Password+"-changed")

	s.almostLocked(who)
	b := newBrowser(t)
	b.open(s.PortalURL)
	b.step(who)
	wrong := who
	wrong.Password = "another guess"
	b.step(wrong)
	said := b.textOf("#trouble")
	b.step(who)
	if b.textOf("#trouble") != said || !strings.Contains(said, "too many attempts") {
		t.Errorf("a wrong password is answered %q, the right one under a lock %q", said, b.textOf("#trouble"))
	}
	if state := s.cli("users", "show", who.UserName); !strings.Contains(state, "9") || !strings.Contains(state, "locked until") {
		t.Errorf("the operator sees:\n%s", state)
	}

	own.forget()
	own.open(s.PortalURL)
	own.pressText("Sign in with a passkey")
	own.arrive("Signed in as " + who.UserName)
	b.step(who)
	b.expect(said) // the passkey has not unlocked the password

	if done := s.cli("users", "unlock", who.UserName); !strings.Contains(done, "forgotten") {
		t.Errorf("unlock prints %q", done)
	}
	b.step(who)
	b.expect("Second factor")
}
