package main

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/store"
)

// scimTenant is the tenant of every world that speaks SCIM.
const scimTenant = "00000000000-0000-4000-8000-000000000000"

const (
	userSchema  = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"
	patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// scimServer is where SCIM is spoken, ours or another's, and by which token.
type scimServer struct {
	addr, base string
	token      credential.Secret
}

// addToken adds a token of a dialect, with the tenant, if it is the first.
func addToken(tx *store.Tx, w world, dialect store.Dialect) (credential.Secret, error) {
	secret, hash := credential.NewBearer("scim_")
	if _, err := tx.SCIMTenant(scimTenant); err != nil {
		err := tx.InsertSCIMTenant(store.SCIMTenant{ID: scimTenant, StoreID: arn.StoreID(w.StoreID), Name: "bench", CreatedAt: tx.Now(), CreatedBy: "bench"})
		if err != nil {
			return "", fmt.Errorf("add tenant: %w", err)
		}
	}
	return secret, tx.InsertSCIMToken(store.SCIMToken{
		ID: arn.NewUUID(), TenantID: scimTenant, Hash: hash, Dialect: dialect, CreatedAt: tx.Now(), CreatedBy: "bench", ExpiresAt: tx.Now().Add(24 * time.Hour),
	})
}

// request is a call as it goes over the wire.
func (s scimServer) request(method, path, body string) []byte {
	out := fmt.Appendf(nil, "%s %s%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n", method, s.base, path, s.addr, string(s.token))
	if body != "" {
		out = fmt.Appendf(out, "Content-Type: application/scim+json\r\nContent-Length: %d\r\n", len(body))
	}
	return append(append(out, "\r\n"...), body...)
}

// createUser is what a directory sends of a person.
func (s scimServer) createUser(i int) []byte {
	return s.request("POST", "/Users", fmt.Sprintf(`{"schemas": ["%s"], "userName": "person%d@example.com", "externalId": "ext-%d", "name": {"givenName": "Given%[2]d", "familyName": "Family"}, `+
		`"displayName": "Given%[2]d Family", "emails": [{"value": "person%[2]d@example.com", "type": "work", "primary": true}], "active": true}`, userSchema, i, i))
}

func (s scimServer) createGroup(i int) []byte {
	return s.request("POST", "/Groups", fmt.Sprintf(`{"schemas": ["%s"], "displayName": "Team %d", "externalId": "team-%[2]d"}`, groupSchema, i))
}

// join puts one user into a group.
func (s scimServer) join(group, user string) []byte {
	return s.request("PATCH", "/Groups/"+group, fmt.Sprintf(`{"schemas": ["%s"], "Operations": [{"op": "add", "path": "members", "value": [{"value": "%s"}]}]}`, patchSchema, user))
}

// leave takes one user out of a group.
func (s scimServer) leave(group, user string) []byte {
	return s.request("PATCH", "/Groups/"+group, fmt.Sprintf(`{"schemas": ["%s"], "Operations": [{"op": "remove", "path": "members", "value": [{"value": "%s"}]}]}`, patchSchema, user))
}

// named asks for the user of a name.
func (s scimServer) named(userName string) []byte {
	return s.request("GET", "/Users?filter="+strings.ReplaceAll(url.QueryEscape(fmt.Sprintf("userName eq %q", userName)), "+", "%20"), "")
}

// madeID is the id in the answer of a POST.
func madeID(body []byte) (string, error) {
	_, after, _ := bytes.Cut(body, []byte(`"id":"`))
	id, _, found := bytes.Cut(after, []byte(`"`))
	if !found {
		return "", fmt.Errorf("an answer has no id: %.200s", body)
	}
	return string(id), nil
}
