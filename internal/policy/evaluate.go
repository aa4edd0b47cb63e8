package policy

import "strings"

// Request is what is asked.
type Request struct {
	Principal Principal
	Action    string // "sso:CreateAccountAssignment"
	Resource  string // ARN, or "*" for actions that have no resource
	Context   Context

	// ResourceAccount is the account that owns the resource. In another account than the caller's,
	// both the caller's policies and the resource's must allow. Empty means the caller's own.
	ResourceAccount string
}

// Named is a policy with the name that a decision gives for it. A nil Policy is one that is gone, or
// could not be loaded: it denies.
type Named struct {
	Name   string
	Policy *Policy
}

// Layers are the policies that a request is held against.
type Layers struct {
	// Identity are the policies of the user and its groups, or of the role. They add up.
	Identity []Named

	// Boundary is the permissions boundary. Nil means that there is none.
	Boundary *Named

	// Session are the session policies, outermost first. The policies of one element add up (those
	// given inline and by ARN in one call); each element caps those before it (a session scoped down
	// from a session). An element without policies allows nothing; nil means that there are none.
	Session [][]Named

	// Resource are the policies of the resource itself.
	Resource []Named

	// Trust says that Resource is a role's trust policy, which must allow whoever asks: unlike other
	// resources, a role cannot be reached by the caller's own policies alone.
	Trust bool
}

// Layer is a kind of policy, in the words of AWS's messages.
type Layer string

// The layers that can decide.
const (
	LayerIdentity Layer = "identity-based policy"
	LayerBoundary Layer = "permissions boundary"
	LayerSession  Layer = "session policy"
	LayerResource Layer = "resource-based policy"
	LayerTrust    Layer = "role trust policy"
)

// Decision is the answer with its reason.
type Decision struct {
	Allowed  bool
	Explicit bool  // a Deny statement decided, rather than the lack of an Allow
	Layer    Layer // which kind of policy allowed, denied, or failed to allow

	// What decided, where a statement did: the name of the policy, and the statement's number from 1
	// and its Sid, if it has one.
	Policy    string
	Statement int
	Sid       string

	Action string // as asked
}

// Because is the end of AWS's access denied message, after "… is not authorized to perform: …".
// It is empty for a request that is allowed.
func (d Decision) Because() string {
	switch {
	case d.Allowed:
		return ""
	case !d.Explicit:
		return "because no " + string(d.Layer) + " allows the " + d.Action + " action"
	case d.Layer == LayerTrust:
		return "with an explicit deny in the role trust policy"
	case d.Layer == LayerIdentity:
		return "with an explicit deny in an identity-based policy"
	default:
		return "with an explicit deny in a " + string(d.Layer)
	}
}

// Evaluate decides a request: denied when any policy of any layer denies it, allowed when every layer
// that applies allows it, and denied otherwise.
func Evaluate(req Request, l Layers) Decision {
	a := &asked{
		principal: &req.Principal,
		action:    strings.ToLower(req.Action),
		resource:  req.Resource,
		context:   req.Context,
	}
	if a.context == nil {
		a.context = nothing{}
	}
	a.service, _, _ = strings.Cut(a.action, ":")
	d, denied := l.explicitDeny(a)
	if !denied {
		d = l.allow(a, req.crossesAccounts())
	}
	d.Action = req.Action
	return d
}

func (r *Request) crossesAccounts() bool {
	return r.ResourceAccount != "" && r.ResourceAccount != r.Principal.Account
}

func (l *Layers) resourceLayer() Layer {
	if l.Trust {
		return LayerTrust
	}
	return LayerResource
}

// explicitDeny looks for a Deny in every layer.
func (l *Layers) explicitDeny(a *asked) (Decision, bool) {
	if d, denied := findDeny(a, LayerIdentity, l.Identity); denied {
		return d, true
	}
	if l.Boundary != nil {
		if l.Boundary.Policy == nil { // nothing may be allowed, by whatever way (S37)
			return Decision{Layer: LayerBoundary, Policy: l.Boundary.Name}, true
		}
		if d, denied := findDeny(a, LayerBoundary, []Named{*l.Boundary}); denied {
			return d, true
		}
	}
	for _, policies := range l.Session {
		if d, denied := findDeny(a, LayerSession, policies); denied {
			return d, true
		}
	}
	return findDeny(a, l.resourceLayer(), l.Resource)
}

func findDeny(a *asked, layer Layer, policies []Named) (Decision, bool) {
	onResource := layer == LayerResource || layer == LayerTrust
	for _, p := range policies {
		if p.Policy == nil {
			return Decision{Explicit: true, Layer: layer, Policy: p.Name}, true
		}
		for i := range p.Policy.statements {
			s := &p.Policy.statements[i]
			// A principal where none belongs, or none where one does, is an unreadable statement:
			// as a Deny, it denies.
			if s.deny && (!onResource || s.principal == nil || s.principal.denies(a.principal)) && s.matches(a) {
				return decided(layer, p.Name, i, s), true
			}
		}
	}
	return Decision{}, false
}

func decided(layer Layer, policy string, i int, s *statement) Decision {
	return Decision{Allowed: !s.deny, Explicit: s.deny, Layer: layer, Policy: policy, Statement: i + 1, Sid: s.sid}
}

// allow combines the layers for a request that nothing denies.
func (l *Layers) allow(a *asked, cross bool) Decision {
	identity, ok := findAllow(a, LayerIdentity, l.Identity)
	onResource, reach := l.findGrant(a)
	switch {
	case (cross || l.Trust) && reach == noGrant:
		return Decision{Layer: l.resourceLayer()}
	case !cross && reach == direct:
		return onResource
	case cross && !ok, !ok && reach < capped:
		return Decision{Layer: LayerIdentity}
	}
	granted := identity
	if !ok {
		granted = onResource
	}
	if l.Boundary != nil {
		if _, ok := findAllow(a, LayerBoundary, []Named{*l.Boundary}); !ok {
			return Decision{Layer: LayerBoundary, Policy: l.Boundary.Name}
		}
	}
	for _, policies := range l.Session {
		if _, ok := findAllow(a, LayerSession, policies); !ok {
			return Decision{Layer: LayerSession}
		}
	}
	return granted
}

func findAllow(a *asked, layer Layer, policies []Named) (Decision, bool) {
	for _, p := range policies {
		for i := range p.Policy.statements {
			s := &p.Policy.statements[i]
			if !s.deny && s.principal == nil && s.matches(a) {
				return decided(layer, p.Name, i, s), true
			}
		}
	}
	return Decision{}, false
}

// findGrant is the furthest reaching Allow of the resource's policies.
func (l *Layers) findGrant(a *asked) (Decision, grant) {
	var best Decision
	reach := noGrant
	for _, p := range l.Resource {
		for i := range p.Policy.statements {
			s := &p.Policy.statements[i]
			if s.deny || s.principal == nil || s.principal.not {
				continue
			}
			if r := s.principal.reach(a.principal); r > reach && s.matches(a) {
				best, reach = decided(l.resourceLayer(), p.Name, i, s), r
			}
		}
	}
	return best, reach
}
