package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/arn"
)

func TestPortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	b.open("/portal").expect(http.StatusOK, "Accounts").says("111122223333")
	a := b.open("/portal/account/111122223333").expect(http.StatusOK, "Prüfung <b>111122223333").says("ReadOnly")
	a = b.submit(a, "role").expect(http.StatusOK, "ReadOnly in 111122223333").says("Valid until 10:00:00 UTC on 25 November 2026")
	blocks := a.find("textarea")
	if len(blocks) != 3 || !strings.Contains(words(blocks[0]), `export AWS_ACCESS_KEY_ID="ASIA`) || !strings.Contains(words(blocks[2]), "[111122223333_ReadOnly]") {
		t.Errorf("credentials to copy:\n%s", a.text)
	}
	secret, _, _ := strings.Cut(strings.SplitN(blocks[0].FirstChild.Data, `AWS_SECRET_ACCESS_KEY="`, 2)[1], `"`)
	if strings.Contains(strings.Join(b.visited, "\n")+w.log.String(), secret) {
		t.Error("the secret is in an address or in the log")
	}
	if got, want := w.events(), []string{"ListAccounts", "ListAccountRoles", "GetRoleCredentials"}; !slices.Equal(got, want) {
		t.Errorf("on record: %v, want %v", got, want)
	}
	for _, e := range w.audit() {
		if e.UserIdentity.CredentialID == "" || e.UserIdentity.OnBehalfOf.UserID != w.alice.ID || !e.ReadOnly || e.SourceIPAddress != home {
			t.Errorf("%s: %+v", e.EventName, e)
		}
	}
}

// TestPortalGivesNothingElse: what a person may not have, and what is not there, look the same, and are on record.
func TestPortalGivesNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.signedIn()
	var texts []string
	for _, form := range []url.Values{
		{"account": {"111122223333"}, "role": {"Other"}},
		{"account": {"444455556666"}, "role": {"ReadOnly"}},
		{"account": {"111122223333"}, "role": {strings.Repeat("x", 5000)}},
		{"account": {"111122223333"}, "role": {""}},
	} {
		a := b.send(http.MethodPost, "/portal/credentials", form)
		texts = append(texts, a.expect(http.StatusForbidden, "Not allowed").text)
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("refusals differ:\n%s\n%s", text, texts[0])
		}
	}
	b.open("/portal/account/444455556666").expect(http.StatusNotFound, "Page not found")
	if got := w.events(); len(got) != 5 || got[0] != "GetRoleCredentials ForbiddenException" || got[4] != "ListAccountRoles ForbiddenException" {
		t.Errorf("on record: %v", got)
	}
	for _, id := range []string{"x", "1111222233334", "11112222333", "..%2f..", "%00"} {
		if a := b.send(http.MethodGet, "/portal/account/"+id, nil); a.status != http.StatusNotFound && a.status != http.StatusBadRequest {
			t.Errorf("account %s is answered %d", id, a.status)
		}
	}
	b.send(http.MethodPost, "/portal/credentials", url.Values{"account": {"x"}, "role": {"ReadOnly"}}).expect(http.StatusBadRequest, "That did not work")
	b.open("/portal/credentials").expect(http.StatusMethodNotAllowed, "Not possible here")
	w.browser().open("/portal/account/111122223333").expect(http.StatusOK, "Sign in")
	stranger := w.browser()
	stranger.follow(stranger.send(http.MethodPost, "/portal/credentials", url.Values{"account": {"111122223333"}, "role": {"ReadOnly"}})).expect(http.StatusOK, "Sign in")
}

// TestPages: 130 accounts are listed once each (case S32).
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 129 {
		w.grant(arn.AccountID(fmt.Sprintf("5000%08d", i)), fmt.Sprintf("Role%03d", i))
	}
	b := w.signedIn()
	seen := map[string]int{}
	for next := "/portal"; next != ""; {
		a := b.open(next).expect(http.StatusOK, "Accounts")
		next = ""
		for _, link := range a.find("a") {
			if href := attr(link, "href"); strings.HasPrefix(href, "/portal/account/") {
				seen[href]++
			} else if words(link) == "More accounts" {
				next = href
			}
		}
	}
	if len(seen) != 130 {
		t.Errorf("%d accounts are listed, want 130", len(seen))
	}
	for href, n := range seen {
		if n != 1 {
			t.Errorf("%s is listed %d times", href, n)
		}
	}
}
