package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"sallyport/internal/totp"
)

const approve = `button[name="decision"][value="approve"]`

// consent signs in as who, as far as the pages ask for it, up to the page that asks for approval; it returns that page's
// text. It does what the page at hand asks for, as a person would, and does not know the order of pages.
func (b *browser) consent(who person) string {
	b.tb.Helper()
	for range 12 {
		switch {
		case b.has(approve):
			return b.text()
		case b.has(`input[name="user_code"]`): // filled in already when the complete link was opened
			b.submit("user_code")
		default:
			b.step(who)
		}
	}
	b.fail("find the way to the consent page", fmt.Errorf("gave up after many pages"))
	return ""
}

// step does what a page of the sign-in asks for.
func (b *browser) step(who person) {
	b.tb.Helper()
	switch {
	case b.has(`input[name="new_password"]`):
		b.fill("new_password", who.Password+"-changed")
		b.fill("confirm_password", who.Password+"-changed")
		b.submit("new_password")
	case b.has(`input[name="password"]`):
		b.fill("password", who.Password)
		b.submit("password")
	case b.has(`#secret`):
		b.giveCode(b.textOf("#secret"))
	case b.has(`input[name="code"]`):
		b.giveCode(who.Secret)
	case b.has(`a[href="/signin/app"]`):
		b.press(`a[href="/signin/app"]`)
	case b.has(`form[action="/signin/username"]`):
		b.fill("username", who.UserName)
		b.submit("username")
	default:
		b.fail("sign in", fmt.Errorf("nothing here that a person could do"))
	}
}

// signIn signs in to the portal, as far as that goes with what who knows.
func (b *browser) signIn(portalURL string, who person) {
	b.tb.Helper()
	b.open(portalURL)
	b.step(who)
	b.step(who)
	for range 5 {
		if who.Secret == "" && !b.has(`#secret, a[href="/signin/app"], input[name="new_password"]`) || b.has(`form[action="/signout"]`) {
			return
		}
		b.step(who)
	}
}

// apps are the authenticator apps of all people. A code works once, and none that is older than one that was used: so each
// use takes the next one, and waits when that is too far ahead.
var apps struct {
	sync.Mutex
	used map[string]int64 // step used last, by secret
}

// giveCode types the code of an authenticator app, and sends it.
func (b *browser) giveCode(secret string) {
	b.tb.Helper()
	useApp(b.tb, secret, func(code string) {
		b.fill("code", code)
		b.submit("code")
	})
}

// useApp has give send the code of an authenticator app that is next, before anybody else uses the app.
func useApp(tb testing.TB, secret string, give func(code string)) {
	tb.Helper()
	seed, err := totp.ParseSeed(secret)
	if err != nil {
		tb.Fatalf("use the authenticator app: %v", err)
	}
	apps.Lock()
	defer apps.Unlock()
	step := max(apps.used[secret]+1, totp.Step(time.Now().Add(-10*time.Second))) // good for 20 seconds at least
	for step > totp.Step(time.Now())+1 {
		time.Sleep(time.Second) // as a person waits for the next code
	}
	give(seed.Code(step))
	if apps.used == nil {
		apps.used = map[string]int64{}
	}
	apps.used[secret] = step
}
