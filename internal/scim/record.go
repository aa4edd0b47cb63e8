package scim

import (
	"encoding/json"
	"fmt"
	"time"

	"sallyport/internal/directory"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// wanted says whether what is under a name of a resource's tree is looked at; nil: all is, but for what other records hold.
type wanted func(root string) bool

func (w wanted) has(root string) bool { return w == nil || w(root) }

// builder makes trees of records. It knows the fields by name, so that a scan of many is quick.
type builder struct {
	tree map[string]any
	want wanted
}

func (b builder) text(name, value string) {
	if value != "" && b.want.has(name) {
		b.tree[name] = value
	}
}

// texts is an object of what is not empty, of names and values in turn.
func texts(pairs ...string) map[string]any {
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out[pairs[i]] = pairs[i+1]
		}
	}
	return out
}

func (b builder) typed(name string, all []store.TypedValue, display bool) {
	if len(all) == 0 || !b.want.has(name) {
		return
	}
	out := make([]any, len(all))
	for i, v := range all {
		e := texts("value", v.Value, "type", v.Type)
		if display && v.Display != "" {
			e["display"] = v.Display
		}
		if v.Primary {
			e["primary"] = true
		}
		out[i] = e
	}
	b.tree[name] = out
}

func (b builder) addresses(all []store.Address) {
	if len(all) == 0 || !b.want.has("addresses") {
		return
	}
	out := make([]any, len(all))
	for i, a := range all {
		e := texts("formatted", a.Formatted, "streetAddress", a.StreetAddress, "locality", a.Locality, "region", a.Region, "postalCode", a.PostalCode, "country", a.Country, "type", a.Type)
		if a.Primary {
			e["primary"] = true
		}
		out[i] = e
	}
	b.tree["addresses"] = out
}

// userTree is a record as a resource, without the groups of the user.
func (c *call) userTree(u *store.User, want wanted) (map[string]any, error) {
	return c.userTreeIn(u, want, !c.strict())
}

// userTreeIn is that with or without what AWS's dialect leaves out.
func (c *call) userTreeIn(u *store.User, want wanted, complete bool) (map[string]any, error) {
	b := builder{make(map[string]any, 16), want}
	urns := []any{resource.UserURN}
	raw, extended := u.Extensions[directory.EnterpriseExtension]
	if extended {
		urns = append(urns, resource.EnterpriseURN)
	}
	b.tree["schemas"], b.tree["id"] = urns, u.ID
	b.text("externalId", c.externalID(u.ExternalIDs))
	b.texts(u)
	if want.has("active") {
		b.tree["active"] = u.Status == store.UserEnabled
	}
	b.typed("emails", u.Emails, complete)
	b.typed("phoneNumbers", u.PhoneNumbers, complete)
	b.typed("roles", u.Roles, complete)
	b.addresses(u.Addresses)
	if complete {
		b.typed("photos", u.Photos, true)
	}
	if want.has("meta") {
		b.tree["meta"] = c.meta("User", "/Users/"+u.ID, u.Trail, userVersion(u))
	}
	if !extended || !want.has(resource.EnterpriseURN) {
		return b.tree, nil
	}
	e, err := enterpriseTree(raw)
	if err != nil {
		return nil, fmt.Errorf("read extension of user %s: %w", u.ID, err)
	}
	b.tree[resource.EnterpriseURN] = e
	return b.tree, nil
}

// texts are the names of a user and what else is one text.
func (b builder) texts(u *store.User) {
	b.text("userName", u.UserName)
	b.text("displayName", u.DisplayName)
	b.text("nickName", u.NickName)
	b.text("profileUrl", u.ProfileURL)
	b.text("title", u.Title)
	b.text("userType", u.UserType)
	b.text("preferredLanguage", u.PreferredLanguage)
	b.text("locale", u.Locale)
	b.text("timezone", u.Timezone)
	if n := u.Name; b.want.has("name") {
		b.tree["name"] = texts("formatted", n.Formatted, "familyName", n.FamilyName, "givenName", n.GivenName, "middleName", n.MiddleName, "honorificPrefix", n.HonorificPrefix, "honorificSuffix", n.HonorificSuffix)
	}
}

// groupTree is a record as a resource, without its members, but with the list that AWS's dialect always shows empty (case S09).
func (c *call) groupTree(g *store.Group, want wanted) map[string]any {
	b := builder{map[string]any{"schemas": []any{resource.GroupURN}, "id": g.ID}, want}
	b.text("externalId", c.externalID(g.ExternalIDs))
	b.text("displayName", g.DisplayName)
	if want.has("meta") {
		b.tree["meta"] = c.meta("Group", "/Groups/"+g.ID, g.Trail, groupVersion(g))
	}
	if c.strict() {
		b.tree["members"] = []any{}
	}
	return b.tree
}

// meta are the common attributes of a resource (RFC 7643 §3.1). AWS has no versions, and times to the second.
func (c *call) meta(kind, path string, t store.Trail, version string) map[string]any {
	form := time.RFC3339Nano
	out := map[string]any{"resourceType": kind, "location": c.base() + path}
	if c.strict() {
		form = time.RFC3339
	} else {
		out["version"] = version
	}
	out["created"], out["lastModified"] = t.CreatedAt.UTC().Format(form), t.UpdatedAt.UTC().Format(form)
	return out
}

// enterprise is the extension as records keep it.
type enterprise struct {
	EmployeeNumber string   `json:"employeeNumber,omitempty"`
	CostCenter     string   `json:"costCenter,omitempty"`
	Organization   string   `json:"organization,omitempty"`
	Division       string   `json:"division,omitempty"`
	Department     string   `json:"department,omitempty"`
	Manager        *manager `json:"manager,omitempty"`
}

type manager struct {
	Value string `json:"value,omitempty"`
	Ref   string `json:"$ref,omitempty"`
}

func enterpriseTree(raw json.RawMessage) (map[string]any, error) {
	var e enterprise
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	out := texts("employeeNumber", e.EmployeeNumber, "costCenter", e.CostCenter, "organization", e.Organization, "division", e.Division, "department", e.Department)
	if e.Manager != nil {
		out["manager"] = texts("value", e.Manager.Value, "$ref", e.Manager.Ref)
	}
	return out, nil
}

// enterpriseOf is the extension of a user; empty when there is none, or it is not understood.
func enterpriseOf(u store.User) (e enterprise) {
	_ = json.Unmarshal(u.Extensions[directory.EnterpriseExtension], &e)
	return e
}
