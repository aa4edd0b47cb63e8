package application

import (
	"errors"
	"net/url"
	"slices"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// userAttributes are what a token's claim may be compared with.
var userAttributes = []string{"userName", "emails.value", "externalId"}

// Issuer is the trusted token issuer with the ARN.
func Issuer(tx *store.Tx, id arn.TokenIssuer) (store.TokenIssuer, error) {
	t, err := tx.TokenIssuer(id.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && t.TokenIssuer != id {
		return store.TokenIssuer{}, fault.Missing("TrustedTokenIssuer", id.ARN())
	}
	return t, wrap(err, "load trusted token issuer")
}

// CreateIssuer adds a trusted token issuer. Neither its name nor its URL may be taken in the instance.
func CreateIssuer(tx *store.Tx, i store.Instance, owner arn.AccountID, t store.TokenIssuer, limits quota.Limits) (store.TokenIssuer, error) {
	if err := checkIssuer(t); err != nil {
		return t, err
	}
	if u, err := url.Parse(t.URL); err != nil || u.Host == "" || u.RawQuery != "" || u.Port() != "" && u.Port() != "80" && u.Port() != "443" {
		return t, fault.Invalidf("%q is not the URL of a token issuer: expected https://HOST/PATH, at port 80 or 443.", t.URL)
	}
	others, _, err := tx.TokenIssuers(i.ID, page.Query{Limit: quota.Most(quota.TokenIssuers)})
	if err != nil {
		return t, wrap(err, "list trusted token issuers")
	}
	for _, o := range others {
		if o.Name == t.Name || o.URL == t.URL { // before the quota
			return t, fault.Conflictf("A trusted token issuer with this name or issuer URL exists already: %s.", o.Name)
		}
	}
	if limits.Exceeds(quota.TokenIssuers, len(others)+1) {
		return t, limits.Reached(quota.TokenIssuers)
	}
	t.TokenIssuer, t.CreatedAt = arn.NewTokenIssuer(owner, i.ID), tx.Now()
	err = tx.InsertTokenIssuer(t)
	if errors.Is(err, store.ErrExists) {
		return t, fault.Conflictf("A trusted token issuer with the name %s exists already.", t.Name)
	}
	return t, wrap(err, "insert trusted token issuer")
}

// UpdateIssuer writes a trusted token issuer that has been changed. Its URL can't change.
func UpdateIssuer(tx *store.Tx, t store.TokenIssuer) error {
	if err := checkIssuer(t); err != nil {
		return err
	}
	others, _, err := tx.TokenIssuers(t.Instance, page.Query{Limit: quota.Most(quota.TokenIssuers)})
	if err != nil {
		return wrap(err, "list trusted token issuers")
	}
	for _, o := range others {
		if o.Name == t.Name && o.ID != t.ID {
			return fault.Conflictf("A trusted token issuer with the name %s exists already.", t.Name)
		}
	}
	return wrap(tx.UpdateTokenIssuer(t), "update trusted token issuer")
}

func checkIssuer(t store.TokenIssuer) error {
	if !slices.Contains(userAttributes, t.Attribute) {
		return fault.Invalidf("IdentityStoreAttributePath must be one of userName, emails.value and externalId, not %s.", t.Attribute)
	}
	return nil
}

// DeleteIssuer removes a trusted token issuer. Applications that took its tokens take them no more.
func DeleteIssuer(tx *store.Tx, t store.TokenIssuer) error {
	if err := tx.DeleteTags(t.ARN()); err != nil {
		return wrap(err, "delete tags of trusted token issuer")
	}
	return wrap(tx.DeleteTokenIssuer(t.ID), "delete trusted token issuer")
}
