package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"sallyport/internal/sigv4"
)

// answers is a server that says what a test wants. An operation may be asked several times.
type answers map[string][]string

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	operation := target[strings.LastIndexByte(target, '.')+1:]
	body, _ := io.ReadAll(r.Body)
	a["asked"] = append(a["asked"], operation+" "+string(body))
	if _, err := sigv4.Parse(r); err != nil || len(a[operation]) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"UnknownOperationException","Message":"No %s."}`, operation)
		return
	}
	answer := a[operation][0]
	a[operation] = a[operation][1:]
	if strings.HasPrefix(answer, `{"__type"`) {
		w.WriteHeader(http.StatusBadRequest)
	}
	fmt.Fprint(w, answer)
}

// run runs a command with the environment of a server that gives the answers.
func run(t *testing.T, a answers, cmd *cobra.Command, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	web := httptest.NewServer(a)
	defer web.Close()
	t.Setenv("AWS_ENDPOINT_URL_SALLYPORT", web.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAABCDEFGHIJKLMNOP")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_REGION", "us-east-1")
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetIn(strings.NewReader(""))
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

const sessionID = "018f0000-0000-4000-8000-00000000000"

func sessionJSON(n int, agent string) string {
	return fmt.Sprintf(`{"SessionId":"%s%d","UserId":"u","UserName":"ana","Kind":"PORTAL","IpAddress":"192.0.2.7","UserAgent":"%s","CreatedAt":1793610000,"LastUsedAt":1793610060,"ExpiresAt":1793640000,"RolesInUse":%d}`, sessionID, n, agent, n)
}

func sessionPages() answers {
	return answers{"ListSessions": {
		`{"Sessions":[` + sessionJSON(1, `Firefox \u001b[31m\u202e`) + `],"NextToken":"more"}`,
		`{"Sessions":[` + sessionJSON(2, "Chromium") + `]}`,
	}}
}

// TestListsFollowPages: a list is whole, whatever its form, and what strangers have sent does not steer the terminal.
func TestListsFollowPages(t *testing.T) {
	a := sessionPages()
	out, _, err := run(t, a, newSessions(), "list")
	if err != nil {
		t.Fatal(err)
	}
	want := "SESSION                               USER  KIND    BEGAN                 LAST USED             ENDS                  ROLES  ADDRESS    PROGRAM\n" +
		sessionID + "1  ana   PORTAL  2026-11-02 09:00 UTC  2026-11-02 09:01 UTC  2026-11-02 17:20 UTC  1      192.0.2.7  Firefox ?[31m?\n" +
		sessionID + "2  ana   PORTAL  2026-11-02 09:00 UTC  2026-11-02 09:01 UTC  2026-11-02 17:20 UTC  2      192.0.2.7  Chromium\n"
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`ListSessions {"IncludeEnded":false}`, `ListSessions {"IncludeEnded":false,"NextToken":"more"}`}, a["asked"]); diff != "" {
		t.Error(diff)
	}
	out, _, err = run(t, sessionPages(), newSessions(), "list", "--output", "json")
	if err != nil || strings.Count(out, `"SessionId"`) != 2 || strings.Contains(out, "NextToken") || !strings.HasPrefix(out, "{\n  \"Sessions\": [\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestRefusals: an exception is one sentence; what is no answer of ours is told from one.
func TestRefusals(t *testing.T) {
	for answer, want := range map[string]string{
		`{"__type":"AccessDeniedException","Message":"You may not."}`: "You may not.",
		`{"__type":"AccessDeniedException"}`:                          "The server refused: AccessDeniedException.",
		`<html>`:                                                      "does not answer as a Sallyport server: 200 OK to EndAllSessions.",
		`{"__type`:                                                    "does not answer as a Sallyport server",
	} {
		_, _, err := run(t, answers{"EndAllSessions": {answer}}, newSessions(), "end-all", "--yes")
		if err == nil || !strings.Contains(sentence(err), want) {
			t.Errorf("%s: %v, want %s", answer, err, want)
		}
	}
}

// TestConfirm: nothing is done by somebody who cannot be asked.
func TestConfirm(t *testing.T) {
	a := answers{"EndAllSessions": {`{"Ended":1}`}}
	if _, _, err := run(t, a, newSessions(), "end-all"); err == nil || !strings.Contains(err.Error(), "--yes") || len(a["asked"]) > 0 {
		t.Errorf("%v, asked %v", err, a["asked"])
	}
	_, errs, err := run(t, a, newSessions(), "end-all", "--yes")
	if err != nil || errs != "1 session ended.\n" {
		t.Errorf("%q, %v", errs, err)
	}
}

// TestRotateUndone: when the new key cannot be kept, it goes again and the old one stays.
func TestRotateUndone(t *testing.T) {
	dir := t.TempDir()
	a := answers{
		"CreateOperatorKey": {`{"AccessKeyId":"AKIANEWNEWNEWNEWNEWN","SecretAccessKey":"new"}`},
		"ListOperatorKeys":  {`{"__type":"UnrecognizedClientException","Message":"Not known."}`},
		"DeleteOperatorKey": {`{}`},
	}
	web := httptest.NewServer(a)
	defer web.Close()
	world := fmt.Sprintf(`{"endpoint":%q,"region":"us-east-1","operator":{"access_key_id":"AKIAOLDOLDOLDOLDOLDO","secret_access_key":"old"}}`, web.URL)
	file := filepath.Join(dir, "operator.json")
	if err := os.WriteFile(file, []byte(world), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := run(t, answers{}, newOperator(), "rotate", "--data", dir)
	if err == nil || sentence(err) != "Not known." {
		t.Errorf("rotate: %v", err)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != world {
		t.Errorf("the file is %s, %v", now, err)
	}
	want := []string{"CreateOperatorKey {}", "ListOperatorKeys {}", `DeleteOperatorKey {"AccessKeyId":"AKIANEWNEWNEWNEWNEWN"}`}
	if diff := cmp.Diff(want, a["asked"]); diff != "" {
		t.Error(diff)
	}
}
