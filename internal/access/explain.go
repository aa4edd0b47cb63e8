package access

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/policy"
	"sallyport/internal/store"
)

// Question is whether a user may do something in an account, and why, or might at a time.
type Question struct {
	User        store.UserThen
	SessionName string // that the user's role sessions have
	Account     arn.AccountID
	Set         arn.PermissionSet // the zero one: by any that the user has there
	Action      string
	Resource    string
	Context     map[string][]string // condition keys of the request, in lower case
	At          time.Time           // zero: now
}

// at is the time that the question is about.
func (q Question) at(tx *store.Tx) time.Time {
	if q.At.IsZero() {
		return tx.Now()
	}
	return q.At
}

// Answer is the decision on a question by one permission set, on the identity's side: that of the role as it is provisioned now or, of a time,
// as it had been provisioned by then. What a resource's own policy says is not known here.
type Answer struct {
	Set      arn.PermissionSet
	Name     string
	Role     store.Role // zero: see NotKnown
	Decision policy.Decision
	Paths    []Path
	Asked    []string // condition keys that policies asked for and that nobody has given, in order
	NotKnown []string // what may have decided otherwise and is not kept of that time, in sentences; none: the decision stands
}

// maxPaths is how many paths into one account are looked at. Who has more names a permission set.
const maxPaths = 500

// Explain answers a question for each permission set by which the user reaches the account. None means that there is no path: Nearest
// tells what there is. layers loads a role's policies.
func Explain(tx *store.Tx, i store.Instance, q Question, layers func(store.Role) policy.Layers) ([]Answer, error) {
	paths, err := pathsInto(tx, i, q)
	if err != nil || q.User.Status != store.UserEnabled || len(paths) == 0 || shut(paths[0].Place) {
		return nil, err
	}
	var tags map[string]string
	if q.At.IsZero() { // what a person's attributes were is not kept
		if tags, err = SessionTags(tx, i.ID, q.User.ID); err != nil {
			return nil, err
		}
	}
	var out []Answer
	for _, same := range bySet(paths) { // as many as an account may have roles of
		role, known, err := roleOf(tx, q, same[0].Path.Set)
		switch {
		case err != nil:
			return nil, err
		case !known && q.At.IsZero():
			continue // somebody took it away in the account: it is drift that tells
		}
		a := Answer{Set: same[0].Path.Set, Name: same[0].Set, Role: role, Paths: same}
		if !known {
			a.NotKnown = []string{"What the permission set was in the account then is not kept."}
		} else if err := a.decide(tx, q, &supposed{q: q, role: role, now: q.at(tx), region: i.Region, tags: tags, asked: map[string]bool{}}, layers); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// decide evaluates the policies of the answer's role, and tells what may have decided otherwise.
func (a *Answer) decide(tx *store.Tx, q Question, in *supposed, layers func(store.Role) policy.Layers) error {
	role, lost, err := asKept(tx, q, a.Role)
	if err != nil {
		return err
	}
	a.Decision = policy.Evaluate(policy.Request{
		Principal: policy.Principal{Account: string(q.Account), ARN: q.Account.AssumedRoleARN(role.Name, q.SessionName), Issuer: role.ARN()},
		Action:    q.Action, Resource: q.Resource, Context: in,
	}, layers(role))
	a.Asked = slices.Sorted(maps.Keys(in.asked))
	a.NotKnown = lost.against(a.Decision)
	if a.Decision.Allowed && a.Paths[0].Place.Status == "" {
		a.NotKnown = append(a.NotKnown, fmt.Sprintf("Whether account %s was open then is not kept.", q.Account))
	}
	return nil
}

// pathsInto are the user's paths into the account that the question is about.
func pathsInto(tx *store.Tx, i store.Instance, q Question) ([]Path, error) {
	rows, next, err := PathsOfUser(tx, i, q.User.ID, q.Account, q.at(tx), page.Query{Limit: maxPaths})
	if err != nil {
		return nil, err
	}
	if q.Set.ID != "" {
		rows = slices.DeleteFunc(rows, func(p Path) bool { return p.Path.Set != q.Set })
	}
	if next != nil {
		return nil, fault.Invalidf("The user has more than %d paths into account %s: name a permission set.", maxPaths, q.Account)
	}
	return rows, nil
}

// bySet cuts paths, which are in the order of their permission sets, into those of each.
func bySet(paths []Path) (out [][]Path) {
	for n := 0; n < len(paths); {
		end := n + 1
		for end < len(paths) && paths[end].Path.Set == paths[n].Path.Set {
			end++
		}
		out = append(out, paths[n:end])
		n = end
	}
	return out
}

// supposed are the condition keys of a request that is not made: those that were given, and those that follow from who would make it.
type supposed struct {
	q      Question
	role   store.Role
	now    time.Time
	region string
	tags   map[string]string
	asked  map[string]bool // keys that there is nothing for
}

// Lookup is the values of a key. Keys arrive in lower case.
func (s *supposed) Lookup(key string) ([]string, bool) {
	if v, ok := s.q.Context[key]; ok {
		return v, true
	}
	switch key {
	case "aws:currenttime":
		return []string{s.now.UTC().Format(time.RFC3339)}, true
	case "aws:epochtime":
		return []string{strconv.FormatInt(s.now.Unix(), 10)}, true
	case "aws:principalarn":
		return []string{s.role.ARN()}, true
	case "aws:principalaccount":
		return []string{string(s.q.Account)}, true
	case "aws:principaltype":
		return []string{"AssumedRole"}, true
	case "aws:userid":
		if s.role.ID != "" {
			return []string{s.role.ID + ":" + s.q.SessionName}, true
		}
	case "aws:requestedregion":
		return []string{s.region}, true
	case "identitystore:userid":
		return []string{s.q.User.ID}, true
	}
	if name, ok := strings.CutPrefix(key, "aws:principaltag/"); ok {
		for k, v := range s.tags {
			if strings.EqualFold(k, name) {
				return []string{v}, true
			}
		}
	}
	s.asked[key] = true
	return nil, false
}
