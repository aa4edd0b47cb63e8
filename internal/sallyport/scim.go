package sallyport

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// As on AWS (behaviour reference §2.1).
const (
	maxSCIMTokens   = 2
	scimTokenLife   = 365 * 24 * time.Hour
	scimTokenPrefix = "scim_"
	typeTenant      = "SCIM_TENANT"
	typeSCIMToken   = "SCIM_TOKEN"
)

// ListScimTenants lists the sources of people that come by SCIM.
func (s *Service) ListScimTenants(_ context.Context, c *endpoint.Call, in *api.ListScimTenantsRequest) (*api.ListScimTenantsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.SCIMTenants(s.Login.Store)
	if err != nil {
		return nil, fmt.Errorf("list SCIM tenants: %w", err)
	}
	rows, next := paged(all, q, func(t store.SCIMTenant) string { return t.Name })
	out := mapped(rows, s.tenantOut)
	if err := guardsOut(c.Tx, out); err != nil {
		return nil, err
	}
	return &api.ListScimTenantsResponse{ScimTenants: out, NextToken: c.NextToken(next)}, nil
}

func (s *Service) tenantOut(t store.SCIMTenant) api.ScimTenant {
	return api.ScimTenant{TenantId: t.ID, Name: t.Name, Endpoint: s.SCIM + "/" + t.ID + "/scim/v2", CreatedAt: t.CreatedAt}
}

// CreateScimTenant turns provisioning by SCIM on for a source.
func (s *Service) CreateScimTenant(_ context.Context, c *endpoint.Call, in *api.CreateScimTenantRequest) (*api.CreateScimTenantResponse, error) {
	t := store.SCIMTenant{ID: newTenantID(), StoreID: s.Login.Store, Name: in.Name, CreatedAt: c.Tx.Now(), CreatedBy: c.Caller.ARN}
	err := c.Tx.InsertSCIMTenant(t)
	if errors.Is(err, store.ErrExists) {
		return nil, fault.Conflictf("There is a source %q already.", in.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("insert SCIM tenant: %w", err)
	}
	return &api.CreateScimTenantResponse{ScimTenant: s.tenantOut(t)}, nil
}

// newTenantID is like AWS's: a UUID whose first part has eleven digits.
func newTenantID() string {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead (Go 1.24)
	return hex.EncodeToString(b[:])[:3] + arn.NewUUID()
}

// DeleteScimTenant turns provisioning off for a source. Its people stay, and can be administered here.
func (s *Service) DeleteScimTenant(_ context.Context, c *endpoint.Call, in *api.DeleteScimTenantRequest) (*api.DeleteScimTenantResponse, error) {
	t, tokens, err := s.tenant(c, in.TenantId)
	if err != nil {
		return nil, err
	}
	if len(tokens) > 0 {
		return nil, fault.Conflictf("The source has %d tokens. Delete them first.", len(tokens))
	}
	err = errors.Join(c.Tx.DeleteSCIMTenant(t.ID), c.Tx.ClearSCIMGuards(t.ID))
	return &api.DeleteScimTenantResponse{}, wrap(err, "delete SCIM tenant")
}

// tenant is a source with its tokens.
func (s *Service) tenant(c *endpoint.Call, id string) (store.SCIMTenant, []store.SCIMToken, error) {
	t, err := c.Tx.SCIMTenant(id)
	if err != nil {
		return t, nil, missing(err, typeTenant, id, "load SCIM tenant")
	}
	if t.StoreID != s.Login.Store {
		return t, nil, fault.Missing(typeTenant, id)
	}
	tokens, err := c.Tx.SCIMTokens(id)
	return t, tokens, wrap(err, "list SCIM tokens")
}

// ListScimTokens lists the tokens of a source.
func (s *Service) ListScimTokens(_ context.Context, c *endpoint.Call, in *api.ListScimTokensRequest) (*api.ListScimTokensResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken, in.TenantId)
	if err != nil {
		return nil, err
	}
	_, tokens, err := s.tenant(c, in.TenantId)
	if err != nil {
		return nil, err
	}
	rows, next := paged(tokens, q, func(t store.SCIMToken) string { return t.ID })
	return &api.ListScimTokensResponse{ScimTokens: mapped(rows, scimTokenOut), NextToken: c.NextToken(next, in.TenantId)}, nil
}

