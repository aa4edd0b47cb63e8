package ascode

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const sample = `# a comment
Version: 1
Settings:
  mfa.mode: always
Groups:
  - DisplayName: Admins
    Members:
      - alice
      - Bob
  - DisplayName: unmanaged
AccessControlAttributes:
  CostCenter: ${path:enterprise.costCenter}
PermissionSets:
  - Name: Admin
    ManagedPolicies: [arn:aws:iam::aws:policy/ReadOnlyAccess, arn:aws:iam::aws:policy/AdministratorAccess]
    InlinePolicy: |
      {
        "Version": "2012-10-17"
      }
    Assignments:
      - Accounts: ["222222222222", 111111111111, "012345678901"]
        Groups: [Admins, admins]
      - Accounts: ["222222222222"]
        Users: [carol]
TrustedTokenIssuers: []
Applications:
`

// TestDocument: what is sample in any order is read in one, and sample again it is read as the same.
func TestDocument(t *testing.T) {
	t.Parallel()
	d, err := Parse(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := Document{
		Version: 1, Settings: map[string]string{"mfa.mode": "always"},
		Groups:                  []Group{{DisplayName: "Admins", Members: []string{"alice", "Bob"}}, {DisplayName: "unmanaged"}},
		AccessControlAttributes: map[string]string{"CostCenter": "${path:enterprise.costCenter}"},
		PermissionSets: []PermissionSet{{
			Name: "Admin", SessionDuration: "PT1H", InlinePolicy: "{\n  \"Version\": \"2012-10-17\"\n}",
			ManagedPolicies: []string{"arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"},
			Assignments: []Assignment{
				{Accounts: []string{"012345678901", "111111111111"}, Groups: []string{"Admins"}, Users: []string{}},
				{Accounts: []string{"222222222222"}, Groups: []string{"Admins"}, Users: []string{"carol"}},
			},
		}},
		TrustedTokenIssuers: []Issuer{},
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var out strings.Builder
	if err := Write(&out, d, "head"); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(strings.NewReader(out.String()))
	if diff := cmp.Diff(d, again); err != nil || diff != "" {
		t.Errorf("%v (-first +again)\n%s\n%s", err, diff, out.String())
	}
	if !strings.HasPrefix(out.String(), "# head\nVersion: 1\n") || !strings.Contains(out.String(), "InlinePolicy: |-\n      {\n        \"Version\"") {
		t.Errorf("sample\n%s", out.String())
	}
}

// TestDocumentRefused: a document that is wrong is refused with words that lead to the place.
func TestDocumentRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"empty":            {"", "empty"},
		"only a comment":   {"# nothing\n", "empty"},
		"no version":       {"Groups: []\n", "Version is 0"},
		"later version":    {"Version: 2\n", "Version is 2"},
		"unknown key":      {"Version: 1\nPermissionset: []\n", "line 2: field Permissionset not found here"},
		"not YAML":         {"Version: [1\n", "not understood"},
		"two documents":    {"Version: 1\n---\nVersion: 1\n", "goes on after"},
		"aliases":          {"Version: 1\nSettings: &a {x: y}\n", "anchors"},
		"key twice":        {"Version: 1\nGroups: []\nGroups: []\n", "already defined"},
		"name twice":       {"Version: 1\nGroups: [{DisplayName: A}, {DisplayName: a}]\n", "two elements whose DisplayName is a"},
		"no name":          {"Version: 1\nPermissionSets: [{Description: x}]\n", "has no Name"},
		"no user name":     {"Version: 1\nUsers: [{DisplayName: x}]\n", "has no UserName"},
		"account":          {"Version: 1\nPermissionSets: [{Name: A, Assignments: [{Accounts: [\"12\"]}]}]\n", "twelve digits"},
		"policy":           {"Version: 1\nPermissionSets: [{Name: A, InlinePolicy: x}]\n", "not JSON"},
		"two boundaries":   {"Version: 1\nPermissionSets: [{Name: A, PermissionsBoundary: {}}]\n", "names one policy"},
		"wrong type":       {"Version: 1\nGroups: {a: b}\n", "not understood"},
		"deep":             {"Version: 1\nUsers: " + strings.Repeat("[", 20000) + "\n", "not understood"},
		"number for a map": {"Version: 1\nSettings: 3\n", "not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// FuzzParse: no document does harm, and what is read is sample so that it reads the same.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("Version: 1\nUsers: [{UserName: a, Emails: [{Value: x, Primary: true}]}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(strings.NewReader(text))
		if err != nil {
			return
		}
		var out strings.Builder
		if err := Write(&out, d); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(strings.NewReader(out.String())); err != nil {
			t.Errorf("%q is sample as\n%s\n%v", text, out.String(), err)
		}
	})
}
