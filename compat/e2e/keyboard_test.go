package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// stop is an element that has the keyboard's focus.
type stop struct {
	Name         string // as it is read out
	Shown        bool   // people see that it has the focus
	Inside       bool   // it is on the screen
	X, Y, Height float64
}

// focused is what has the focus; it has no name when that is the page itself.
func (b *browser) focused() stop {
	b.tb.Helper()
	at, err := look(b, chromedp.Evaluate[stop](`(() => {
		const e = document.activeElement;
		if (!e || e === document.body) return {Name: "", Shown: true, Inside: true, X: 0, Y: 0, Height: 0};
		const r = e.getBoundingClientRect(), s = getComputedStyle(e);
		return {
			Name: (e.getAttribute("aria-label") || (e.labels && e.labels[0] ? e.labels[0].innerText : e.innerText) || e.name).trim(),
			Shown: e.matches(":focus-visible") && s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2,
			Inside: r.top >= -1 && r.bottom <= innerHeight + 1 && r.left >= -1 && r.right <= innerWidth + 1,
			X: r.left + scrollX, Y: r.top + scrollY + r.height / 2, Height: r.height,
		};
	})()`))
	if err != nil {
		b.fail("find the focus", err)
	}
	return at
}

// keys presses keys.
func (b *browser) keys(keys string) {
	b.tb.Helper()
	b.do("press keys", chromedp.KeyEvent(keys))
}

// enter presses Enter, which leads to another page.
func (b *browser) enter() {
	b.tb.Helper()
	b.follow("Enter", chromedp.KeyEvent(kb.Enter))
}

// awaitFocus waits until a field has the focus, seen, without a key pressed: browsers move it a moment after the page has come.
func (b *browser) awaitFocus(field string) {
	b.tb.Helper()
	at := b.focused()
	for late := time.Now().Add(patience); !strings.HasPrefix(at.Name, field) || !at.Shown; at = b.focused() {
		if time.Now().After(late) {
			b.fail("find the focus", fmt.Errorf("it is at %+v, not at %q", at, field))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// typeIn types into the field that has the focus already when the page has come, and sends the form.
func (b *browser) typeIn(field, text string) {
	b.tb.Helper()
	b.awaitFocus(field)
	b.keys(text)
	b.enter()
}

// tabTo presses Tab until the element of a name has the focus, and returns the names on the way. Each stop must be seen, and
// come after the one before it as people read: further down, or further right in the same row.
func (b *browser) tabTo(name string) (names []string) {
	b.tb.Helper()
	for last := b.focused(); len(names) < 60; {
		b.keys(kb.Tab)
		at := b.focused()
		names = append(names, at.Name)
		sameRow := math.Abs(at.Y-last.Y) < max(at.Height, last.Height)/2
		switch {
		case at.Name != "" && (!at.Shown || !at.Inside):
			b.tb.Errorf("%s: nobody sees that the focus is at %+v", b.address(), at)
		case last.Name != "" && at.Name != "" && at.Name != name && (!sameRow && at.Y < last.Y || sameRow && at.X <= last.X):
			b.tb.Errorf("%s: the focus goes from %+v back to %+v", b.address(), last, at)
		}
		if at.Name == name || at.Name == "" {
			break
		}
		last = at
	}
	if names[len(names)-1] != name {
		b.fail("tab to "+name, fmt.Errorf("Tab leads to %q", names))
	}
	return names
}

// TestKeyboard goes the whole way by keyboard: in, to credentials, to the account page, out.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	s.grant("Keys", sampleAccount, who)
	b := newBrowser(t)
	b.open(s.PortalURL)
	if names := b.tabTo("Sign in with a passkey"); strings.Join(names, ", ") != "Next, Sign in with a passkey" {
		t.Errorf("Tab goes from the user name to %q", names)
	}
	b.open(s.PortalURL)
	b.typeIn("User name", who.UserName)
	b.typeIn("Password", who.Password)
	useApp(t, who.Secret, func(code string) { b.typeIn("Code", code) })

	b.expect("Signed in as " + who.UserName)
	b.tabTo("security\n" + sampleAccount)
	b.enter()
	b.tabTo("Show credentials of Keys")
	b.enter()
	b.expect("Profile in ~/.aws/credentials")
	b.tabTo("Back to the account")
	b.enter()
	b.tabTo(who.UserName)
	b.enter()
	b.expect("Where you are signed in")
	order := strings.Join(b.tabTo("Sign out everywhere else"), ", ")
	want := who.UserName + ", Sign out, Accounts and roles, New name of Sample app, Rename Sample app, Remove Sample app, Add a device, Change password, Sign out everywhere else"
	if order != want {
		t.Errorf("Tab goes over the account page as\n%s\nnot\n%s", order, want)
	}
	b.leaveByKeys(s)
}

// leaveByKeys signs out by keyboard, up to where people sign in again.
func (b *browser) leaveByKeys(s *server) {
	b.tb.Helper()
	b.open(s.home() + "/account")
	b.tabTo("Sign out")
	b.enter()
	b.tabTo("Sign out and stop them")
	b.enter()
	b.expect("Signed out")
	b.tabTo("Sign in again")
	b.enter()
	b.awaitFocus("User name")
}
