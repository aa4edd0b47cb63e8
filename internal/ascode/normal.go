package ascode

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// normal is the document with everything in its order and every default written, so that equal ones are equal; a fault when it
// breaks a rule that needs no server to know.
func normal(d Document) (Document, error) {
	if d.Version != Version {
		return d, fault.Invalidf("Version is %d; this program reads %d.", d.Version, Version)
	}
	for _, check := range []func(*Document) error{normalUsers, normalGroups, normalSets, normalIssuers, normalApplications, normalAlerts} {
		if err := check(&d); err != nil {
			return d, err
		}
	}
	return d, nil
}

func normalUsers(d *Document) error {
	for i, u := range d.Users {
		raw, err := json.Marshal(u)
		if err != nil {
			return fault.Invalidf("A user is not understood: %v", err)
		}
		var plain User
		if err := json.Unmarshal(raw, &plain); err != nil {
			return fmt.Errorf("read user: %w", err)
		}
		if plain.name() == "" {
			return fault.Invalidf("User %d of Users has no UserName.", i+1)
		}
		d.Users[i] = plain
	}
	slices.SortFunc(d.Users, func(a, b User) int { return cmp.Compare(fold(a.name()), fold(b.name())) })
	return unique("Users", "UserName", d.Users, func(u User) string { return fold(u.name()) })
}

func (u User) name() string {
	s, _ := u["UserName"].(string)
	return s
}

func normalGroups(d *Document) error {
	for i := range d.Groups {
		g := &d.Groups[i]
		if g.DisplayName == "" {
			return fault.Invalidf("Group %d of Groups has no DisplayName.", i+1)
		}
		if g.Members != nil {
			g.Members = sortedNames(g.Members)
		}
	}
	slices.SortFunc(d.Groups, func(a, b Group) int { return cmp.Compare(fold(a.DisplayName), fold(b.DisplayName)) })
	return unique("Groups", "DisplayName", d.Groups, func(g Group) string { return fold(g.DisplayName) })
}

func normalSets(d *Document) error {
	for i := range d.PermissionSets {
		p := &d.PermissionSets[i]
		if p.Name == "" {
			return fault.Invalidf("Permission set %d of PermissionSets has no Name.", i+1)
		}
		if err := normalSet(p); err != nil {
			return err
		}
	}
	slices.SortFunc(d.PermissionSets, func(a, b PermissionSet) int { return cmp.Compare(a.Name, b.Name) })
	return unique("PermissionSets", "Name", d.PermissionSets, func(p PermissionSet) string { return p.Name })
}

func normalSet(p *PermissionSet) error {
	p.SessionDuration = cmp.Or(p.SessionDuration, "PT1H")
	p.InlinePolicy = strings.TrimSpace(p.InlinePolicy)
	if p.InlinePolicy != "" && !json.Valid([]byte(p.InlinePolicy)) {
		return fault.Invalidf("InlinePolicy of permission set %s is not JSON.", p.Name)
	}
	p.ManagedPolicies = sortedSet(p.ManagedPolicies)
	for i := range p.CustomerManagedPolicies {
		p.CustomerManagedPolicies[i].Path = cmp.Or(p.CustomerManagedPolicies[i].Path, "/")
	}
	slices.SortFunc(p.CustomerManagedPolicies, func(a, b PolicyReference) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path))
	})
	if b := p.Boundary; b != nil {
		if (b.ManagedPolicy == "") == (b.Customer == nil) {
			return fault.Invalidf("PermissionsBoundary of permission set %s names one policy: ManagedPolicyArn or CustomerManagedPolicyReference.", p.Name)
		}
		if b.Customer != nil {
			b.Customer.Path = cmp.Or(b.Customer.Path, "/")
		}
	}
	if p.Assignments == nil {
		return nil
	}
	grants, err := p.grants()
	p.Assignments = grouped(grants)
	return err
}

