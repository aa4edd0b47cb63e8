package awsconfig

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
)

var update = flag.Bool("update", false, "rewrite golden files")

const id = "id.example.org"

func testBlock(profiles ...Profile) Block {
	return Block{
		Session:  "example",
		StartURL: "https://d-1234567890.awsapps.com/start",
		Region:   "local-1",
		Scopes:   []string{"sso:account:access"},
		Services: "example",
		Endpoints: map[string]string{
			"sso": "http://localhost:8080", "sso_oidc": "http://localhost:8080", "sts": "http://localhost:8080",
			"sso_admin": "http://localhost:8080", "identitystore": "http://localhost:8080", "iam": "http://localhost:8080",
			"organizations": "http://localhost:8080", "cloudtrail": "http://localhost:8080",
		},
		Profiles: profiles,
	}
}

func profile(name, account string) Profile {
	return Profile{Name: name, AccountID: account, RoleName: "ReadOnly", Region: "local-1"}
}

// foreign is a file as people have it.
const foreign = `[default]
region = eu-west-1
s3 =
  max_concurrent_requests = 20

# a comment with a [profile b-ReadOnly] in it
[profile "my work"]
role_arn = arn:aws:iam::111122223333:role/x
`

func mustMerge(t testing.TB, existing string, b Block) (string, Changes) {
	t.Helper()
	out, changes, err := Merge([]byte(existing), b, id)
	if err != nil {
		t.Fatalf("merge: %v", err)
	}
	return string(out), changes
}

