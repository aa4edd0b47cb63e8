package apiclient

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/sigv4"
)

// serve answers one request after the other, the last answer for ever; a status before the answer, 200 if there is none.
func serve(t *testing.T, asked *int, answers ...string) *Client {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[min(*asked, len(answers)-1)]
		*asked++
		if _, err := sigv4.Parse(r); err != nil {
			t.Errorf("not signed: %v", err)
		}
		if strings.HasPrefix(answer, `{"__type"`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(web.Close)
	return At(web.URL, "us-east-1", sigv4.Credentials{AccessKeyID: "AKIAABCDEFGHIJKLMNOP", SecretAccessKey: "secret"})
}

const (
	busyNow = `{"__type":"ThrottlingException","Message":"slower"}`
	denied  = `{"__type":"AccessDeniedException","Message":"no"}`
	one     = `{"PermissionSets":["arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"]}`
)

func sets(t *testing.T, c *Client) error {
	t.Helper()
	_, _, err := Ask[adminapi.ListPermissionSetsResponse](t.Context(), c, &adminapi.ListPermissionSetsRequest{InstanceArn: "arn:aws:sso:::instance/ssoins-1234567890abcdef"})
	return err
}

// TestPatience: a server without time is asked again, one that refuses is not.
func TestPatience(t *testing.T) {
	t.Parallel()
	asked := 0
	if err := sets(t, serve(t, &asked, busyNow, busyNow, one)); err != nil || asked != 3 {
		t.Errorf("after %d requests: %v", asked, err)
	}
	asked = 0
	if err := sets(t, serve(t, &asked, denied, one)); !IsCode(err, "AccessDeniedException") || asked != 1 {
		t.Errorf("after %d requests: %v", asked, err)
	}
}

// TestJournal: what was answered once is not asked again, refusals are, and a line that was cut short is as if it had never been.
func TestJournal(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "answers")
	open := func(c *Client) {
		t.Helper()
		j, err := OpenJournal(file)
		if err != nil {
			t.Fatal(err)
		}
		c.Journal = j
	}
	asked := 0
	c := serve(t, &asked, denied, one)
	open(c)
	if err := sets(t, c); !IsCode(err, "AccessDeniedException") {
		t.Error(err)
	}
	for range 2 {
		if err := sets(t, c); err != nil {
			t.Error(err)
		}
	}
	if err := c.Journal.Close(); err != nil || asked != 2 {
		t.Errorf("%d requests, %v", asked, err)
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, torn := range []struct {
		text  string
		asked int
	}{{string(kept) + `{"request":"ab`, 2}, {string(kept[:len(kept)/2]), 3}} {
		if err := os.WriteFile(file, []byte(torn.text), 0o600); err != nil {
			t.Fatal(err)
		}
		open(c)
		if err := sets(t, c); err != nil || asked != torn.asked {
			t.Errorf("%d requests, want %d: %v", asked, torn.asked, err)
		}
		if err := c.Journal.Close(); err != nil {
			t.Error(err)
		}
	}
	open(c)
	if c.Journal.Answers() != 1 {
		t.Errorf("%d answers", c.Journal.Answers())
	}
	if err := c.Journal.Remove(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v %v", info, err)
	}
}
