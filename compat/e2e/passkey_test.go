package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// plugIn gives the browser window an authenticator: one that checks its user and keeps passkeys, or a plain security key.
func (b *browser) plugIn(checksUser bool) webauthn.AuthenticatorID {
	b.tb.Helper()
	options := &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb, AutomaticPresenceSimulation: true,
	}
	if checksUser {
		options.Transport = webauthn.AuthenticatorTransportInternal
		options.HasResidentKey, options.HasUserVerification, options.IsUserVerified = true, true, true
		options.DefaultBackupEligibility, options.DefaultBackupState = true, true
	}
	added, err := look(b, func(ctx context.Context, t *chromedp.Target) (added webauthn.AddVirtualAuthenticatorResult, err error) {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return added, err
		}
		return cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: options})
	})
	if err != nil {
		b.fail("plug an authenticator in", err)
	}
	return added.AuthenticatorID
}

// useKey presses the page's button for passkeys, and waits for the words to which its script leads.
func (b *browser) useKey(words string) {
	b.tb.Helper()
	b.do("use a passkey", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Evaluate[bool](`document.querySelector("form[data-passkey] button[type=submit]").click(), true`)(ctx, t)
		return err
	}))
	b.arrive(words)
}

// newcomer is the person of the sample world who has no device yet.
func (s *server) newcomer() person {
	s.tb.Helper()
	for _, u := range s.Users {
		if u.Secret == "" {
			return u
		}
	}
	s.tb.Fatal("everybody has a device")
	return person{}
}

// TestPasskey: who is not enrolled yet registers a passkey at first sign-in; later it is the second factor, or all that is needed.
func TestPasskey(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.newcomer()
	b := newBrowser(t)
	b.plugIn(true)
	b.open(s.PortalURL)
	b.step(who)
	b.step(who)
	b.expect("Register a device")
	b.useKey("Choose a new password")
	b.step(who) // a password of their own
	b.expect("Signed in as " + who.UserName)
	who.Password += "-changed"

	b.pressText("Sign out")
	b.open(s.PortalURL)
	b.step(who)
	b.step(who)
	b.expect("Second factor")
	b.useKey("Signed in as " + who.UserName)

	b.pressText("Sign out")
	b.open(s.PortalURL)
	b.pressText("Sign in with a passkey")
	b.arrive("Signed in as " + who.UserName)

	b.open(strings.TrimSuffix(s.PortalURL, "/portal") + "/account")
	b.expect("synced passkey")
	b.expect("A device was registered: Passkey")
}

// TestSecurityKey: a key that does not check its user is a second factor, and never the only one.
func TestSecurityKey(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.newcomer()
	b := newBrowser(t)
	b.plugIn(false)
	b.open(s.PortalURL)
	b.step(who)
	b.step(who)
	b.useKey("Choose a new password")
	b.step(who)
	b.expect("Signed in as " + who.UserName)
	who.Password += "-changed"
	b.pressText("Sign out")

	b.open(s.PortalURL)
	b.pressText("Sign in with a passkey")
	b.arrive("Try again.")
	b.pressText("Use a user name")
	b.step(who)
	b.step(who)
	b.useKey("Signed in as " + who.UserName)
}
