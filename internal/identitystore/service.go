// Package identitystore implements the service identitystore: users, groups and memberships of an identity store. It
// translates between the wire and the rules of package directory, and has no rule but of form.
package identitystore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Service is the implementation. Operations that it does not define answer that they are not there yet.
type Service struct {
	api.Unimplemented[*endpoint.Call]
}

// identityStore is the store that a request names, if it may be called from where the request came.
func identityStore(c *endpoint.Call, id string) (arn.StoreID, error) {
	i, err := instance(c, id)
	if err != nil {
		return "", err
	}
	return i.StoreID, access.MayCallFrom(i, c.Source.IP)
}

// instance is the instance of the store that a request names.
func instance(c *endpoint.Call, id string) (store.Instance, error) {
	i, err := find(c.Tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Instance{}, fault.Missing("IDENTITY_STORE", id)
	}
	if err != nil {
		return store.Instance{}, fmt.Errorf("load instance of identity store: %w", err)
	}
	return i, nil
}

// find is the instance of a store, which the newest operations name by id or by ARN; [store.ErrNotFound]. An ARN must be the store's
// own to the letter: policies are held against it.
func find(tx *store.Tx, named string) (store.Instance, error) {
	i, err := tx.InstanceOfStore(arn.StoreID(named[strings.LastIndexByte(named, '/')+1:]))
	if err == nil && named != string(i.StoreID) && arn.Canonical(named) != i.StoreID.ARN(i.Owner) {
		return store.Instance{}, store.ErrNotFound
	}
	return i, err
}

// member is the user id of a membership's member: users are the only ones.
func member(m api.MemberId) (string, error) {
	if m.UserId == nil {
		return "", fault.Invalidf("MemberId must have a UserId.")
	}
	return *m.UserId, nil
}

// unique is the value of a unique attribute, if the path is one of those that the caller allows; paths are compared
// without case, since clients write them both ways (case S22).
func unique(u *api.UniqueAttribute, paths ...string) (path, value string, err error) {
	for _, p := range paths {
		if !strings.EqualFold(p, u.AttributePath) {
			continue
		}
		if err := json.Unmarshal(u.AttributeValue, &value); err != nil || value == "" {
			return "", "", fault.Invalidf("The value of %s must be a string.", p)
		}
		return p, value, nil
	}
	return "", "", fault.Invalidf("The attribute path %s is not supported: use %s.", u.AttributePath, strings.Join(paths, " or "))
}

// filter is the value of the one filter that a list may have, on the one attribute that it allows; "" without a filter.
func filter(filters []api.Filter, path string) (string, error) {
	if len(filters) == 0 {
		return "", nil
	}
	if !strings.EqualFold(filters[0].AttributePath, path) {
		return "", fault.Invalidf("Filtering by %s is not supported: use %s.", filters[0].AttributePath, path)
	}
	return filters[0].AttributeValue, nil
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

// mapped converts a list. An absent one stays absent.
func mapped[In, Out any](in []In, f func(In) Out) []Out {
	if in == nil {
		return nil
	}
	out := make([]Out, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return out
}
