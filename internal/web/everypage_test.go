package web_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/passkey/passkeytest"
	"sallyport/internal/session"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/web"
)

// scripted names the pages that may run our one script: those that ask for a passkey.
var scripted = map[string]bool{
	"passkey": true, "passkey, wrong": true, "first device": true, "first device, wrong": true, "another device": true,
	"second factor, both kinds": true, "confirm, passkey": true, "emergency, passkey": true,
}

// everyPage shows each page that there is at least once, by name.
func everyPage(t *testing.T) map[string]answer {
	t.Helper()
	pages := map[string]answer{}
	for _, family := range []func(*world) map[string]answer{signInPages, portalPages, consentPages, factorPages, codePages, linkPages, accountPages, confirmPages, emergencyPages} {
		maps.Copy(pages, family(newMFAWorld(t)))
	}
	return pages
}

func signInPages(w *world) map[string]answer {
	pages := map[string]answer{}
	b := w.browser()
	pages["user name"] = b.open("/portal")
	pages["user name, missing"] = b.submit(pages["user name"], "username")
	pages["password"] = b.submit(pages["user name"], "username", "username", "alice")
	pages["password, wrong"] = b.submit(pages["password"], "password", "password", "wrong")
	pages["no device"] = b.submit(pages["password"], "password", "password", password)
	pages["sign-in over"] = w.browser().send(http.MethodPost, "/signin/password", url.Values{})
	pages["forgot"] = b.open("/signin/forgot")
	pages["forgot, missing"] = b.submit(pages["forgot"], "username")
	pages["forgot, sent"] = b.submit(pages["forgot"], "username", "username", "alice")
	w.setPassword("One-Time-Pass-1", true)
	w.set("mfa.mode", setting.Off)
	b = w.browser()
	pages["new password"] = b.signIn(b.open("/portal"), "alice", "One-Time-Pass-1")
	pages["new password, bad"] = b.submit(pages["new password"], "new_password", "new_password", "x")
	return pages
}

func portalPages(w *world) map[string]answer {
	pages := map[string]answer{}
	b := w.signedIn()
	pages["accounts"] = b.open("/portal")
	pages["account"] = b.open("/portal/account/" + string(member))
	pages["credentials"] = b.submit(pages["account"], "role")
	pages["problem"] = b.open("/nothing")
	pages["sign out?"] = b.submit(pages["accounts"], "")
	pages["signed out"] = b.submit(pages["sign out?"], "sure")
	return pages
}

func consentPages(w *world) map[string]answer {
	pages := map[string]answer{}
	b := w.signedIn()
	pages["device"] = b.open("/device")
	pages["device, wrong"] = b.open("/device?user_code=x")
	c := w.register("botocore-client-sample", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: "198.51.100.9", UserAgent: "aws-cli/2.23.6 md/awscrt#0.23.8 ua/2.0 os/linux#6.1 lang/python#3.13"})
	pages["consent, device"] = b.open("/device?user_code=" + d.UserCode)
	pages["allowed"] = b.submit(pages["consent, device"], "decision", "decision", "approve")
	d = w.startDevice(c, session.Origin{IP: home})
	pages["denied"] = b.submit(b.open("/device?user_code="+d.UserCode), "decision", "decision", "deny")
	pages["consent, code"] = b.open(authorizeQuery(c, "http://127.0.0.1:4000/callback"))
	return pages
}

