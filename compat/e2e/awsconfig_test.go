package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// bigPortal plays a portal with any number of accounts, each with one role, and approves every sign-in at once.
type bigPortal struct {
	*httptest.Server
	accounts atomic.Int64
}

func newBigPortal(tb testing.TB, accounts int64) *bigPortal {
	p := &bigPortal{}
	p.accounts.Store(accounts)
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(mux)
	tb.Cleanup(p.Close)
	answer := func(pattern string, body func(*http.Request) map[string]any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := json.NewEncoder(w).Encode(body(r)); err != nil {
				tb.Error(err)
			}
		})
	}
	answer("GET /.well-known/sallyport", func(*http.Request) map[string]any {
		return map[string]any{"endpoint": p.URL, "start_url": "https://d-1234567890.awsapps.com/start", "region": "us-east-1"}
	})
	answer("POST /client/register", func(*http.Request) map[string]any {
		return map[string]any{"clientId": "id", "clientSecret": "secret"}
	})
	answer("POST /device_authorization", func(*http.Request) map[string]any {
		return map[string]any{"deviceCode": "code", "userCode": "ABCD-EFGH", "interval": 1, "verificationUriComplete": p.URL + "/device?user_code=ABCD-EFGH"}
	})
	answer("POST /token", func(*http.Request) map[string]any { return map[string]any{"accessToken": "token"} })
	answer("POST /logout", func(*http.Request) map[string]any { return nil })
	answer("GET /assignment/accounts", p.page)
	answer("GET /assignment/roles", func(r *http.Request) map[string]any {
		return map[string]any{"roleList": []any{map[string]any{"roleName": "Viewer", "accountId": r.FormValue("account_id")}}}
	})
	return p
}

// page lists a hundred accounts and says where to go on.
func (p *bigPortal) page(r *http.Request) map[string]any {
	first, _ := strconv.ParseInt(r.FormValue("next_token"), 10, 64) // none: 0
	last := min(first+100, p.accounts.Load())
	var list []any
	for i := first; i < last; i++ {
		list = append(list, map[string]any{"accountId": fmt.Sprintf("%012d", i+1), "accountName": fmt.Sprintf("Team %d", i+1)})
	}
	page := map[string]any{"accountList": list}
	if last < p.accounts.Load() {
		page["nextToken"] = strconv.FormatInt(last, 10)
	}
	return page
}

// TestAWSConfig: the configuration writer keeps one block of its own, beside whatever else is in the file, for as many
// accounts as there are; the AWS CLI can read the result.
func TestAWSConfig(t *testing.T) {
	t.Parallel()
	portal := newBigPortal(t, 300)
	u := newAWSUser(t)
	const own = "# mine\n[default]\nregion = eu-central-1\n\n[profile work]\nregion = eu-west-1\n"
	if err := os.Mkdir(u.path(".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(u.path(".aws/config"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func() string {
		t.Helper()
		start(t, sallyport(t, u.path(""), "aws-config", "--portal", portal.URL, "--write")).wait()
		written, err := os.ReadFile(u.path(".aws/config"))
		if err != nil {
			t.Fatal(err)
		}
		return string(written)
	}
	profiles := func() []string {
		t.Helper()
		printed, err := u.try("configure", "list-profiles")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSpace(printed), "\n")
	}

	first := write()
	if !strings.HasPrefix(first, own) {
		t.Errorf("what was there before is not as it was:\n%.500s", first)
	}
	if got := profiles(); len(got) != 302 || !slices.Contains(got, "default") || !slices.Contains(got, "work") {
		t.Errorf("%d profiles: %.500q", len(got), got)
	}
	if write() != first {
		t.Error("writing twice differs from writing once")
	}
	portal.accounts.Store(299) // what goes from the portal goes from the file
	write()
	if got := profiles(); len(got) != 301 {
		t.Errorf("%d profiles after an account has gone", len(got))
	}
}
