package resource

import (
	"encoding/json"
	"strings"
	"testing"

	"sallyport/internal/fault"
)

// person is a user as records are shown.
func person(t testing.TB) map[string]any {
	t.Helper()
	return tree(t, `{"schemas":["`+UserURN+`","`+EnterpriseURN+`"],"id":"aa-11","externalId":"Ext","userName":"Anna@x.test","displayName":"Ännä \"Q\" \\ K","title":"Boss",
		"name":{"familyName":"Straße","givenName":"Anna"},"active":true,
		"emails":[{"value":"anna@x.test","type":"work","primary":true},{"value":"anna@home.test","type":"home"}],
		"addresses":[{"country":"DE","locality":"Köln","type":"work"}],
		"meta":{"resourceType":"User","created":"2026-01-01T00:00:00Z","lastModified":"2026-03-01T12:00:00.5Z"},
		"`+EnterpriseURN+`":{"department":"R&D","manager":{"value":"m-1"}}}`)
}

func tree(t testing.TB, text string) map[string]any {
	t.Helper()
	var out map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

// filters are filters and whether they choose the person.
var filters = map[string]bool{
	`userName eq "anna@X.test"`: true, `USERNAME EQ "anna@x.test"`: true, `userName eq "anna"`: false,
	`userName ne "anna@x.test"`: false, `userName ne "x"`: true, `nickName ne "x"`: true, `nickName eq "x"`: false,
	`userName co "NA@X"`: true, `userName co "z"`: false, `userName sw "ANNA"`: true, `userName sw "nna"`: false, `userName ew ".TEST"`: true, `userName ew "tes"`: false,
	`title pr`: true, `nickName pr`: false, `not (nickName pr)`: true, `not(title pr)`: false, `NOT (title PR)`: false, `name pr`: true, `emails pr`: true, `photos pr`: false,
	`title gt "Boa"`: true, `title gt "boss"`: false, `title ge "boss"`: true, `title lt "bosses"`: true, `title lt "BOSS"`: false, `title le "BOSS"`: true, `nickName lt "z"`: false,
	`externalId eq "Ext"`: true, `externalId eq "ext"`: false, `externalId co "x"`: true, `id eq "aa-11"`: true, `id eq "AA-11"`: false,
	`active eq true`: true, `active eq "True"`: true, `active eq false`: false, `active ne false`: true, `active eq TRUE`: true,
	`title eq null`: false, `title ne null`: true, `nickName eq null`: true, `nickName ne NULL`: false,
	// Precedence: not, and, or; brackets.
	`title eq "x" or title eq "boss" and userName sw "anna"`: true, `title eq "boss" or title eq "x" and title eq "y"`: true,
	`(title eq "boss" or title eq "x") and title eq "y"`: false, `title eq "x" and title eq "y" or title eq "boss"`: true,
	`not (title eq "x") and not (title eq "boss")`: false, `not (title eq "x" or title eq "y")`: true, `((title eq "boss"))`: true,
	// Lists: one element is enough; brackets ask for one and the same.
	`emails eq "anna@home.test"`: true, `emails.value eq "ANNA@HOME.TEST"`: true, `emails co "home"`: true, `emails.type eq "other"`: false, `emails.type ne "work"`: true, `photos.type ne "x"`: true,
	`emails.value eq "anna@x.test" and emails.type eq "home"`: true, `emails[value eq "anna@x.test" and type eq "home"]`: false,
	`emails[type eq "work" and value co "@x"]`: true, `emails[type eq "work" and (value ew "home.test" or primary eq true)]`: true, `emails[not (type eq "work")]`: true,
	`emails[primary eq false]`: true, `emails[type eq "home" and primary eq "false"]`: true, `emails[display pr]`: false, `not (emails[type eq "x"])`: true,
	`emails[type eq "work"].value eq "ANNA@x.test"`: true, `emails[type eq "home"].value eq "anna@x.test"`: false, `emails[type eq "work"].value sw "anna" and title pr`: true, `emails[type eq "home"].primary pr`: false,
	`emails[type eq "work"] and title pr`: true, `addresses[country eq "de" and locality co "KÖ"]`: true, `name[familyName sw "stra"]`: true, `photos[type eq "x"]`: false,
	// URNs and parts.
	UserURN + `:userName eq "anna@x.test"`: true, strings.ToLower(UserURN) + `:name.familyName eq "STRAẞE"`: true, `name.familyName eq "straße"`: true, `name.givenName sw "b"`: false,
	EnterpriseURN + `:department eq "r&d"`: true, EnterpriseURN + `:manager.value eq "m-1"`: true, EnterpriseURN + `:manager eq "m-1"`: true, strings.ToUpper(EnterpriseURN) + `:division pr`: false,
	EnterpriseURN + ` pr`: true, EnterpriseURN + `:manager[value eq "m-1"]`: true,
	`schemas eq "` + EnterpriseURN + `"`: true, `schemas eq "x"`: false,
	// Times.
	`meta.lastModified gt "2026-03-01T12:00:00Z"`: true, `meta.lastModified gt "2026-03-01T13:00:00.5+01:00"`: false, `meta.lastModified ge "2026-03-01T13:00:00.5+01:00"`: true,
	`meta.created eq "2026-01-01T01:00:00+01:00"`: true, `meta.created lt "2025-01-01T00:00:00Z"`: false, `meta.created sw "2026-01"`: true, `meta.created ne "2025-01-01T00:00:00Z"`: true, `meta.resourceType eq "User"`: true,
	// Escapes, spaces, what is the RFC's and not kept.
	`displayName eq "ännä \"q\" \\ k"`: true, `displayName co "\u00e4"`: true, `displayName eq "x\" or title pr or title eq \"x"`: false, `  title   eq   "boss"  `: true,
	`ims pr`: false, `password eq "x"`: false, `ims ne "x"`: true, `entitlements eq null`: true, `urn:example:thing:2.0:User:size eq 4`: false, `x509Certificates[value eq "x"]`: false,
	`displayName ew "\u212a"`: true, // the Kelvin sign, which is a k
}

func TestFilter(t *testing.T) {
	t.Parallel()
	for text, want := range filters {
		f, err := User.Filter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := f.Match(person(t)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestFilterRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, ` `, `title`, `title eq`, `title eq boss`, `title eq 'boss'`, `title eq "boss`, `title eq "boss\"`, `title eq "\x"`, `title is "boss"`, `title eq "a" "b"`, `title eq "a" and`, `and title pr`,
		`(title pr`, `title pr)`, `not title pr`, `not`, `()`, `title pr or or title pr`, `shoeSize eq 42`, `name.shoe pr`, `name eq "x"`, `meta eq "x"`, `emails.value.x pr`, `emails[`, `emails[]`,
		`emails[value]`, `emails[shoe pr]`, `emails[value pr]]`, `title[value pr]`, `emails[emails[value pr]]`, `emails[value eq "x"].type`, `emails[value eq "x"]. eq "y"`, `emails[value eq "x"].shoe eq "y"`, `emails[value eq "x"].`, `title eq 3`, `title eq true`, `active eq "yes"`,
		`active gt true`, `active co "t"`, `title gt null`, `meta.created gt "yesterday"`, `meta.created gt 3`, `title eq 01`, `title eq -`, `title eq {}`, "title eq \"\x01\"", `.title pr`,
		EnterpriseURN + ` eq "x"`, EnterpriseURN + `:shoe pr`, UserURN + ` pr`, UserURN + `:shoe pr`,
		strings.Repeat("(", 5000) + "title pr", strings.Repeat("not (", 40) + "title pr" + strings.Repeat(")", 40), `title eq "` + strings.Repeat("x", MaxFilter) + `"`,
	} {
		if _, err := User.Filter(text); fault.KindOf(err) != fault.Invalid || fault.As(err).Reason != "invalidFilter" {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

// TestNumbers: no attribute of ours is a number, but the table may have one.
func TestNumbers(t *testing.T) {
	t.Parallel()
	n := prepared(&Type{Name: "N", Core: &Schema{URN: "urn:n", Attributes: []*Attribute{{Name: "size", Kind: Integer}, {Name: "rate", Kind: Decimal}}}})
	for text, want := range map[string]bool{
		`size eq 42`: true, `size eq 4.2e1`: true, `size ne 42`: false, `size gt 5`: true, `size lt 5`: false, `size ge 42`: true, `size le 41.5`: false, `rate lt -1`: true, `rate pr`: true, `size eq null`: false,
	} {
		f, err := n.Filter(text)
		if err != nil || f.Match(tree(t, `{"size":42,"rate":-1.5}`)) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`size co 4`, `size eq "42"`, `size gt true`} {
		if _, err := n.Filter(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	a, _ := n.Order("rate")
	keys := []string{a.Key(tree(t, `{"rate":-2}`)), a.Key(tree(t, `{"rate":-1.5}`)), a.Key(tree(t, `{"rate":0}`)), a.Key(tree(t, `{"rate":10}`)), a.Key(tree(t, `{"rate":9e9}`))}
	for i := range keys[1:] {
		if keys[i] >= keys[i+1] {
			t.Errorf("keys %d and after are not in order: %v", i, keys)
		}
	}
}

// TestEqual: conditions that must hold are found in conjunctions, and nowhere else.
func TestEqual(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		`userName eq "a"`: {"userName": "a"},
		`title pr and (USERNAME eq "a" and externalid eq "b")`:  {"userName": "a", "externalId": "b"},
		`userName eq "a" or title pr`:                           {},
		`not (userName eq "a")`:                                 {},
		`(userName eq "a" or title pr) and id eq "b"`:           {"id": "b"},
		`userName co "a"`:                                       {},
		`emails eq "a"`:                                         {"emails.value": "a"},
		`emails[primary eq true and value eq "a"]`:              {"emails[primary].value": "a"},
		`emails[type eq "work" and value eq "a"]`:               {"emails.value": "a"},
		`emails[type eq "work" or value eq "a"]`:                {},
		`emails[type eq "work"].value eq "a"`:                   {"emails.value": "a"},
		`emails[not (type eq "home")].value eq "a"`:             {"emails.value": "a"},
		`emails[primary eq true].value eq "a" and title pr`:     {"emails[primary].value": "a"},
		`emails[primary eq false and value eq "a"]`:             {"emails.value": "a"},
		`not (emails[value eq "a"])`:                            {},
		`emails.type eq "work"`:                                 {"emails.type": "work"},
		`groups.value eq "g" and active eq true`:                {"groups.value": "g"},
		EnterpriseURN + `:employeeNumber eq "a" and title pr`:   {},
		`userName eq "a" and urn:example:2.0:User:thing eq "b"`: {"userName": "a"},
	} {
		f, err := User.Filter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if len(f.equal) != len(want) {
			t.Errorf("%s: %v", text, f.equal)
		}
		for k, v := range want {
			if got, ok := f.Equal(k); !ok || got != v {
				t.Errorf("%s: %s is %q", text, k, got)
			}
		}
	}
	f, err := User.Filter(`title pr or not (emails[type eq "x"]) and ` + EnterpriseURN + `:division pr`)
	if err != nil || !f.Needs("title") || !f.Needs("emails") || !f.Needs(EnterpriseURN) || f.Needs("userName") {
		t.Errorf("needs %v, %v", f.needs, err)
	}
}

func BenchmarkFilter(b *testing.B) {
	f, err := User.Filter(`emails[type eq "work" and value co "@y"] or name.familyName sw "stru" and active eq true`)
	if err != nil {
		b.Fatal(err)
	}
	p := person(b)
	for b.Loop() {
		f.Match(p)
	}
}