func scimTokenOut(t store.SCIMToken) api.ScimToken {
	return api.ScimToken{
		TokenId: t.ID, TenantId: t.TenantID, Dialect: api.ScimDialect(t.Dialect), Networks: append([]string{}, t.Networks...), CreatedAt: t.CreatedAt,
		ExpiresAt: t.ExpiresAt, LastUsedAt: when(t.UsedAt), LastUsedFrom: optional(t.UsedFrom),
	}
}

// CreateScimToken makes a token for a source, which is shown this once.
func (s *Service) CreateScimToken(_ context.Context, c *endpoint.Call, in *api.CreateScimTokenRequest) (*api.CreateScimTokenResponse, error) {
	tenant, tokens, err := s.tenant(c, in.TenantId)
	if err != nil {
		return nil, err
	}
	if len(tokens) >= maxSCIMTokens {
		return nil, fault.Quotaf("The source has %d tokens, as many as there may be. Delete one first.", len(tokens))
	}
	secret, hash := credential.NewBearer(scimTokenPrefix)
	t := store.SCIMToken{
		ID: arn.NewUUID(), TenantID: tenant.ID, Hash: hash, Dialect: store.StrictSCIM, CreatedAt: c.Tx.Now(), CreatedBy: c.Caller.ARN,
		ExpiresAt: c.Tx.Now().Add(scimTokenLife),
	}
	if err := changeToken(&t, in.Dialect, in.Networks); err != nil {
		return nil, err
	}
	if err := c.Tx.InsertSCIMToken(t); err != nil {
		return nil, fmt.Errorf("insert SCIM token: %w", err)
	}
	return &api.CreateScimTokenResponse{BearerToken: string(secret), ScimToken: scimTokenOut(t)}, nil
}

// changeToken sets what of a token may be chosen.
func changeToken(t *store.SCIMToken, dialect *api.ScimDialect, networks []string) error {
	if dialect != nil {
		t.Dialect = store.Dialect(*dialect) // one of the model's
	}
	if networks == nil {
		return nil
	}
	t.Networks = networks
	for _, b := range networks {
		if p, err := netip.ParsePrefix(b); err != nil || p != p.Masked() {
			return fault.Invalidf("%q is not a network such as 192.0.2.0/24 or 2001:db8::/32.", b)
		}
	}
	return nil
}

// UpdateScimToken changes a token's dialect or networks.
func (s *Service) UpdateScimToken(_ context.Context, c *endpoint.Call, in *api.UpdateScimTokenRequest) (*api.UpdateScimTokenResponse, error) {
	t, err := s.scimToken(c, in.TenantId, in.TokenId)
	if err != nil {
		return nil, err
	}
	if err := changeToken(&t, in.Dialect, in.Networks); err != nil {
		return nil, err
	}
	return &api.UpdateScimTokenResponse{ScimToken: scimTokenOut(t)}, wrap(c.Tx.UpdateSCIMToken(t), "update SCIM token")
}

// DeleteScimToken ends a token at once.
func (s *Service) DeleteScimToken(_ context.Context, c *endpoint.Call, in *api.DeleteScimTokenRequest) (*api.DeleteScimTokenResponse, error) {
	t, err := s.scimToken(c, in.TenantId, in.TokenId)
	if err != nil {
		return nil, err
	}
	return &api.DeleteScimTokenResponse{}, wrap(c.Tx.DeleteSCIMToken(t.ID), "delete SCIM token")
}

func (s *Service) scimToken(c *endpoint.Call, tenant, id string) (store.SCIMToken, error) {
	_, tokens, err := s.tenant(c, tenant)
	if err != nil {
		return store.SCIMToken{}, err
	}
	for _, t := range tokens {
		if t.ID == id {
			return t, nil
		}
	}
	return store.SCIMToken{}, fault.Missing(typeSCIMToken, id)
}
