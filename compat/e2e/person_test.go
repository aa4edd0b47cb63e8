package e2e

import "fmt"

const approve = `button[name="decision"][value="approve"]`

// consent signs in as who, as far as the pages ask for it, up to the page that asks for approval; it returns that page's
// text. It does what the page at hand asks for, as a person would, and does not know the order of pages.
func (b *browser) consent(who person) string {
	b.tb.Helper()
	for range 8 {
		switch {
		case b.has(approve):
			return b.text()
		case b.has(`input[name="new_password"]`):
			b.fill("new_password", who.Password+"-changed")
			b.fill("confirm_password", who.Password+"-changed")
			b.submit("new_password")
		case b.has(`input[name="password"]`):
			b.fill("password", who.Password)
			b.submit("password")
		case b.has(`input[name="username"]`):
			b.fill("username", who.UserName)
			b.submit("username")
		case b.has(`input[name="user_code"]`): // filled in already when the complete link was opened
			b.submit("user_code")
		default:
			b.fail("find the way to the consent page", fmt.Errorf("nothing here that a person could do"))
		}
	}
	b.fail("find the way to the consent page", fmt.Errorf("gave up after many pages"))
	return ""
}

// signIn signs in to the portal.
func (b *browser) signIn(portalURL string, who person) {
	b.tb.Helper()
	b.open(portalURL)
	b.fill("username", who.UserName)
	b.submit("username")
	b.fill("password", who.Password)
	b.submit("password")
}
