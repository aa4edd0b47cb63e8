package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store"
)

// TestListAccounts is case S32.
func TestListAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts(260)
	for i := 1; i <= 250; i++ {
		w.grant("u-1", account(i), w.admin, time.Hour)
		if i%2 == 0 {
			w.grant("u-1", account(i), w.reader, time.Hour)
		}
	}
	anna, ben := w.login("u-1", "anna"), w.login("u-2", "ben")

	var got []string
	target, pages := "/assignment/accounts?max_result=70", 0
	for more := true; more; pages++ {
		a := w.get(target, anna)
		if a.status != http.StatusOK {
			t.Fatalf("answered %d %v", a.status, a.body)
		}
		for _, each := range a.body["accountList"].([]any) {
			got = append(got, each.(map[string]any)["accountId"].(string))
		}
		var next string
		if next, more = a.body["nextToken"].(string); more {
			target = "/assignment/accounts?max_result=70&next_token=" + url.QueryEscape(next)
		}
	}
	var want []string
	for i := 1; i <= 250; i++ {
		want = append(want, string(account(i)))
	}
	if diff := cmp.Diff(want, got); diff != "" || pages != 4 {
		t.Errorf("%d pages (-want +got)\n%s", pages, diff)
	}

	first := w.get("/assignment/accounts", anna)
	if n := len(first.body["accountList"].([]any)); n != 100 {
		t.Errorf("the default page has %d accounts", n)
	}
	token := url.QueryEscape(first.body["nextToken"].(string))
	for _, bad := range []string{
		"/assignment/accounts?max_result=0", "/assignment/accounts?max_result=101", "/assignment/accounts?max_result=-1",
		"/assignment/accounts?max_result=many", "/assignment/accounts?next_token=x", "/assignment/accounts?next_token=" + token + "A",
		"/assignment/roles?account_id=000000000001&next_token=" + token,
	} {
		if a := w.get(bad, anna); a.status != 400 || a.exception != "InvalidRequestException" {
			t.Errorf("%s answered %d %s", bad, a.status, a.exception)
		}
	}
	if a := w.get("/assignment/accounts?next_token="+token, ben); a.status != 400 {
		t.Errorf("another session's page token was answered with %d", a.status)
	}
	want0 := map[string]any{"accountList": []any{}}
	if diff := cmp.Diff(want0, w.get("/assignment/accounts", ben).body); diff != "" {
		t.Errorf("who has nothing (-want +got)\n%s", diff)
	}
	one := map[string]any{"accountId": "000000000001", "accountName": "Account 1", "emailAddress": "a1@example.org"}
	if diff := cmp.Diff(one, first.body["accountList"].([]any)[0]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestListAccountRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts(2)
	w.grant("u-1", account(1), w.admin, time.Hour)
	w.grant("u-1", account(1), w.reader, time.Hour)
	anna := w.login("u-1", "anna")
	role := func(name string) any { return map[string]any{"accountId": "000000000001", "roleName": name} }
	want := map[string]any{"roleList": []any{role("AdministratorAccess"), role("ReadOnly")}}
	if diff := cmp.Diff(want, w.get("/assignment/roles?account_id=000000000001", anna).body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	a := w.get("/assignment/roles?account_id=000000000001&max_result=1", anna)
	next, ok := a.body["nextToken"].(string)
	if !ok || cmp.Diff([]any{role("AdministratorAccess")}, a.body["roleList"]) != "" {
		t.Fatalf("first page: %v", a.body)
	}
	a = w.get("/assignment/roles?account_id=000000000001&max_result=1&next_token="+url.QueryEscape(next), anna)
	if diff := cmp.Diff(map[string]any{"roleList": []any{role("ReadOnly")}}, a.body); diff != "" {
		t.Errorf("second page (-want +got)\n%s", diff)
	}
	a = w.get("/assignment/roles?account_id=000000000002&next_token="+url.QueryEscape(next), anna)
	if a.status != 400 {
		t.Errorf("another account's page token was answered with %d", a.status)
	}
}

// TestWhichError is case S33.
func TestWhichError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts(2)
	w.grant("u-1", account(1), w.reader, time.Hour)
	w.grant("u-2", account(2), w.admin, time.Hour)
	anna := w.login("u-1", "anna")

	for _, bearer := range []string{"", "x", anna + "x", "aoa" + strings.Repeat("A", 43)} {
		for _, target := range []string{"/assignment/accounts", "/assignment/roles?account_id=000000000001", "/federation/credentials?account_id=000000000001&role_name=ReadOnly"} {
			a := w.get(target, bearer)
			if a.status != 401 || a.exception != "UnauthorizedException" || a.body["message"] != "Session token not found or invalid" {
				t.Errorf("%s with bearer %q answered %d %s %v", target, bearer, a.status, a.exception, a.body)
			}
		}
	}
	forbidden := w.get("/federation/credentials?account_id=000000000002&role_name=AdministratorAccess", anna)
	if forbidden.status != 403 || forbidden.exception != "ForbiddenException" || forbidden.body["message"] != "No access" {
		t.Fatalf("answered %d %s %v", forbidden.status, forbidden.exception, forbidden.body)
	}
	for _, target := range []string{
		"/federation/credentials?account_id=000000000001&role_name=AdministratorAccess", // a set that is not assigned there
		"/federation/credentials?account_id=000000000002&role_name=ReadOnly",            // nor is it there
		"/federation/credentials?account_id=000000000001&role_name=Nothing",
		"/federation/credentials?account_id=000000000009&role_name=ReadOnly",
		"/federation/credentials?account_id=x&role_name=ReadOnly",
		"/federation/credentials?account_id=000000000001&role_name=readonly",
		"/assignment/roles?account_id=000000000002",
		"/assignment/roles?account_id=000000000009",
	} {
		if diff := cmp.Diff(forbidden.body, w.get(target, anna).body); diff != "" {
			t.Errorf("%s tells more (-want +got)\n%s", target, diff)
		}
	}
	for _, target := range []string{"/federation/credentials?account_id=000000000001", "/federation/credentials?role_name=ReadOnly", "/assignment/roles"} {
		if a := w.get(target, anna); a.status != 400 || a.exception != "InvalidRequestException" {
			t.Errorf("%s answered %d %s", target, a.status, a.exception)
		}
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.accounts(1)
	w.grant("u-1", account(1), w.reader, time.Hour)
	anna := w.login("u-1", "anna")
	if a := w.call(http.MethodPost, "/logout", anna); a.status != http.StatusOK {
		t.Fatalf("answered %d %v", a.status, a.body)
	}
	if a := w.get("/assignment/accounts", anna); a.status != 401 {
		t.Errorf("the token still works: %d", a.status)
	}
	if a := w.call(http.MethodPost, "/logout", anna); a.status != 401 {
		t.Errorf("a second logout answered %d", a.status)
	}
	e := w.events()
	if len(e) != 1 || e[0]["eventName"] != "Logout" || e[0]["userIdentity"].(map[string]any)["type"] != "IdentityCenterUser" {
		t.Errorf("events: %v", e)
	}
}

func TestDisabledUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna := w.login("u-1", "anna")
	w.update(func(tx *store.Tx) error {
		u, err := tx.User("u-1")
		if err != nil {
			return err
		}
		u.Status = store.UserDisabled
		return tx.UpdateUser(u)
	})
	if a := w.get("/assignment/accounts", anna); a.status != 401 {
		t.Errorf("a disabled user's token answered %d", a.status)
	}
}
