package provision

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"sallyport/internal/store"
)

// deviations says in which ways a role is not what was provisioned, a sentence for each. load finds texts by their hashes, "" where
// there is none; it is asked only where texts differ in their letters.
func deviations(want store.Provisioned, is Role, load func(hash string) string) (out []string) {
	say := func(differs bool, format string, a ...any) {
		if differs {
			out = append(out, fmt.Sprintf(format, a...))
		}
	}
	say(is.Path != want.Path, "Its path is %s instead of %s.", is.Path, want.Path)
	say(is.Set.ID != "" && is.Set != want.Set, "It says that it was made from another permission set, %s.", is.Set.ARN())
	say(is.Set.ID == "" && is.Revision != 0, "It says that no permission set made it.")
	say(is.Revision != 0 && is.Revision != want.Revision, "It says that it was made from revision %d of its permission set, and was made from %d.", is.Revision, want.Revision)
	say(!same(want.Spec.Trust, is.Trust, load), "The trust policy was changed: it says who may take the role.")
	switch had, has := want.Spec.Inline != "", is.Inline != ""; {
	case had && !has:
		say(true, "The inline policy was removed.")
	case has && !had:
		say(true, "An inline policy was added.")
	default:
		say(!same(want.Spec.Inline, is.Inline, load), "The inline policy was changed.")
	}
	out = append(out, attached(want, is, load)...)
	out = append(out, bounded(want, is, load)...)
	minutes := func(d time.Duration) int64 { return int64(d / time.Minute) }
	say(is.SessionDuration != want.Spec.SessionDuration, "Sessions may last %d minutes instead of %d.", minutes(is.SessionDuration), minutes(want.Spec.SessionDuration))
	say(is.RelayState != want.Spec.RelayState, "The relay state was changed.")
	return out
}

// attached compares the managed policies, AWS's and the account's own.
func attached(want store.Provisioned, is Role, load func(string) string) (out []string) {
	had, has := map[string]string{}, map[string]string{}
	for _, m := range want.Spec.Managed {
		had[m.ARN] = m.Document
	}
	for _, c := range want.Spec.Customer {
		had[c] = ""
	}
	for _, m := range is.Managed {
		has[m.ARN] = m.Document
	}
	for _, c := range is.Customer {
		has[want.Account.PolicyARN(c.Path, c.Name)] = ""
	}
	for p, hash := range had {
		text, there := has[p]
		switch {
		case !there:
			out = append(out, "The policy "+p+" was detached.")
		case text != "" && !same(hash, text, load):
			out = append(out, "The policy "+p+" reads otherwise than when it was provisioned.")
		}
	}
	for p := range has {
		if _, there := had[p]; !there {
			out = append(out, "The policy "+p+" was attached.")
		}
	}
	slices.Sort(out)
	return out
}

// bounded compares the permissions boundaries.
func bounded(want store.Provisioned, is Role, load func(string) string) []string {
	had, has := want.Spec.Boundary, is.Boundary
	if had == nil && has == nil {
		return nil
	}
	if has == nil {
		return []string{"The permissions boundary was removed."}
	}
	name, text := has.Managed.ARN, has.Managed.Document
	if name == "" {
		name = want.Account.PolicyARN(has.Customer.Path, has.Customer.Name)
	}
	switch {
	case had == nil:
		return []string{"A permissions boundary was added: " + name + "."}
	case had.ARN != name:
		return []string{"The permissions boundary is " + name + " instead of " + had.ARN + "."}
	case text != "" && !same(had.Document, text, load):
		return []string{"The permissions boundary " + name + " reads otherwise than when it was provisioned."}
	}
	return nil
}

// same says whether a text is the one with the hash, or says the same: accounts elsewhere may space and order JSON in their own way. A
// text that no longer has its hash was changed in the database, and vouches for nothing.
func same(hash, text string, load func(string) string) bool {
	if hash == "" || text == "" {
		return hash == "" && text == ""
	}
	if digest(text) == hash {
		return true
	}
	kept := load(hash)
	if digest(kept) != hash {
		return false
	}
	var a, b any
	return json.Unmarshal([]byte(kept), &a) == nil && json.Unmarshal([]byte(text), &b) == nil && reflect.DeepEqual(a, b)
}
