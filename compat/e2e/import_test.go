package e2e

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// profile writes a profile of the AWS configuration that leads to a server with its operator's key, into the home of another.
func (s *server) profile(home, name, more string) {
	s.tb.Helper()
	dir := filepath.Join(home, ".aws")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.tb.Fatal(err)
	}
	text := fmt.Sprintf("[profile %s]\nregion = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n%s\n", name, s.Region, s.Operator.AccessKeyID, s.Operator.SecretAccessKey, more)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(text), 0o600); err != nil {
		s.tb.Fatal(err)
	}
}

// source is a server with something of everything.
func source(t *testing.T) *server {
	s := startDev(t)
	text := wanted(s, "ReadOnlyAccess")
	text = text[:strings.Index(text, "  - Name: Set04")] + text[strings.Index(text, "Applications:"):] // four permission sets are enough
	s.cli("apply", "--yes", "-f", s.write("source.yaml", text))
	return s
}

// TestImport moves a whole Identity Center to another one that is strict, by what AWS's APIs tell: cut short in the middle, at fewer
// than 20 requests in a second, without a change at the source.
func TestImport(t *testing.T) {
	t.Parallel()
	from, to := source(t), startDev(t)
	from.profile(to.dir, "old", "endpoint_url = "+from.Endpoint)
	want := from.exported()
	time.Sleep(1100 * time.Millisecond) // events tell the second
	began := time.Now()
	file := filepath.Join(to.dir, "imported.yaml")
	args := []string{"import", "aws", "--profile", "old", "--out", file}
	cut := start(t, sallyport(t, to.dir, args...))
	for answers, late := 0, time.Now().Add(patience); answers < 20; answers = kept(file) {
		if time.Now().After(late) {
			t.Fatalf("no answers are kept:\n%s", cut.out)
		}
		time.Sleep(20 * time.Millisecond)
	}
	cut.kill()
	before := kept(file)
	said := start(t, sallyport(t, to.dir, args...)).wait()
	for _, words := range []string{
		fmt.Sprintf("Going on: %d answers of an earlier run", before), "No API tells passwords", "Accounts and their organizational units are missing here",
		"has 0 accounts, 22 users, 12 groups, 4 permission sets and 5 applications",
	} {
		if !strings.Contains(said, words) {
			t.Errorf("it does not say %q:\n%s", words, said)
		}
	}
	if _, err := os.Stat(file + ".answers"); !os.IsNotExist(err) {
		t.Errorf("the answers are still there: %v", err)
	}
	from.onlyRead(began)

	ids := filepath.Join(to.dir, "ids.csv")
	to.cli("apply", "--yes", "-f", file, "--ids", ids)
	if got := to.exported(); got != want {
		t.Errorf("the copy is\n%s\nthe source is\n%s", got, want)
	}
	if said := to.cli("plan", "-f", file); !strings.HasPrefix(said, "Nothing to do") {
		t.Errorf("a plan of the same says\n%s", said)
	}
	to.mapped(ids, 22+12+4)
}

// kept is how many answers of an import are in its file.
func kept(file string) int {
	text, _ := os.ReadFile(file + ".answers") // not there yet: none
	return strings.Count(string(text), "\n")
}

// onlyRead ends the server, which then has everything on record, and fails when anything but reads was asked of it since, or more
// than 20 in one second.
func (s *server) onlyRead(since time.Time) {
	s.tb.Helper()
	s.stop()
	text, err := os.ReadFile(filepath.Join(s.dir, "audit.jsonl"))
	if err != nil {
		s.tb.Fatal(err)
	}
	seconds, reads := map[string]int{}, 0
	for line := range strings.Lines(string(text)) {
		var e struct {
			EventTime, EventName, EventSource string
			ReadOnly                          bool
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.tb.Fatalf("%v: %s", err, line)
		}
		if e.EventTime < since.UTC().Format(time.RFC3339) || strings.HasPrefix(e.EventSource, "sallyport") {
			continue
		}
		if !e.ReadOnly {
			s.tb.Errorf("the source was asked to %s", e.EventName)
		}
		reads++
		if seconds[e.EventTime]++; seconds[e.EventTime] == 21 {
			s.tb.Errorf("more than 20 requests at %s", e.EventTime)
		}
	}
	if reads < 60 {
		s.tb.Errorf("only %d reads are on record", reads)
	}
}

// mapped fails unless the file tells of so many ids, each with another one here.
func (s *server) mapped(file string, n int) {
	s.tb.Helper()
	f, err := os.Open(file)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != n+1 {
		s.tb.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, r := range rows[1:] {
		if r[2] == "" || r[3] == "" || r[2] == r[3] && r[2] != sampleGroup {
			s.tb.Errorf("ids of %s %s: %q became %q", r[0], r[1], r[2], r[3])
		}
	}
}

// TestImportAccounts: the organization is read unit by unit, page by page.
func TestImportAccounts(t *testing.T) {
	t.Parallel()
	from := startDev(t)
	home := t.TempDir()
	organizations := httptest.NewServer(http.HandlerFunc(organization))
	defer organizations.Close()
	from.profile(home, "old", "services = here\n[services here]\nsso_admin =\n  endpoint_url = "+from.Endpoint+
		"\nidentitystore =\n  endpoint_url = "+from.Endpoint+"\norganizations =\n  endpoint_url = "+organizations.URL)
	file := filepath.Join(home, "imported.yaml")
	start(t, sallyport(t, home, "import", "aws", "--profile", "old", "--out", file)).wait()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- Id: \"111111111111\"\n    Name: root\n    Path: /\n", "- Id: \"222222222222\"\n    Name: first\n    Path: /Work\n",
		"- Id: \"333333333333\"\n    Name: second\n    Path: /Work\n", "- Id: \"444444444444\"\n    Name: deep\n    Path: /Work/Prod\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// organization answers as AWS Organizations, with two accounts on two pages.
func organization(w http.ResponseWriter, r *http.Request) {
	var in struct{ ParentId, NextToken string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	answer, ok := map[string]string{
		"ListRoots":                             `{"Roots":[{"Id":"r-1","Name":"Root"}]}`,
		"ListAccountsForParent r-1":             `{"Accounts":[{"Id":"111111111111","Name":"root"}]}`,
		"ListAccountsForParent ou-1":            `{"Accounts":[{"Id":"222222222222","Name":"first"}],"NextToken":"more"}`,
		"ListAccountsForParent ou-1 more":       `{"Accounts":[{"Id":"333333333333","Name":"second"}]}`,
		"ListAccountsForParent ou-2":            `{"Accounts":[{"Id":"444444444444","Name":"deep"}]}`,
		"ListOrganizationalUnitsForParent r-1":  `{"OrganizationalUnits":[{"Id":"ou-1","Name":"Work"}]}`,
		"ListOrganizationalUnitsForParent ou-1": `{"OrganizationalUnits":[{"Id":"ou-2","Name":"Prod"}]}`,
		"ListOrganizationalUnitsForParent ou-2": `{"OrganizationalUnits":[]}`,
	}[strings.TrimSpace(operation+" "+in.ParentId+" "+in.NextToken)]
	if !ok {
		http.Error(w, `{"__type":"InvalidInputException"}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = w.Write([]byte(answer))
}
