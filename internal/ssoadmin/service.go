// Package ssoadmin implements the service sso-admin, of Identity Center's administration: instances, permission sets,
// account assignments. It translates between the wire and the rules of package access, and has no rule but of form.
package ssoadmin

import (
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Service is the implementation. Operations that it does not define answer that they are not there yet.
//
// That the caller's account may administer the instance at all has been found by the request path; what a delegated
// administrator may not do is found here, by [Service.editable].
type Service struct {
	api.Unimplemented[*endpoint.Call]
}

// instance is the instance that a request names.
func (Service) instance(c *endpoint.Call, instanceARN string) (store.Instance, error) {
	id, err := arn.ParseInstance(instanceARN)
	if err != nil {
		return store.Instance{}, err
	}
	return access.Instance(c.Tx, id)
}

// organization is the instance that a request about permission sets names, if it has any.
func (s Service) organization(c *endpoint.Call, instanceARN string) (store.Instance, error) {
	i, err := s.instance(c, instanceARN)
	if err != nil {
		return store.Instance{}, err
	}
	return i, access.HasPermissionSets(i)
}

// set is the permission set that a request names, with its instance.
func (s Service) set(c *endpoint.Call, instanceARN, setARN string) (store.Instance, store.PermissionSet, error) {
	i, err := s.organization(c, instanceARN)
	if err != nil {
		return store.Instance{}, store.PermissionSet{}, err
	}
	id, err := arn.ParsePermissionSet(setARN)
	if err != nil {
		return store.Instance{}, store.PermissionSet{}, err
	}
	p, err := access.PermissionSet(c.Tx, i, id)
	return i, p, err
}

// editable is the permission set that a request wants to change, if the caller may. account is "" when none is named.
func (s Service) editable(c *endpoint.Call, instanceARN, setARN string, account arn.AccountID) (store.PermissionSet, error) {
	i, p, err := s.set(c, instanceARN, setARN)
	if err != nil {
		return store.PermissionSet{}, err
	}
	return p, access.MayTouch(c.Tx, i, c.Caller.Account, p.PermissionSet, account)
}

// noResourceError is for operations that model no ResourceNotFoundException: what they miss is the instance, and that is denied.
func noResourceError(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.Deniedf("You do not have sufficient access to perform this action.")
	}
	return err
}

// optional is a member that is left out when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// value is an optional member's value, "" when it was left out.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func timestamp(t time.Time) *time.Time { return &t }

func mapped[In, Out any](in []In, f func(In) Out) []Out {
	out := make([]Out, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}
