package scim

import (
	"fmt"
	"net/http"
	"strings"

	"sallyport/internal/audit"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// me is the User of the person whose access token the request has, the one that `aws sso login` gets (RFC 7644 §3.11). A source's token
// is no person's.
func me(c *call) (answer, error) {
	var a answer
	err := c.s.DB.View(c.r.Context(), func(tx *store.Tx) (err error) {
		c.tx = tx
		scheme, bearer, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
		if bearer = strings.TrimSpace(bearer); !strings.EqualFold(scheme, "Bearer") || strings.HasPrefix(bearer, tokenPrefix) {
			if err := c.authenticate(); err != nil {
				return err
			}
			return &fault.Error{Kind: fault.NotFound, Message: "The token is a source's, not a person's: there is nobody who it is."}
		}
		a, err = c.self(bearer)
		return err
	})
	if err != nil {
		return answer{}, c.s.recordFailure(c.r.Context(), c, err)
	}
	c.s.Record(c.event)
	return a, nil
}

// self shows a person themself.
func (c *call) self(bearer string) (answer, error) {
	caller, err := c.s.Login.Sessions.Authenticate(c.tx, bearer)
	if err != nil {
		return answer{}, err
	}
	tenant, err := c.tx.SCIMTenant(c.tenant)
	if err != nil {
		return answer{}, errToken
	}
	u, err := directory.User(c.tx, tenant.StoreID, caller.UserID)
	if err != nil {
		return answer{}, errToken
	}
	c.token.Dialect = store.CompleteSCIM
	c.event.UserIdentity = audit.UserIdentity{Type: "IdentityCenterUser", AccountID: string(c.s.Owner), CredentialID: caller.ParentID, OnBehalfOf: &audit.OnBehalfOf{UserID: u.ID}}
	if c.r.Method != http.MethodGet {
		return answer{}, fault.Deniedf("People see themselves here, and change themselves in the portal.")
	}
	show, err := c.projection(resource.User)
	if err != nil {
		return answer{}, err
	}
	tree, err := c.userTree(&u, show.Wants)
	if err != nil {
		return answer{}, fmt.Errorf("show user: %w", err)
	}
	return answer{status: http.StatusOK, body: show.Apply(tree), at: c.base() + "/Users/" + u.ID, version: userVersion(&u)}, nil
}
