package e2e

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	oidctypes "github.com/aws/aws-sdk-go-v2/service/ssooidc/types"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// hostileSite is somebody else's site, which sends forms to a URL (?to=) as soon as it is opened, or has it in a frame (?in=).
// It is at 127.0.0.1, which to a browser is another site than localhost, and at another port of localhost, which is not.
func hostileSite(tb testing.TB) (elsewhere, nextDoor string) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if in := r.FormValue("in"); in != "" {
			fmt.Fprintf(w, `<p>Win a prize!</p><iframe src="%s" width=900 height=600></iframe>`, html.EscapeString(in))
			return
		}
		fmt.Fprintf(w, `<form method=post action="%s">`, html.EscapeString(r.FormValue("to")))
		for name, values := range r.URL.Query() {
			fmt.Fprintf(w, `<input name="%s" value="%s">`, html.EscapeString(name), html.EscapeString(values[0]))
		}
		fmt.Fprint(w, `</form><script>HTMLFormElement.prototype.submit.call(document.forms[0])</script>`)
	}))
	tb.Cleanup(srv.Close)
	return srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
}

// lasting is a page's text without the times that go on by themselves.
func (b *browser) lasting() string {
	b.tb.Helper()
	return regexp.MustCompile(`last used [^\n]*`).ReplaceAllString(b.text(), "")
}

// TestOtherSites: no page of another site sends a form that does anything, in a real browser where its person is signed in.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	who := s.Users[0]
	s.grant("Wanted", sampleAccount, who)
	client, b := s.ask("theirs"), newBrowser(t)
	b.signIn(s.PortalURL, who)
	there := newBrowser(t)
	there.signIn(s.PortalURL, who)
	b.open(s.home() + "/account")
	before := b.lasting()
	device, session := b.value(`[name="device"]`), b.value(`[name="session"]`)

	elsewhere, nextDoor := hostileSite(t)
	for _, at := range []string{elsewhere, nextDoor} {
		for path, f := range map[string]url.Values{
			"/signout": form("sure", "yes"), "/device": form("user_code", *client.from.UserCode, "decision", "approve"),
			"/account/end-others": {}, "/account/end-session": form("session", session), "/account/remove-device": form("device", device),
			"/account/rename-device": form("device", device, "name", "theirs"), "/account/add-device": {}, "/account/password": {},
			"/account/confirm": form("next", "/portal"), "/account/disown": form("notice", "1"),
			"/portal/credentials": form("account", sampleAccount, "role", "Wanted"), "/signin/username": form("username", "mallory"),
			"/signin/restart": {}, "/signin/passkey/start": {}, "/signin/passkey/options": {}, "/signin/forgot": form("username", who.UserName),
		} {
			if at == elsewhere && len(f) == 0 {
				continue // those that carry something are enough
			}
			f.Set("to", s.home()+path)
			b.open(at + "/?" + f.Encode())
			if b.arrive("Not allowed"); !b.shows("nothing was done") {
				t.Errorf("%s from %s:\n%s", path, at, b.text())
			}
		}
	}
	b.open(s.home() + "/account")
	if after := b.lasting(); after != before {
		t.Errorf("the account was\n%s\nand is\n%s", before, after)
	}
	_, err := client.oidc.CreateToken(t.Context(), &ssooidc.CreateTokenInput{
		ClientId: client.id.ClientId, ClientSecret: client.id.ClientSecret, DeviceCode: client.from.DeviceCode,
		GrantType: aws.String("urn:ietf:params:oauth:grant-type:device_code"),
	})
	want[*oidctypes.AuthorizationPendingException](t, err)
}

// TestFrames: no page is shown in another site's frame, the next door's either.
func TestFrames(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	_, nextDoor := hostileSite(t)
	b := newBrowser(t)
	for _, path := range []string{"/portal", "/signin", "/account", "/device?user_code=BCDF-GHJK", "/nothing"} {
		b.open(nextDoor + "/?in=" + url.QueryEscape(s.home()+path))
		b.expect("Win a prize")
		tree, err := look(b, func(ctx context.Context, t *chromedp.Target) (page.GetFrameTreeResult, error) {
			return cdp.Call(ctx, t, page.GetFrameTree, cdp.Empty{})
		})
		if err != nil {
			t.Fatal(err)
		}
		if frames := tree.FrameTree.ChildFrames; len(frames) != 1 || !strings.HasPrefix(frames[0].Frame.URL, "chrome-error:") {
			t.Errorf("%s is shown in a frame: %+v", path, frames[0].Frame)
		}
	}
}

var (
	inline = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>\s*[^<\s]|<style|\s(?:style|on[a-z]+)\s*=|javascript:`)
	linked = regexp.MustCompile(`(?:href|src)="(/[^"]*)"`)
)

// TestHeadersOfEveryPage walks over every page that links lead to, in and out of a session.
func TestHeadersOfEveryPage(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	s.grant("Walk", sampleAccount, s.Users[0])
	in := s.visit(t)
	in.signIn(s.Users[0])
	for name, v := range map[string]*visit{"signed in": in, "a stranger": s.visit(t)} {
		seen := map[string]bool{}
		for todo := []string{"/", "/start", "/portal", "/account", "/confirm", "/device", "/authorize", "/signin", "/signin/app", "/signin/forgot", "/link/x", "/none"}; len(todo) > 0; {
			path := todo[0]
			if todo = todo[1:]; seen[path] || !strings.HasPrefix(path, "/") || len(seen) > 200 {
				continue
			}
			seen[path] = true
			r := v.get(path)
			checkHeaders(t, name+" at "+path, r)
			todo = append(todo, r.to)
			for _, found := range linked.FindAllStringSubmatch(r.body, -1) {
				todo = append(todo, html.UnescapeString(found[1]))
			}
		}
		if len(seen) < 12 {
			t.Errorf("%s saw only %v", name, seen)
		}
	}
}

func checkHeaders(t *testing.T, where string, r reply) {
	t.Helper()
	policy := r.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s: no %s in %q", where, part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || r.header.Get("X-Frame-Options") != "DENY" || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s has weak headers: %v", where, r.header)
	}
	if strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		if bad := inline.FindString(r.body); bad != "" || r.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: inline %q, Cache-Control %q", where, bad, r.header.Get("Cache-Control"))
		}
	}
	if r.status >= 500 {
		t.Errorf("%s is answered %d", where, r.status)
	}
}
