package web_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/emergency"
	"sallyport/internal/mail"
	"sallyport/internal/page"
	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/quota"
	"sallyport/internal/revocation"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// sealedAccount is the account that an emergency access is for. Nobody is assigned to it.
const sealedAccount arn.AccountID = "444455556666"

// glass is a world in which an emergency access has been prepared: alice opens, bob approves, carol does both.
type glass struct {
	*world
	rules  *emergency.Service
	people map[string]store.User
	keys   map[string]*passkeytest.Authenticator
	set    arn.PermissionSet
	access store.EmergencyAccess
	codes  []string
}

func newGlass(tb testing.TB, change ...func(*emergency.Plan)) *glass {
	return newGlassOn(tb, storetest.Open, change...)
}

func newGlassOn(tb testing.TB, open func(testing.TB, clock.Clock) *store.DB, change ...func(*emergency.Plan)) *glass {
	tb.Helper()
	w := newWorldOn(tb, open)
	g := &glass{world: w, people: map[string]store.User{"alice": w.alice}, keys: map[string]*passkeytest.Authenticator{}}
	w.update(func(tx *store.Tx) error { _, err := setting.Reset(tx, "mfa.mode"); return err })
	w.set("mfa.first-device", setting.Password)
	g.rules = &emergency.Service{
		DB: w.db, Keys: w.sessions.Keys, Minter: w.pages.Vendor.Minter, Instance: instance, Store: storeID, Owner: owner, Region: "us-east-1",
		Mail: w.login.Mail, Letters: mail.Letters{Portal: portal},
	}
	w.pages.Emergency = g.rules
	phc := must(w.login.Hasher.Hash(tb.Context(), password))
	w.update(func(tx *store.Tx) error { return w.login.SetPassword(tx, w.alice.ID, phc, false) })
	for _, name := range []string{"bob", "carol"} {
		w.update(func(tx *store.Tx) error {
			u, err := directory.CreateUser(tx, store.User{
				StoreID: storeID, UserName: name, DisplayName: name,
				UserAttrs: store.UserAttrs{
					Name: store.Name{GivenName: name, FamilyName: "B"}, Emails: []store.TypedValue{{Value: name + "@example.org", Type: "work", Primary: true}},
				},
			}, "test")
			g.people[name] = u
			if err != nil {
				return err
			}
			return w.login.SetPassword(tx, u.ID, phc, false)
		})
	}
	for _, name := range []string{"alice", "bob", "carol"} {
		g.enroll(name)
	}
	g.role()
	g.prepare(change...)
	return g
}

// enroll gives somebody a passkey, as they would do it in their browser.
func (g *glass) enroll(name string) {
	g.tb.Helper()
	b := g.portalOf(name)
	key := passkeytest.New(portal)
	b.givePasskey(b.follow(b.send(http.MethodPost, "/account/add-device", url.Values{})), key, "name", "Key").expect(http.StatusOK, "Your account")
	g.keys[name] = key
	g.clock.Advance(time.Second)
}

// portalOf is a browser in which somebody is signed in, not for an emergency.
func (g *glass) portalOf(name string) *browser {
	g.tb.Helper()
	b := g.browser()
	g.update(func(tx *store.Tx) error {
		cookie, _, err := g.sessions.StartPortal(tx, g.people[name], session.Origin{IP: home}, tx.Now())
		b.cookies[sessionCookie] = string(cookie)
		return err
	})
	return b
}

// role provisions a permission set in an account where nobody has it.
func (g *glass) role() {
	g.tb.Helper()
	g.set = arn.NewPermissionSet(instance)
	g.update(func(tx *store.Tx) error {
		if err := tx.InsertInstance(store.Instance{ID: instance, StoreID: storeID, Owner: owner, Region: "us-east-1", StartURL: startURL, Status: "ACTIVE"}); err != nil {
			return err
		}
		if err := tx.InsertAccount(store.Account{ID: sealedAccount, Name: "Production", Email: "p@example.org", Backend: "local", Status: "ACTIVE"}); err != nil {
			return err
		}
		if err := tx.InsertPermissionSet(store.PermissionSet{PermissionSet: g.set, Name: "Breaker", SessionDuration: "PT12H", Revision: 3}); err != nil {
			return err
		}
		return tx.InsertRole(store.Role{
			Account: sealedAccount, Name: arn.RoleName("Breaker", arn.RoleSuffix()), ID: arn.NewUniqueID("AROA"), Path: arn.RolePath("us-east-1"),
			Set: g.set, Revision: 3, Spec: store.RoleSpec{SessionDuration: 12 * time.Hour},
		})
	})
}

