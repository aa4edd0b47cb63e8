package policy

import "strings"

// asked is a request in the form that statements match: its action is lower-cased once.
type asked struct {
	principal *Principal
	action    string
	service   string // the action's part before the colon
	resource  string
	context   Context
}

// matches says whether the statement is about the request, its principal apart.
func (s *statement) matches(a *asked) bool {
	if s.unreadable || !s.actions.match(a) || !s.resources.match(a) {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].match(a.context) {
			return false
		}
	}
	return true
}

// actions are the patterns of Action or NotAction, by the service that they name: AWS's larger
// policies list thousands.
type actions struct {
	not       bool
	byService map[string][]pattern
	anywhere  []pattern // "*" and "*:…"
}

func compileActions(names []string, not bool) (*actions, error) {
	a := &actions{not: not, byService: map[string][]pattern{}}
	for _, name := range names {
		name = strings.ToLower(name)
		p, err := compilePattern(name, syntax{wildcards: true})
		if err != nil {
			return nil, err
		}
		service, _, _ := strings.Cut(name, ":")
		if service == "*" {
			a.anywhere = append(a.anywhere, p)
		} else {
			a.byService[service] = append(a.byService[service], p)
		}
	}
	return a, nil
}

func (a *actions) match(q *asked) bool {
	return a == nil || (matchAny(a.anywhere, q.action, nil) || matchAny(a.byService[q.service], q.action, nil)) != a.not
}

// resources are the patterns of Resource or NotResource.
type resources struct {
	patterns []pattern
	not      bool
}

func (r *resources) match(q *asked) bool {
	return r == nil || matchAny(r.patterns, q.resource, q.context) != r.not
}

func matchAny(patterns []pattern, s string, ctx Context) bool {
	for i := range patterns {
		if patterns[i].match(s, ctx) {
			return true
		}
	}
	return false
}
