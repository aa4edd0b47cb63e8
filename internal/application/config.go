package application

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/policy"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// The grant types.
const (
	AuthorizationCode = "authorization_code"
	RefreshToken      = "refresh_token"
	JWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	TokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
)

func findScope(a store.Application, name string) (int, bool) {
	return slices.BinarySearchFunc(a.Scopes, name, func(s store.ApplicationScope, name string) int { return cmp.Compare(s.Name, name) })
}

// PutScope gives an application an access scope, in place of the one of its name. Its targets are of the application's instance.
func PutScope(tx *store.Tx, a store.Application, s store.ApplicationScope, limits quota.Limits) error {
	for _, t := range s.Targets { // at most 10, by the model
		if of := "/" + string(a.Instance); !strings.Contains(t, of) {
			return fault.Invalidf("The target %s is not of the application's instance %s.", t, a.Instance)
		}
	}
	i, found := findScope(a, s.Name)
	switch {
	case found:
		a.Scopes[i] = s
	case limits.Exceeds(quota.Scopes, len(a.Scopes)+1):
		f := limits.Reached(quota.Scopes)
		f.Kind = fault.Conflict // the operation has no quota error
		return f
	default:
		a.Scopes = slices.Insert(a.Scopes, i, s)
	}
	return wrap(tx.UpdateApplication(a), "update application")
}

// Scope is the access scope of the name.
func Scope(a store.Application, name string) (store.ApplicationScope, error) {
	i, found := findScope(a, name)
	if !found {
		return store.ApplicationScope{}, fault.Missing("AccessScope", name)
	}
	return a.Scopes[i], nil
}

// DeleteScope takes an access scope from an application, if it has it.
func DeleteScope(tx *store.Tx, a store.Application, name string) error {
	i, found := findScope(a, name)
	if !found {
		return nil
	}
	a.Scopes = slices.Delete(a.Scopes, i, i+1)
	return wrap(tx.UpdateApplication(a), "update application")
}

// PutActorPolicy says who may ask for tokens as the application: a resource-based policy.
func PutActorPolicy(tx *store.Tx, a store.Application, document json.RawMessage) error {
	if _, err := policy.ParseResource(document); err != nil {
		return err
	}
	a.ActorPolicy = document
	return wrap(tx.UpdateApplication(a), "update application")
}

// DeleteActorPolicy takes that policy from an application, if it has one.
func DeleteActorPolicy(tx *store.Tx, a store.Application) error {
	if a.ActorPolicy == nil {
		return nil
	}
	a.ActorPolicy = nil
	return wrap(tx.UpdateApplication(a), "update application")
}

// PutGrant lets an application get tokens by a grant type.
func PutGrant(tx *store.Tx, a store.Application, grantType string, g store.GrantConfig) error {
	for _, u := range g.RedirectURIs { // at most 10, by the model
		if parsed, err := url.Parse(u); err != nil || parsed.Scheme == "" || parsed.Fragment != "" {
			return fault.Invalidf("%q is not a redirect URI: it must be absolute and have no fragment (RFC 6749 §3.1.2).", u)
		}
	}
	for _, issuer := range g.Issuers { // at most 10, by the model
		id, err := arn.ParseTokenIssuer(issuer.Issuer)
		if err != nil {
			return err
		}
		if id.Instance != a.Instance {
			return fault.Invalidf("The trusted token issuer %s is not of the application's instance %s.", issuer.Issuer, a.Instance)
		}
		if _, err := Issuer(tx, id); err != nil {
			return err
		}
	}
	grants := maps.Clone(a.Grants)
	if grants == nil {
		grants = map[string]store.GrantConfig{}
	}
	grants[grantType] = g
	a.Grants = grants
	return wrap(tx.UpdateApplication(a), "update application")
}

// Grant is how an application gets tokens by a grant type.
func Grant(a store.Application, grantType string) (store.GrantConfig, error) {
	g, ok := a.Grants[grantType]
	if !ok {
		return g, fault.Missing("Grant", grantType)
	}
	return g, nil
}

// DeleteGrant takes a grant type from an application, if it has it.
func DeleteGrant(tx *store.Tx, a store.Application, grantType string) error {
	if _, ok := a.Grants[grantType]; !ok {
		return nil
	}
	a.Grants = maps.Clone(a.Grants)
	delete(a.Grants, grantType)
	return wrap(tx.UpdateApplication(a), "update application")
}
