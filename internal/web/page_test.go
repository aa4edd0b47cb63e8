package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"sallyport/internal/session"
	"sallyport/internal/store"
)

// everyPage shows each page that there is at least once, by name.
func everyPage(w *world) map[string]answer {
	w.tb.Helper()
	pages := map[string]answer{}
	w.setPassword("One-Time-Pass-1", true)
	b := w.browser()
	pages["user name"] = b.open("/portal")
	pages["user name, missing"] = b.submit(pages["user name"], "username")
	pages["password"] = b.submit(pages["user name"], "username", "username", "alice")
	pages["password, wrong"] = b.submit(pages["password"], "password", "password", "wrong")
	pages["new password"] = b.submit(pages["password"], "password", "password", "One-Time-Pass-1")
	pages["new password, bad"] = b.submit(pages["new password"], "new_password", "new_password", "x")
	pages["sign-in over"] = w.browser().send(http.MethodPost, "/signin/password", url.Values{})

	b = w.signedIn()
	pages["accounts"] = b.open("/portal")
	pages["account"] = b.open("/portal/account/" + string(member))
	pages["credentials"] = b.submit(pages["account"], "role")
	pages["device"] = b.open("/device")
	pages["device, wrong"] = b.open("/device?user_code=x")
	c := w.register("botocore-client-sample", "http://127.0.0.1/callback")
	d := w.startDevice(c, session.Origin{IP: "198.51.100.9", UserAgent: "aws-cli/2.23.6 md/awscrt#0.23.8 ua/2.0 os/linux#6.1 lang/python#3.13"})
	pages["consent, device"] = b.open("/device?user_code=" + d.UserCode)
	pages["allowed"] = b.submit(pages["consent, device"], "decision", "decision", "approve")
	d = w.startDevice(c, session.Origin{IP: home})
	pages["denied"] = b.submit(b.open("/device?user_code="+d.UserCode), "decision", "decision", "deny")
	pages["consent, code"] = b.open(authorizeQuery(c, "http://127.0.0.1:4000/callback"))
	pages["problem"] = b.open("/nothing")
	pages["signed out"] = b.submit(pages["accounts"], "")
	return pages
}

// TestEveryPageIsAccessible holds what a checker of WCAG 2.2 would look for, as far as markup tells.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, a := range everyPage(w) {
		t.Run(name, func(t *testing.T) {
			a.tb = t
			a.title() // exactly one heading of the first level
			checkDocument(t, a)
			checkControls(t, a)
			checkProblem(t, a)
			checkNoScript(t, a)
		})
	}
}

func checkDocument(t *testing.T, a answer) {
	t.Helper()
	if got := attr(a.find("html")[0], "lang"); got != "en" {
		t.Errorf("language is %q", got)
	}
	if len(a.find("main")) != 1 || len(a.find("header")) != 1 {
		t.Error("no landmarks, or several")
	}
	if title := words(a.find("title")[0]); !strings.HasSuffix(title, " · Sallyport") || strings.HasPrefix(title, " ") {
		t.Errorf("title is %q", title)
	}
	for _, m := range a.find("meta") {
		if attr(m, "name") == "viewport" && attr(m, "content") != "width=device-width, initial-scale=1" { // nothing that keeps people from zooming
			t.Errorf("viewport is %s", attr(m, "content"))
		}
	}
	ids := map[string]bool{}
	for n := range a.page.Descendants() {
		if id := attr(n, "id"); id != "" && ids[id] {
			t.Errorf("two elements have the id %s", id)
		} else {
			ids[id] = true
		}
		for id := range strings.FieldsSeq(attr(n, "aria-describedby")) {
			if !ids[id] { // what is wrong comes before the field
				t.Errorf("%s is described by %s, which does not come before it", attr(n, "id"), id)
			}
		}
		if n.Data == "img" && !has(n, "alt") {
			t.Error("an image has no text")
		}
		if has(n, "tabindex") {
			t.Error("the order of the keyboard is not that of the page")
		}
	}
}

func checkControls(t *testing.T, a answer) {
	t.Helper()
	labels := map[string]bool{}
	for _, l := range a.find("label") {
		labels[attr(l, "for")] = words(l) != ""
	}
	focus := 0
	for _, c := range a.find("input", "textarea", "button") {
		switch {
		case attr(c, "type") == "hidden":
		case c.Data == "button":
			if attr(c, "type") != "submit" || words(c) == "" {
				t.Errorf("a button submits nothing or says nothing: %q", words(c))
			}
			if l := attr(c, "aria-label"); l != "" && !strings.Contains(l, words(c)) { // WCAG 2.5.3
				t.Errorf("button %q is called %q", words(c), l)
			}
		case !labels[attr(c, "id")]:
			t.Errorf("the field %s has no label", attr(c, "name"))
		}
		if has(c, "autofocus") {
			focus++
		}
	}
	fields := slices.DeleteFunc(a.find("input"), func(n *html.Node) bool { return attr(n, "type") == "hidden" || has(n, "readonly") })
	if len(fields) > 0 && (focus != 1 || !has(fields[0], "autofocus")) {
		t.Error("the first field to fill in has not the focus")
	}
	for _, f := range a.find("form") {
		if !strings.HasPrefix(attr(f, "action"), "/") || attr(f, "method") == "" {
			t.Errorf("a form leads to %q by %q", attr(f, "action"), attr(f, "method"))
		}
	}
}

// checkProblem: what is wrong is announced, tied to the field that it is about, and that field has the focus.
func checkProblem(t *testing.T, a answer) {
	t.Helper()
	trouble := ""
	for _, p := range a.find("p") {
		if attr(p, "class") == "trouble" && attr(p, "role") != "alert" {
			t.Error("the problem is not announced")
		}
		if attr(p, "id") == "trouble" {
			trouble = words(p)
		}
	}
	for _, c := range a.find("input") {
		described := slices.Contains(strings.Fields(attr(c, "aria-describedby")), "trouble")
		if has(c, "autofocus") && (trouble != "") != (described && attr(c, "aria-invalid") == "true") {
			t.Errorf("problem %q, field %s: described %v, aria-invalid %q", trouble, attr(c, "id"), described, attr(c, "aria-invalid"))
		}
	}
}

// checkNoScript: the policy forbids scripts and styles in the page, so a page with one would be broken; and nothing is
// fetched from elsewhere.
func checkNoScript(t *testing.T, a answer) {
	t.Helper()
	for n := range a.page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"script", "style", "iframe", "object", "embed", "base"}, n.Data) {
			t.Errorf("the page has a <%s>", n.Data)
		}
		for _, at := range n.Attr {
			if strings.HasPrefix(at.Key, "on") || at.Key == "style" || at.Key == "target" {
				t.Errorf("<%s> has %s", n.Data, at.Key)
			}
			if (at.Key == "href" || at.Key == "src") && (!strings.HasPrefix(at.Val, "/") || strings.HasPrefix(at.Val, "//")) {
				t.Errorf("<%s> leads to %s", n.Data, at.Val)
			}
		}
	}
}

// TestNoAccounts: a person without any is told so.
func TestNoAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(func(tx *store.Tx) error {
		u := w.alice
		u.Status = store.UserEnabled
		u.ID, u.UserName, u.Emails = "u-2", "bob", nil
		w.alice = u
		return tx.InsertUser(u)
	})
	w.signedIn().open("/portal").expect(http.StatusOK, "Accounts").says("No account is assigned to you yet")
}