// grants are the account assignments one by one.
func (p PermissionSet) grants() (map[grant]string, error) {
	out := map[grant]string{} // and the name as it is written
	for _, a := range p.Assignments {
		for _, account := range a.Accounts {
			if !accountID.MatchString(account) {
				return nil, fault.Invalidf("%q in Accounts of permission set %s is not an account's id: twelve digits, in quotes.", account, p.Name)
			}
			for _, name := range a.Groups {
				keep(out, grant{account, principal{api.PrincipalTypeGroup, fold(name)}}, name)
			}
			for _, name := range a.Users {
				keep(out, grant{account, principal{api.PrincipalTypeUser, fold(name)}}, name)
			}
		}
	}
	return out, nil
}

// keep keeps the first spelling.
func keep(all map[grant]string, g grant, name string) {
	if _, there := all[g]; !there {
		all[g] = name
	}
}

// grouped writes assignments with accounts of the same people together.
func grouped(grants map[grant]string) []Assignment {
	byAccount := map[string]*Assignment{}
	for g, name := range grants {
		a := byAccount[g.account]
		if a == nil {
			a = &Assignment{}
			byAccount[g.account] = a
		}
		if g.who.Type == api.PrincipalTypeGroup {
			a.Groups = append(a.Groups, name)
		} else {
			a.Users = append(a.Users, name)
		}
	}
	byPeople := map[string]*Assignment{}
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		a := byAccount[account]
		a.Groups, a.Users = sortedNames(a.Groups), sortedNames(a.Users)
		people := fmt.Sprintf("%q %q", a.Groups, a.Users)
		if same := byPeople[people]; same != nil {
			same.Accounts = append(same.Accounts, account)
			continue
		}
		a.Accounts, byPeople[people] = []string{account}, a
	}
	out := make([]Assignment, 0, len(byPeople))
	for _, a := range byPeople {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Assignment) int { return cmp.Compare(a.Accounts[0], b.Accounts[0]) })
	return out
}

func normalIssuers(d *Document) error {
	slices.SortFunc(d.TrustedTokenIssuers, func(a, b Issuer) int { return cmp.Compare(a.Name, b.Name) })
	return unique("TrustedTokenIssuers", "Name", d.TrustedTokenIssuers, func(i Issuer) string { return i.Name })
}

func normalApplications(d *Document) error {
	for i := range d.Applications {
		a := &d.Applications[i]
		a.Status = cmp.Or(a.Status, string(api.ApplicationStatusEnabled))
		a.Visibility = cmp.Or(a.Visibility, string(api.ApplicationVisibilityEnabled))
		if a.AssignmentRequired == nil {
			a.AssignmentRequired = new(true)
		}
		slices.SortFunc(a.Scopes, func(a, b Scope) int { return cmp.Compare(a.Scope, b.Scope) })
		for j := range a.Scopes {
			a.Scopes[j].Targets = sortedSet(a.Scopes[j].Targets)
		}
		if a.Assignments != nil {
			a.Assignments.Groups, a.Assignments.Users = sortedNames(a.Assignments.Groups), sortedNames(a.Assignments.Users)
		}
	}
	slices.SortFunc(d.Applications, func(a, b Application) int { return cmp.Compare(a.Name, b.Name) })
	return unique("Applications", "Name", d.Applications, func(a Application) string { return a.Name })
}

// unique is a fault when two elements of a sorted list have the same key, or one has none.
func unique[T any](section, member string, all []T, key func(T) string) error {
	for i, v := range all {
		switch k := key(v); {
		case k == "":
			return fault.Invalidf("An element of %s has no %s.", section, member)
		case i > 0 && k == key(all[i-1]):
			return fault.Invalidf("%s has two elements whose %s is %s: they are told apart by it.", section, member, k)
		}
	}
	return nil
}

// fold makes names comparable: those of users and groups are the same in any case.
func fold(name string) string { return strings.ToLower(name) }

// sortedNames are names in order, each once.
func sortedNames(names []string) []string {
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(fold(a), fold(b)), cmp.Compare(a, b)) })
	names = slices.CompactFunc(names, func(a, b string) bool { return fold(a) == fold(b) })
	return append([]string{}, names...)
}

func sortedSet(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
