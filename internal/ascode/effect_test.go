package ascode

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// liveOf is what a server would be read as that has this configuration.
func liveOf(t *testing.T, text string) *Live {
	t.Helper()
	l := &Live{
		Document: parsed(t, text), Instance: "arn:aws:sso:::instance/ssoins-1", Store: "d-1", sets: map[string]string{}, apps: map[string]string{}, issuers: map[string]string{},
		ids: map[principal]string{}, names: map[string]string{}, outdated: map[string]int{}, provisioned: map[string]int{}, memberships: map[string]map[string]string{},
	}
	for _, name := range []string{"ann", "ben", "cho", "dan"} {
		l.ids[principal{adminapi.PrincipalTypeUser, name}] = name
	}
	for _, g := range l.Groups {
		l.ids[principal{adminapi.PrincipalTypeGroup, fold(g.DisplayName)}] = g.DisplayName
	}
	return l
}

func parsed(t *testing.T, text string) Document {
	t.Helper()
	d, err := Parse(strings.NewReader("Version: 1\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const before = `
Users: [{UserName: ann}, {UserName: ben}, {UserName: cho}, {UserName: dan}]
Groups:
  - {DisplayName: Devs, Members: [ann, ben]}
  - {DisplayName: Ops, Members: [ben, cho]}
PermissionSets:
  - Name: Read
    Assignments: [{Accounts: ["111111111111", "222222222222"], Groups: [Devs, Ops]}]
  - Name: Write
    Assignments: [{Accounts: ["111111111111"], Users: [ann]}]
`

// TestEffects: people gain what they had on no way, and lose what no way is left to.
func TestEffects(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		want    string
		effects []string
	}{
		"nothing": {before, nil},
		"one of two ways": {`
PermissionSets:
  - Name: Read
    Assignments: [{Accounts: ["111111111111"], Groups: [devs]}, {Accounts: ["222222222222"], Groups: [Devs, Ops]}]
  - Name: Write
`, []string{"cho loses Read in 111111111111"}},
		"a member leaves": {`
Groups:
  - {DisplayName: Devs, Members: [Ben]}
  - {DisplayName: Ops}
`, []string{"ann loses Read in 111111111111", "ann loses Read in 222222222222"}},
		"a member joins": {`
Groups:
  - {DisplayName: Devs, Members: [ann, ben, cho, dan]}
  - {DisplayName: Ops}
`, []string{"dan gains Read in 111111111111", "dan gains Read in 222222222222"}},
		"a permission set goes and another comes": {`
PermissionSets:
  - Name: Read
  - Name: Admin
    Assignments: [{Accounts: ["333333333333"], Groups: [Ops], Users: [cho]}]
`, []string{
			"ann loses Write in 111111111111", "ben gains Admin in 333333333333", "cho gains Admin in 333333333333",
		}},
		"a user goes": {`
Users: [{UserName: ann}, {UserName: ben}, {UserName: dan}]
Groups:
  - {DisplayName: Devs}
  - {DisplayName: Ops, Members: [ben]}
`, []string{"cho loses Read in 111111111111", "cho loses Read in 222222222222"}},
		"a user goes who was assigned": {`
Users: [{UserName: ben}, {UserName: cho}, {UserName: dan}]
PermissionSets:
  - Name: Read
  - Name: Write
    Assignments: []
Groups:
  - {DisplayName: Devs, Members: [ben]}
  - {DisplayName: Ops}
`, []string{"ann loses Write in 111111111111", "ann loses Read in 111111111111", "ann loses Read in 222222222222"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := New(liveOf(t, before), parsed(t, test.want))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, e := range p.Effects {
				got[e.String()] = true
			}
			want := map[string]bool{}
			for _, e := range test.effects {
				want[e] = true
			}
			if diff := cmp.Diff(want, got); diff != "" || len(got) != len(p.Effects) {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestPlanRefused: what a document can't have is said before anything is done.
func TestPlanRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"no such group":       {`PermissionSets: [{Name: A, Assignments: [{Accounts: ["111111111111"], Groups: [Nobody]}]}]`, "no such group"},
		"a group it deletes":  {`Groups: [{DisplayName: Devs}]` + "\n" + `PermissionSets: [{Name: A, Assignments: [{Accounts: ["111111111111"], Groups: [Ops]}]}]`, "whom the document deletes"},
		"a user it deletes":   {"Users: []\n" + `Groups: [{DisplayName: Devs, Members: [ann]}, {DisplayName: Ops}]`, "whom the document deletes"},
		"no such member":      {`Groups: [{DisplayName: Devs, Members: [eve]}, {DisplayName: Ops}]`, "eve: there is no such user"},
		"a user's attribute":  {`Users: [{UserName: eve, Shoe: 42}]`, "Shoe"},
		"a grant of no kind":  {`Applications: [{Name: a, ApplicationProviderArn: p, Grants: {refresh_token: 3}}]`, "grant refresh_token"},
		"a setting of no one": {`Settings: {a: b}`, "There is no setting a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(liveOf(t, before), parsed(t, test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestPhases: what gives access comes before what takes it, and what others need before them.
func TestPhases(t *testing.T) {
	t.Parallel()
	p, err := New(liveOf(t, before), parsed(t, `
Users: [{UserName: ann}, {UserName: ben}, {UserName: dan}, {UserName: eve}]
Groups:
  - {DisplayName: New, Members: [eve]}
  - {DisplayName: Devs, Members: [ann]}
PermissionSets:
  - Name: Read
    SessionDuration: PT2H
    Assignments: [{Accounts: ["111111111111"], Groups: [New]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range p.Steps {
		got = append(got, string(s.Action)+" "+s.Kind)
	}
	want := []string{
		"create user", "create group", "create membership", "change permission set", "create assignment", "delete assignment", "delete assignment",
		"delete assignment", "delete assignment", "delete assignment", "delete membership", "delete permission set", "delete group", "delete user",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
