package access

import (
	"errors"
	"fmt"
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

// Question is whether a user may do something in an account, and why.
type Question struct {
	User        store.UserThen
	SessionName string // that the user's role sessions have
	Account     arn.AccountID
	Set         arn.PermissionSet // the zero one: by any that the user has there
	Action      string
	Resource    string
	Context     map[string][]string // condition keys of the request, in lower case
}

// Answer is the decision on a question by one permission set: that of the role as it is provisioned now, on the identity's side. What a
// resource's own policy says is not known here.
type Answer struct {
	Set      arn.PermissionSet
	Name     string
	Role     store.Role
	Decision policy.Decision
	Paths    []Path
	Asked    []string // condition keys that policies asked for and that nobody has given, in order
}

// maxPaths is how many paths into one account are looked at. Who has more names a permission set.
const maxPaths = 500

// Explain answers a question for each permission set by which the user reaches the account. None means that there is no path: Nearest
// tells what there is. layers loads a role's policies.
func Explain(tx *store.Tx, i store.Instance, q Question, layers func(store.Role) policy.Layers) ([]Answer, error) {
	paths, err := pathsInto(tx, i, q)
	if err != nil || q.User.Status != store.UserEnabled {
		return nil, err
	}
	if a, err := tx.Account(q.Account); err != nil || a.Status != store.AccountActive {
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return nil, wrap(err, "load account")
	}
	tags, err := SessionTags(tx, i.ID, q.User.ID)
	if err != nil {
		return nil, err
	}
	var out []Answer
	for _, same := range bySet(paths) { // as many as an account may have roles of
		role, err := tx.ProvisionedRole(q.Account, same[0].Path.Set)
		if errors.Is(err, store.ErrNotFound) {
			continue // somebody took it away in the account: it is drift that tells
		}
		if err != nil {
			return nil, fmt.Errorf("load provisioned role: %w", err)
		}
		a := Answer{Set: same[0].Path.Set, Name: same[0].Set, Role: role, Paths: same}
		session := q.Account.AssumedRoleARN(role.Name, q.SessionName)
		in := &supposed{q: q, role: role, now: tx.Now(), region: i.Region, tags: tags, asked: map[string]bool{}}
		a.Decision = policy.Evaluate(policy.Request{
			Principal: policy.Principal{Account: string(q.Account), ARN: session, Issuer: role.ARN()},
			Action:    q.Action, Resource: q.Resource, Context: in,
		}, layers(role))
		for key := range in.asked {
			a.Asked = append(a.Asked, key)
		}
		slices.Sort(a.Asked)
		out = append(out, a)
	}
	return out, nil
}

// pathsInto are the user's paths into the account that the question is about.
func pathsInto(tx *store.Tx, i store.Instance, q Question) ([]Path, error) {
	rows, next, err := PathsOfUser(tx, i, q.User.ID, q.Account, tx.Now(), page.Query{Limit: maxPaths})
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
		return []string{s.role.ID + ":" + s.q.SessionName}, true
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