func (g *glass) prepare(change ...func(*emergency.Plan)) {
	g.tb.Helper()
	p := emergency.Plan{
		Name: "Production down", Set: g.set, Accounts: []arn.AccountID{sealedAccount}, Alarm: []string{"security@example.org"},
		Openers: []string{g.people["alice"].ID, g.people["carol"].ID}, Approvers: []string{g.people["bob"].ID, g.people["carol"].ID},
	}
	for _, f := range change {
		f(&p)
	}
	g.update(func(tx *store.Tx) (err error) {
		g.access, g.codes, err = g.rules.Prepare(tx, p, "arn:aws:iam::999988887777:user/operator", quota.Limits{})
		return err
	})
}

// come signs somebody in for an emergency, in a browser of their own, with their passkey.
func (g *glass) come(name string) (*browser, answer) {
	g.tb.Helper()
	b := g.browser()
	return b, g.comeIn(b, name)
}

func (g *glass) comeIn(b *browser, name string) answer {
	g.tb.Helper()
	a := b.submit(b.open("/emergency"), "username", "username", name)
	a = b.submit(a, "password", "password", password)
	return b.givePasskey(a.expect(http.StatusOK, "Second factor"), g.keys[name])
}

const why = "The production database is down and nobody can get in."

// ask asks for the access.
func (g *glass) ask(b *browser, a answer, values ...string) answer {
	g.tb.Helper()
	return b.submit(a, "access", append([]string{"reason", why}, values...)...)
}

// opened is what alice holds after bob has approved.
func (g *glass) opened() (alice *browser, bob *browser) {
	g.tb.Helper()
	alice, a := g.come("alice")
	g.ask(alice, a).says("Waiting: Production down")
	bob, a = g.come("bob")
	bob.submit(a, "decision", "decision", "approve").says("Open for alice : Production down")
	return alice, bob
}

// opening is the last opening.
func (g *glass) opening() (o store.Opening) {
	g.tb.Helper()
	g.update(func(tx *store.Tx) error {
		all, _, err := tx.Openings(page.Query{Limit: 1})
		if len(all) > 0 {
			o = all[0]
		}
		return err
	})
	return o
}

// take gets credentials of the sealed role as the page gives them, and opens them as a verifier would.
func (g *glass) take(b *browser) credential.Caller {
	g.tb.Helper()
	a := b.submit(b.open("/portal/account/"+string(sealedAccount)), "role").expect(http.StatusOK, "Breaker in "+string(sealedAccount))
	env := words(a.find("textarea")[0])
	shown := func(name string) string {
		_, rest, _ := strings.Cut(env, name+`="`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	c, _, err := g.pages.Vendor.Minter.Open(shown("AWS_SESSION_TOKEN"), shown("AWS_ACCESS_KEY_ID"), g.clock.Now())
	if err != nil {
		g.tb.Fatal(err)
	}
	return c
}

// stands says whether a right stands, as the gate would find out.
func (g *glass) stands(c credential.Caller) bool {
	g.tb.Helper()
	return g.db.View(g.tb.Context(), func(tx *store.Tx) error { return revocation.Evaluate(tx, c) }) == nil
}

// count counts the events of a name, with its error code if it has one.
func (g *glass) count(name string) (n int) {
	g.tb.Helper()
	for _, e := range g.events() {
		if e == name {
			n++
		}
	}
	return n
}

// work has what is due done.
func (g *glass) work() {
	g.tb.Helper()
	w := &emergency.Worker{Service: g.rules, Node: "test", Log: slog.New(slog.DiscardHandler)}
	if err := w.Work(g.tb.Context()); err != nil {
		g.tb.Fatal(err)
	}
}