func TestMergeGolden(t *testing.T) {
	t.Parallel()
	got, _ := mustMerge(t, foreign, testBlock(profile("b-ReadOnly", "222233334444"), profile("a-ReadOnly", "111122223333")))
	const golden = "testdata/config.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestMergeStory adds, leaves, updates, shrinks and removes a block that stands between other sections.
func TestMergeStory(t *testing.T) {
	t.Parallel()
	const after = "[profile last]\nregion = x\n"
	two := testBlock(profile("a", "111122223333"), profile("b", "222233334444"))
	text, changes := mustMerge(t, foreign, two)
	want := Changes{Added: []string{"profile a", "profile b", "services example", "sso-session example"}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
	text += after
	again, changes := mustMerge(t, text, two)
	if again != text || !changes.None() {
		t.Errorf("second merge: %s\n%s", changes, cmp.Diff(text, again))
	}
	moved := testBlock(profile("b", "333344445555"), profile("c", "222233334444"))
	text, changes = mustMerge(t, text, moved)
	want = Changes{Added: []string{"profile c"}, Updated: []string{"profile b"}, Removed: []string{"profile a"}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(text, foreign) || !strings.HasSuffix(text, after) {
		t.Errorf("other sections changed:\n%s", text)
	}
	text, changes = mustMerge(t, text, Block{})
	if text != foreign+after || len(changes.Removed) != 4 {
		t.Errorf("removal: %s\n%s", changes, cmp.Diff(foreign+after, text))
	}
	if again, changes := mustMerge(t, text, Block{}); again != text || !changes.None() {
		t.Errorf("removal of nothing: %s", changes)
	}
}

func TestMergeKeepsBytes(t *testing.T) {
	t.Parallel()
	for name, existing := range map[string]string{
		"empty":           "",
		"CRLF":            strings.ReplaceAll(foreign, "\n", "\r\n"),
		"no line end":     strings.TrimSuffix(foreign, "\n"),
		"blank lines":     "\n\n" + foreign + "\n\n\n",
		"not UTF-8":       "[profile x]\nregion = \xff\xfe\x00\n",
		"other block":     startMarker("other") + "\n[profile other]\n" + endMarker("other") + "\n",
		"marker indented": "[profile x]\n  " + startMarker(id) + "\n",
		"marker quoted":   "[profile x]\ny = " + startMarker(id) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := testBlock(profile("a", "111122223333"))
			text, _ := mustMerge(t, existing, b)
			if again, _ := mustMerge(t, text, b); again != text {
				t.Errorf("not idempotent:\n%s", cmp.Diff(text, again))
			}
			if name == "CRLF" && strings.Count(text, "\n") != strings.Count(text, "\r\n") {
				t.Error("line ends are mixed")
			}
			without, _ := mustMerge(t, text, Block{})
			if want := withLineEnd(existing); without != want {
				t.Errorf("bytes changed:\n%s", cmp.Diff(want, without))
			}
		})
	}
}

// withLineEnd is what a file looks like once a block has followed it.
func withLineEnd(s string) string {
	if s == "" || strings.HasSuffix(s, "\n") {
		return s
	}
	return s + lineEnd(usesCRLF([]byte(s)))
}

func TestMergeRefused(t *testing.T) {
	t.Parallel()
	block, _ := mustMerge(t, "", testBlock(profile("a", "111122223333")))
	cases := []struct{ name, existing, want string }{
		{"profile exists", "\n[profile a]\n", "line 2 already has a section [profile a]"},
		{"profile exists in quotes", `[profile "a"]`, "[profile a]"},
		{"profile exists with spaces", "[ profile   a ] # mine", "[profile a]"},
		{"session exists", "[sso-session example]", "[sso-session example]"},
		{"services exist", "[services example]", "[services example]"},
		{"profile exists after the block", block + "\n[profile a]\n", "already has a section [profile a]"},
		{"profile exists in another block", startMarker("other") + "\n[profile a]\n" + endMarker("other"), "[profile a]"},
		{"end lost", strings.Replace(block, endMarker(id), "", 1), "has lost its last line"},
		{"start lost", strings.Replace(block, startMarker(id), "", 1), "without its counterpart"},
		{"block twice", block + block, "without its counterpart"},
		{"start twice", startMarker(id) + "\n" + block, "without its counterpart"},
		{"end of another block", startMarker(id) + "\n" + endMarker("other") + "\n", "without its counterpart"},
		{"other block inside", startMarker(id) + "\n" + startMarker("other") + "\n" + endMarker("other") + "\n" + endMarker(id), "without its counterpart"},
		{"marker half turned", "# >>> sallyport " + id + " <<<\n", "without its counterpart"},
		{"carriage return", "[profile x]\nregion = y\r[profile a]\n", "line 2 holds a carriage return"},
		{"carriage return at the end", "[profile x]\r", "line 1 holds a carriage return"},
		{"line fallen under the block", block + "\n# note\nregion = x\n", "is in no section of its own"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Merge([]byte(c.existing), testBlock(profile("a", "111122223333")), id)
			if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestInjection: names and URLs come from a server and from flags. None may leave its line.
func TestInjection(t *testing.T) {
	t.Parallel()
	bad := "x\n[profile default]\ncredential_process = evil"
	changes := map[string]func(*Block){
		"session":        func(b *Block) { b.Session = bad },
		"services":       func(b *Block) { b.Services = "a]b" },
		"start URL":      func(b *Block) { b.StartURL = bad },
		"region":         func(b *Block) { b.Region = "" },
		"scope":          func(b *Block) { b.Scopes = []string{bad} },
		"no scope":       func(b *Block) { b.Scopes = nil },
		"endpoint":       func(b *Block) { b.Endpoints = map[string]string{"sts": bad} },
		"service":        func(b *Block) { b.Endpoints = map[string]string{bad: "http://localhost"} },
		"no endpoint":    func(b *Block) { b.Endpoints = nil },
		"profile name":   func(b *Block) { b.Profiles[0].Name = bad },
		"account":        func(b *Block) { b.Profiles[0].AccountID = bad },
		"role":           func(b *Block) { b.Profiles[0].RoleName = bad },
		"profile region": func(b *Block) { b.Profiles[0].Region = bad },
		"name twice":     func(b *Block) { b.Profiles = append(b.Profiles, b.Profiles[0]) },
	}
	for name, change := range changes {
		b := testBlock(profile("a", "111122223333"))
		change(&b)
		if text, err := Render(b); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	if _, _, err := Merge(nil, testBlock(), "a b"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("id: %v", err)
	}
}

func FuzzMerge(f *testing.F) {
	b := testBlock(profile("a", "111122223333"))
	whole, _ := mustMerge(f, foreign, b)
	for _, seed := range []string{"", foreign, whole, strings.ReplaceAll(whole, "\n", "\r\n"), startMarker(id), endMarker(id) + "\n", "[profile a]", "x\r"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, existing []byte) {
		once, _, err := Merge(existing, b, id)
		if err != nil {
			if fault.KindOf(err) != fault.Conflict {
				t.Errorf("%v", err)
			}
			return
		}
		twice, changes, err := Merge(once, b, id)
		if err != nil || string(twice) != string(once) || !changes.None() {
			t.Errorf("not idempotent: %v, %v\n%q\n%q", err, changes, once, twice)
		}
		before, err := split(existing, id)
		if err != nil {
			t.Fatal(err)
		}
		without, _, err := Merge(once, Block{}, id)
		if want := withLineEnd(string(before.before)) + string(before.after); err != nil || string(without) != want {
			t.Errorf("foreign bytes changed: %v\n%q\n%q", err, want, without)
		}
	})
}

// TestManyAccounts is a person with 300 accounts.
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	named, renamed, err := Names(DefaultTemplate, manyProfiles())
	if err != nil || len(named) != 600 || renamed != nil {
		t.Fatalf("%d names, renamed %v: %v", len(named), renamed, err)
	}
	text, changes := mustMerge(t, foreign, testBlock(named...))
	if len(changes.Added) != 602 {
		t.Errorf("%s", changes)
	}
	if again, changes := mustMerge(t, text, testBlock(named...)); again != text || !changes.None() {
		t.Errorf("second merge: %s", changes)
	}
}

func manyProfiles() []Profile {
	var out []Profile
	for i := range 300 {
		for _, role := range []string{"AdministratorAccess", "SecurityAudit"} {
			out = append(out, Profile{AccountID: fmt.Sprintf("%012d", 111122220000+i), AccountName: fmt.Sprintf("Team %d (prod)", i), RoleName: role, Region: "local-1"})
		}
	}
	return out
}
