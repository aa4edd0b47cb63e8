package awsconfig

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
)

func named(account, accountName, role string) Profile {
	return Profile{AccountID: account, AccountName: accountName, RoleName: role}
}

func TestNames(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, template string
		in             []Profile
		want           []string // names, sorted
		renamed        int
	}{
		{
			"plain", DefaultTemplate,
			[]Profile{named("111122223333", "prod", "Admin"), named("111122223333", "prod", "ReadOnly")},
			[]string{"prod-Admin", "prod-ReadOnly"},
			0,
		},
		{"by id", "{role}@{account_id}", []Profile{named("111122223333", "prod", "Admin")}, []string{"Admin@111122223333"}, 0},
		{"odd characters", DefaultTemplate, []Profile{named("111122223333", ` Größe "x" [1] \ # ; `, "R+=,.@-_")}, []string{"Gr-e-x-1-R+=-.@-_"}, 0},
		{"nothing plain", DefaultTemplate, []Profile{named("111122223333", "東京", "Admin")}, []string{"111122223333-Admin"}, 0},
		{"line break", DefaultTemplate, []Profile{named("111122223333", "a]\n[b", "Admin")}, []string{"a-b-Admin"}, 0},
		{
			"same name", DefaultTemplate,
			[]Profile{named("222233334444", "prod", "Admin"), named("111122223333", "prod", "Admin"), named("333344445555", "prod", "Other")},
			[]string{"prod-Admin-111122223333", "prod-Admin-222233334444", "prod-Other"},
			2,
		},
		{
			"same name and account", "{account_name}",
			[]Profile{named("111122223333", "prod", "A"), named("111122223333", "prod", "B")},
			[]string{"prod-111122223333", "prod-111122223333-2"},
			2,
		},
		{
			"made name taken", "{account_name}",
			[]Profile{named("111122223333", "a", "A"), named("222233334444", "a", "A"), named("333344445555", "a-111122223333", "A")},
			[]string{"a-111122223333", "a-111122223333-2", "a-222233334444"},
			2,
		},
		{"listed twice", DefaultTemplate, []Profile{named("111122223333", "prod", "A"), named("111122223333", "prod", "A")}, []string{"prod-A"}, 0},
		{"default", "{role}", []Profile{named("111122223333", "prod", "default")}, []string{"default-111122223333"}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for range 2 { // whatever the order of the list
				slices.Reverse(c.in)
				got, renamed, err := Names(c.template, c.in)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, p := range got {
					names = append(names, p.Name)
					if !nameForm.MatchString(p.Name) {
						t.Errorf("%q needs quoting", p.Name)
					}
				}
				if diff := cmp.Diff(c.want, names); diff != "" || len(renamed) != c.renamed {
					t.Errorf("%d renamed; %s", len(renamed), diff)
				}
			}
		})
	}
}

func TestNamesKeepsInput(t *testing.T) {
	t.Parallel()
	in := manyProfiles()
	before := slices.Clone(in)
	if _, _, err := Names(DefaultTemplate, in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, in); diff != "" {
		t.Error(diff)
	}
}

func TestBadTemplate(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"", "{account}", "{role", "}", "{{role}}"} {
		if _, _, err := Names(template, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", template, err)
		}
	}
}
