package ssoadmin

import (
	"reflect"
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// naming are the members of requests that name an instance or something in one. Permission sets are not among them: who
// names one names its instance too, and it must be of that.
var naming = []string{"InstanceArn", "ApplicationArn", "TrustedTokenIssuerArn", "ResourceArn"}

// Administers is the service's rule of accounts: see [access.AccountRule]. An instance is made in the caller's own account, whichever that is.
func Administers(a access.AccountRule) func(*store.Tx, arn.AccountID, string, any) (arn.AccountID, error) {
	return func(tx *store.Tx, caller arn.AccountID, operation string, in any) (owner arn.AccountID, err error) {
		if operation == "CreateInstance" {
			return caller, nil
		}
		named := instances(in)
		if len(named) == 0 {
			return a.OfNone(tx, caller)
		}
		for _, id := range named {
			if id == a.Organization.ID && caller == a.Organization.Owner { // nearly every call: it needs no look
				owner = caller
				continue
			}
			i, err := tx.Instance(id)
			if owner, err = a.Of(tx, caller, i, err); err != nil {
				return "", err
			}
			if operation == "DescribeInstance" || operation == "DeleteInstance" { // they say themselves how it is
				continue
			}
			if err := access.NotDeleting(i); err != nil {
				return "", err
			}
		}
		return owner, nil
	}
}

// instances are the instances that a request names, at most one for each of its members. What is no ARN of something in an
// instance counts as one that does not exist.
func instances(in any) (named []arn.Instance) {
	v := reflect.ValueOf(in).Elem()
	for _, name := range naming {
		f := v.FieldByName(name)
		if f.IsValid() && f.Kind() == reflect.Pointer {
			f = f.Elem() // no value, if it was left out
		}
		if !f.IsValid() {
			continue
		}
		a, err := arn.Parse(f.String())
		_, rest, _ := strings.Cut(a.Resource, "/")
		id, _, _ := strings.Cut(rest, "/")
		if err != nil || a.Service != "sso" {
			id = ""
		}
		named = append(named, arn.Instance(id))
	}
	return named
}
