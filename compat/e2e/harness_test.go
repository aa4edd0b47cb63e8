package e2e

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBrowser tests the tests' own browser on pages like those of the sign-in.
func TestBrowser(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Cookie("seen")
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1"})
		fmt.Fprintf(w, `<p>New here: %v</p><form method=post><input name=username value=old><button type=submit>Next</button></form>`, err != nil)
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/done?name="+r.FormValue("username"), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<p>Hello, %s</p><a href="/">Start again</a>`, html.EscapeString(r.FormValue("name")))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)

	// By name as well as by number, and twice: the second window knows nothing of the first.
	for _, url := range []string{srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)} {
		b := newBrowser(t)
		b.open(url)
		if !b.shows("New here: true") {
			t.Fatalf("window is not new:\n%s", b.text())
		}
		b.fill("username", "alice")
		b.submit("username")
		if !b.shows("Hello, alice") || !strings.HasSuffix(b.address(), "/done?name=alice") || b.has("form") {
			t.Fatalf("on %s:\n%s", b.address(), b.text())
		}
		b.pressText("Start again")
		if !b.shows("New here: false") || !b.has("form") {
			t.Fatalf("window has forgotten:\n%s", b.text())
		}
	}
}

// TestAWSUser tests that the CLI's folder reaches servers on loopback, with its own environment and nothing else.
func TestAWSUser(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=AKIAEXAMPLE/") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	t.Cleanup(srv.Close)
	u := newAWSUser(t, "AWS_ENDPOINT_URL_STS="+srv.URL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret")
	var identity struct{ Account string }
	u.aws(&identity, "sts", "get-caller-identity")
	if identity.Account != "111122223333" {
		t.Errorf("account %q", identity.Account)
	}
}
