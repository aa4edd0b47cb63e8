package awsconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/fault"
)

// DefaultTemplate names profiles after account and role.
const DefaultTemplate = "{account_name}-{role}"

// Names gives every profile its name after the template, in which {account_name}, {account_id} and {role} stand for the
// profile's own. Characters that a section header cannot take become dashes. Profiles that would share a name get their
// account ID appended, all of them, so that a name never depends on the order of the list; they are returned as renamed
// too, for the person to be told. The result is sorted by name.
func Names(template string, profiles []Profile) (named, renamed []Profile, err error) {
	if err := checkTemplate(template); err != nil {
		return nil, nil, err
	}
	named = slices.Clone(profiles)
	slices.SortFunc(named, func(x, y Profile) int {
		return cmp.Or(strings.Compare(x.AccountID, y.AccountID), strings.Compare(x.RoleName, y.RoleName))
	})
	named = slices.CompactFunc(named, func(x, y Profile) bool { return x.AccountID == y.AccountID && x.RoleName == y.RoleName })
	count := map[string]int{"default": 1} // [profile default] would become everybody's default
	for i := range named {
		named[i].Name = expand(template, named[i])
		count[named[i].Name]++
	}
	taken := make(map[string]bool, len(named))
	for _, p := range named {
		taken[p.Name] = true
	}
	for i := range named {
		if p := &named[i]; count[p.Name] > 1 {
			p.Name = free(p.Name+"-"+p.AccountID, taken)
			taken[p.Name] = true
			renamed = append(renamed, *p)
		}
	}
	slices.SortFunc(named, func(x, y Profile) int { return strings.Compare(x.Name, y.Name) })
	return named, renamed, nil
}

// free is name, with a number where even the account ID does not tell profiles apart.
func free(name string, taken map[string]bool) string {
	for n, try := 2, name; ; n++ {
		if !taken[try] {
			return try
		}
		try = fmt.Sprintf("%s-%d", name, n)
	}
}

func checkTemplate(template string) error {
	rest := template
	for _, field := range []string{"{account_name}", "{account_id}", "{role}"} {
		rest = strings.ReplaceAll(rest, field, "")
	}
	if template == "" || len(template) > 100 || strings.ContainsAny(rest, "{}") {
		return fault.Invalidf("%q is not a name template: use {account_name}, {account_id} and {role}, as in %q", template, DefaultTemplate)
	}
	return nil
}

func expand(template string, p Profile) string {
	account := plain(p.AccountName)
	if account == "" {
		account = p.AccountID // no name, or one without any character that can stand in a header
	}
	name := strings.NewReplacer("{account_name}", account, "{account_id}", p.AccountID, "{role}", plain(p.RoleName)).Replace(template)
	if name = plain(name); name == "" {
		return p.AccountID
	}
	return name
}

// plain makes one dash of each run of characters that would need quoting, or that not every locale can read.
func plain(s string) string {
	dashed := strings.Map(func(c rune) rune {
		if c < 0x80 && nameForm.MatchString(string(c)) {
			return c
		}
		return '-'
	}, s)
	return strings.Join(strings.FieldsFunc(dashed, func(c rune) bool { return c == '-' }), "-")
}
