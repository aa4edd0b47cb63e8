package arn

import (
	"strings"

	"sallyport/internal/fault"
)

// Instance is the id of an Identity Center instance: ssoins- and 16 characters.
type Instance string

// StoreID is the id of an identity store: d- and 10 hex digits, or a UUID.
type StoreID string

// PermissionSet names a permission set: its instance, and ps- with 16 characters.
type PermissionSet struct {
	Instance Instance
	ID       string
}

// ParseInstance reads an instance ARN. Its form has been checked by the model's pattern.
func ParseInstance(s string) (Instance, error) {
	a, err := Parse(s)
	id, ok := strings.CutPrefix(a.Resource, "instance/")
	if err != nil || a.Service != "sso" || !ok {
		return "", fault.Invalidf("%q is not the ARN of an instance: expected arn:aws:sso:::instance/ssoins-…", clip(s))
	}
	return Instance(id), nil
}

// ARN is arn:aws:sso:::instance/ssoins-….
func (i Instance) ARN() string {
	return ARN{Partition, "sso", "", "", "instance/" + string(i)}.String()
}

// ParsePermissionSet reads a permission set ARN.
func ParsePermissionSet(s string) (PermissionSet, error) {
	a, err := Parse(s)
	rest, ok := strings.CutPrefix(a.Resource, "permissionSet/")
	ins, id, cut := strings.Cut(rest, "/")
	if err != nil || a.Service != "sso" || !ok || !cut {
		return PermissionSet{}, fault.Invalidf("%q is not the ARN of a permission set: expected arn:aws:sso:::permissionSet/ssoins-…/ps-…", clip(s))
	}
	return PermissionSet{Instance(ins), id}, nil
}

// ARN is arn:aws:sso:::permissionSet/ssoins-…/ps-….
func (p PermissionSet) ARN() string {
	return "arn:" + Partition + ":sso:::permissionSet/" + string(p.Instance) + "/" + p.ID // in one piece: lists have many
}

// Application names an application: the account that made it, its instance, and apl- with 16 characters.
type Application struct {
	Account  AccountID
	Instance Instance
	ID       string
}

// ParseApplication reads an application's ARN.
func ParseApplication(s string) (Application, error) {
	a, ins, id, ok := ofAccount(s, "application/")
	if !ok {
		return Application{}, fault.Invalidf("%q is not the ARN of an application: expected arn:aws:sso::ACCOUNT:application/ssoins-…/apl-…", clip(s))
	}
	return Application{a, ins, id}, nil
}

// ARN is arn:aws:sso::ACCOUNT:application/ssoins-…/apl-….
func (a Application) ARN() string {
	return ARN{Partition, "sso", "", string(a.Account), "application/" + string(a.Instance) + "/" + a.ID}.String()
}

// TokenIssuer names a trusted token issuer: the account that made it, its instance, and tti- with a UUID.
type TokenIssuer struct {
	Account  AccountID
	Instance Instance
	ID       string
}

// ParseTokenIssuer reads a trusted token issuer's ARN.
func ParseTokenIssuer(s string) (TokenIssuer, error) {
	a, ins, id, ok := ofAccount(s, "trustedTokenIssuer/")
	if !ok {
		return TokenIssuer{}, fault.Invalidf("%q is not the ARN of a trusted token issuer: expected arn:aws:sso::ACCOUNT:trustedTokenIssuer/ssoins-…/tti-…", clip(s))
	}
	return TokenIssuer{a, ins, id}, nil
}

// ARN is arn:aws:sso::ACCOUNT:trustedTokenIssuer/ssoins-…/tti-….
func (t TokenIssuer) ARN() string {
	return ARN{Partition, "sso", "", string(t.Account), "trustedTokenIssuer/" + string(t.Instance) + "/" + t.ID}.String()
}

// ofAccount reads the ARN of something of an instance that belongs to an account.
func ofAccount(s, prefix string) (account AccountID, instance Instance, id string, ok bool) {
	a, err := Parse(s)
	rest, of := strings.CutPrefix(a.Resource, prefix)
	ins, id, cut := strings.Cut(rest, "/")
	return AccountID(a.Account), Instance(ins), id, err == nil && a.Service == "sso" && of && cut
}

// ARN is arn:aws:identitystore::ACCOUNT:identitystore/d-….
func (s StoreID) ARN(owner AccountID) string {
	return ARN{Partition, "identitystore", "", string(owner), "identitystore/" + string(s)}.String()
}

// DirectoryUserARN is the ARN of a user of an identity store.
func DirectoryUserARN(id string) string {
	return ARN{Partition, "identitystore", "", "", "user/" + id}.String()
}

// DirectoryGroupARN is the ARN of a group of an identity store.
func DirectoryGroupARN(id string) string {
	return ARN{Partition, "identitystore", "", "", "group/" + id}.String()
}

// MembershipARN is the ARN of a group membership.
func MembershipARN(id string) string {
	return ARN{Partition, "identitystore", "", "", "membership/" + id}.String()
}