func factorPages(w *world) map[string]answer {
	pages := map[string]answer{}
	b := w.browser()
	pages["passkey"] = b.follow(b.send(http.MethodPost, "/signin/passkey/start", url.Values{"next": {"/portal"}}))
	b.send(http.MethodPost, "/signin/passkey/options", url.Values{})
	pages["passkey, wrong"] = b.submit(pages["passkey"], "response", "response", "{}")
	b = w.browser()
	pages["first device"] = b.submit(b.open(w.invitation()), "")
	b.send(http.MethodPost, "/signin/passkey/options", url.Values{})
	pages["first device, wrong"] = b.submit(pages["first device"], "response", "response", "{}")
	pages["app"] = b.open("/signin/app")
	pages["app, wrong"] = b.submit(pages["app"], "code", "code", "000000")
	b.givePasskey(b.open("/signin"), passkeytest.New(portal), "name", "Key")
	w.app("Phone")
	b = w.browser()
	pages["second factor, both kinds"] = b.signIn(b.open("/portal"), "alice", password)
	return pages
}

func codePages(w *world) map[string]answer {
	pages := map[string]answer{}
	w.set("mfa.without-device", setting.Email)
	w.set("mfa.mode", setting.ContextAware) // the pages offer to trust the browser
	b := w.browser()
	pages["mail code, to be sent"] = b.signIn(b.open("/portal"), "alice", password)
	pages["mail code"] = b.follow(b.send(http.MethodPost, "/signin/mail-code/send", url.Values{}))
	pages["mail code, wrong"] = b.submit(pages["mail code"], "code", "code", "x")
	w.app("Phone")
	b = w.browser()
	pages["second factor"] = b.signIn(b.open("/portal"), "alice", password)
	pages["second factor, wrong"] = b.submit(pages["second factor"], "code", "code", "x")
	return pages
}

func linkPages(w *world) map[string]answer {
	pages := map[string]answer{}
	b := w.browser()
	pages["invitation"] = b.open(w.invitation())
	pages["reset"] = b.open(w.reset())
	pages["founding"] = b.open(w.founding())
	w.pages.Found = func(context.Context, string, web.Founder, session.Origin) (credential.Secret, error) {
		return "", fault.Invalidf("There is a user of that name already.")
	}
	pages["founding, bad"] = b.submit(pages["founding"], "username", "username", "alice", "given_name", "A", "family_name", "B")
	pages["link, over"] = b.open("/link/aolnothing")
	pages["disown"] = b.open(w.disowning())
	pages["disowned"] = b.submit(pages["disown"], "")
	return pages
}

func accountPages(w *world) map[string]answer {
	pages := map[string]answer{}
	b := w.signedIn()
	pages["my account, bare"] = b.open("/account")
	w.app("Phone <b>")
	w.disowning()
	w.signedIn()
	pages["my account"] = b.open("/account")
	pages["my account, problem"] = b.submit(pages["my account"], "name", "name", strings.Repeat("x", 65))
	pages["confirm"] = b.open("/confirm")
	w.set("mfa.self-service", "false")
	pages["my account, managed"] = b.open("/account")
	return pages
}

func confirmPages(w *world) map[string]answer {
	pages := map[string]answer{}
	b := w.signedIn()
	ask := func() answer { return b.submit(b.open("/confirm"), "next") }
	pages["confirm, password"] = ask()
	w.app("Phone")
	pages["confirm, code"] = ask()
	key := passkeytest.New(portal)
	b.submit(pages["confirm, code"], "code", "code", w.code(w.app("Other")))
	pages["another device"] = b.follow(b.send(http.MethodPost, "/account/add-device", url.Values{}))
	b.givePasskey(pages["another device"], key, "name", "Key")
	w.clock.Advance(time.Hour)
	pages["confirm, passkey"] = ask()
	return pages
}

// disowning is the path of a link that says that something was not alice's doing, as a letter has it.
func (w *world) disowning() string {
	w.tb.Helper()
	token, hash := credential.NewBearer("aol")
	w.update(func(tx *store.Tx) error {
		n, err := tx.InsertNotice(store.Notice{UserID: w.alice.ID, Kind: store.PasswordChanged, IP: home})
		if err != nil {
			return err
		}
		return tx.InsertLink(store.Link{Hash: hash, UserID: w.alice.ID, Purpose: store.Disowning, Subject: n.ID, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour)})
	})
	return "/link/" + string(token)
}
