package scim

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// tokenPrefix is how tokens of sources begin.
const tokenPrefix = "scim_"

// usedEvery is how exactly the last use of a token is kept.
const usedEvery = time.Hour

var errToken = fault.Newf(fault.Unauthenticated, "The bearer token is missing, unknown, expired, or of another tenant.")

// authenticate finds the token and its tenant.
func (c *call) authenticate() error {
	scheme, text, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" || len(text) > 256 {
		return errToken
	}
	caller, err := c.tx.SCIMCaller(credential.HashBearer(strings.TrimSpace(text)))
	token, tenant := caller.Token, caller.Tenant
	if errors.Is(err, store.ErrNotFound) || err == nil && (token.TenantID != c.tenant || !c.tx.Now().Before(token.ExpiresAt)) {
		return errToken
	}
	if err != nil {
		return fmt.Errorf("load token: %w", err)
	}
	c.token, c.from = token, tenant
	c.event.UserIdentity = audit.UserIdentity{Type: "WebIdentityUser", PrincipalID: token.ID, AccountID: string(c.s.Owner), UserName: tenant.Name}
	if ip, _ := c.s.Origin(c.r); !within(ip, token.Networks) {
		c.event.AdditionalEventData = map[string]any{"tokenRefused": "OUTSIDE_NETWORKS"} // somebody may have stolen it
		return fault.Deniedf("The token is not good from this address.")
	}
	return c.inDialect()
}

// within says whether an address is in one of the blocks; none: anywhere.
func within(ip string, blocks []string) bool {
	if len(blocks) == 0 {
		return true
	}
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	for _, b := range blocks {
		if p, err := netip.ParsePrefix(b); err == nil && p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// used keeps when and from where a token was used last. That this fails is told to the log alone: the request is done.
func (s *Server) used(ctx context.Context, c *call) {
	now := s.DB.Now()
	if now.Sub(c.token.UsedAt) < usedEvery {
		return
	}
	ctx = context.WithoutCancel(ctx)
	err := s.DB.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.SCIMTokenByHash(c.token.Hash)
		if err != nil {
			return err
		}
		t.UsedAt = now
		t.UsedFrom, _ = s.Origin(c.r)
		return tx.UpdateSCIMToken(t)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.Log.WarnContext(ctx, "last use of a SCIM token is not kept", "error", err)
	}
}

// newEvent begins the event of a request, by nobody until the token is known. Values of people are masked.
func (s *Server) newEvent(c *call, id string) *audit.Event {
	ip, agent := s.Origin(c.r)
	connection := audit.TLSOf(c.r)
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "Unknown"}, EventSource: "identitystore-scim.amazonaws.com", EventName: c.op.name, EventType: "AwsApiCall",
		AWSRegion: s.Region, SourceIPAddress: ip, UserAgent: agent, RequestID: id, ReadOnly: c.op.reads, RecipientAccountID: string(s.Owner),
		RequestParameters: c.parameters(), TLSDetails: &connection,
	}
}

// parameters are what is kept of a request.
func (c *call) parameters() map[string]any {
	out := map[string]any{"tenantId": c.tenant}
	if c.id != "" {
		out["id"] = c.id
	}
	if c.tree != nil {
		out["httpBody"] = masked(c.tree)
	}
	return out
}

// maxKept is how many elements of a list are kept on record: the members who change have events of their own.
const maxKept = 100

// open are the members of bodies whose texts say nothing of anybody.
var open = map[string]bool{"op": true, "id": true}

var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"?`)

// masked is a body as it is kept on record: which members, not whose. Paths, which may be names of members too, keep their form
// without what their filters compare with.
func masked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			text, isText := e.(string)
			switch {
			case isText && open[k]:
				out[k] = e
			case isText && k == "path":
				out[k] = quoted.ReplaceAllString(text, `"…"`)
			default:
				out[quoted.ReplaceAllString(k, `"…"`)] = masked(e)
			}
		}
		return out
	case []any:
		out := make([]any, min(len(v), maxKept))
		for i := range out {
			out[i] = masked(v[i])
		}
		if more := len(v) - len(out); more > 0 {
			out = append(out, fmt.Sprintf("and %d more", more))
		}
		return out
	case nil, bool:
		return v
	}
	return audit.Hidden
}
