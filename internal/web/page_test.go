package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"sallyport/internal/store"
)

// TestEveryPageIsThere: the pages that the tests below look at are the ones that they are called.
func TestEveryPageIsThere(t *testing.T) {
	t.Parallel()
	titles := map[string]bool{}
	for name, a := range everyPage(t) {
		titles[a.title()] = true
		problem := slices.ContainsFunc(a.find("p"), func(n *html.Node) bool { return attr(n, "role") == "alert" && !has(n, "hidden") })
		_, kind, _ := strings.Cut(name, ", ")
		if want := slices.Contains([]string{"wrong", "missing", "bad", "problem", "over"}, kind); want && !problem {
			t.Errorf("%s tells of no problem:\n%s", name, a.text)
		}
		if a.status >= 500 {
			t.Errorf("%s is %d", name, a.status)
		}
	}
	want := []string{
		"Access allowed", "Access denied", "Accounts", "Allow access?", "Approve a device", "Become the first administrator",
		"Choose a new password", "Choose another password", "Code by mail", "Confirm that it is you", "Emergency access", "Enter your password",
		"Everything is ended", "Forgot your password?", "Look into your mail", "Page not found", "Prüfung <b>111122223333",
		"ReadOnly in 111122223333", "Register a device", "Register an authenticator app", "Second factor", "Sign in",
		"Sign in with a passkey", "Sign out?", "Signed out", "That did not work", "Was it not you?", "You are invited",
		"You need a registered device", "Your account",
	}
	if d := cmp.Diff(want, sorted(titles)); d != "" {
		t.Error(d)
	}
}

// TestEveryPageIsAccessible holds what a checker of WCAG 2.2 would look for, as far as markup tells.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	for name, a := range everyPage(t) {
		t.Run(name, func(t *testing.T) {
			a.tb = t
			a.title() // exactly one heading of the first level
			checkDocument(t, a)
			checkControls(t, a)
			checkFocus(t, a)
			checkProblem(t, a)
			checkScript(t, a, scripted[name])
			checkPolicy(t, a, scripted[name])
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
	}
	for _, f := range a.find("form") {
		if !strings.HasPrefix(attr(f, "action"), "/") || attr(f, "method") == "" {
			t.Errorf("a form leads to %q by %q", attr(f, "action"), attr(f, "method"))
		}
	}
}

// checkFocus: the page begins where the person has to fill something in. A list of devices, each with a field for its name, asks
// for nothing.
func checkFocus(t *testing.T, a answer) {
	t.Helper()
	focused := slices.DeleteFunc(a.find("input", "textarea", "button", "a"), func(n *html.Node) bool { return !has(n, "autofocus") })
	if len(focused) > 1 {
		t.Errorf("%d elements want the focus", len(focused))
	}
	required := slices.DeleteFunc(a.find("input"), func(n *html.Node) bool { return !has(n, "required") })
	if len(required) > 0 && a.title() != "Your account" && (len(focused) == 0 || focused[0] != required[0]) {
		t.Error("the first field to fill in has not the focus")
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

// checkScript: nothing runs in a page but our one script, where a passkey is asked for; the page has no styles of its own, and
// fetches nothing from elsewhere.
func checkScript(t *testing.T, a answer, allowed bool) {
	t.Helper()
	scripts := 0
	for n := range a.page.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"style", "iframe", "object", "embed", "base"}, n.Data) {
			t.Errorf("the page has a <%s>", n.Data)
		}
		if n.Data == "script" {
			scripts++
			if attr(n, "src") != "/static/passkey.js" || n.FirstChild != nil {
				t.Errorf("the page has a script %q of %q", words(n), attr(n, "src"))
			}
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
	if want := map[bool]int{true: 1}[allowed]; scripts != want {
		t.Errorf("%d scripts, want %d", scripts, want)
	}
}

// checkPolicy: the content security policy allows what the page needs and no more, and nothing inline anywhere.
func checkPolicy(t *testing.T, a answer, script bool) {
	t.Helper()
	got := map[string]string{}
	for directive := range strings.SplitSeq(a.header.Get("Content-Security-Policy"), ";") {
		name, sources, _ := strings.Cut(strings.TrimSpace(directive), " ")
		got[name] = sources
	}
	want := map[string]string{
		"default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'", "form-action": "'self'",
	}
	if script {
		want["script-src"], want["connect-src"] = "'self'", "'self'"
	}
	if a.title() == "Allow access?" { // the answer goes to a program on this machine
		got["form-action"], _, _ = strings.Cut(got["form-action"], " http://127.0.0.1:")
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestEveryFormIsGuarded: what a page's form does, no page of another site can do.
func TestEveryFormIsGuarded(t *testing.T) {
	t.Parallel()
	tried := map[string]bool{}
	for name, a := range everyPage(t) {
		for _, n := range a.find("form") {
			f := form{strings.ToUpper(attr(n, "method")), attr(n, "action"), n}
			if f.method == http.MethodGet {
				continue // leads somewhere, and does nothing
			}
			tried[f.action] = true
			seen := len(a.by.w.events())
			got := a.by.send(http.MethodPost, f.action, f.data(), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
			if got.status != http.StatusForbidden || len(got.header["Set-Cookie"]) > 0 || len(a.by.w.events()) != seen {
				t.Errorf("%s: another site's page may send %s: %d", name, f.action, got.status)
			}
		}
	}
	if len(tried) < 25 {
		t.Errorf("%d forms were tried: %v", len(tried), sorted(tried))
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
