package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// user is a User resource (RFC 7643 §4.1) with the attributes that a record of the directory has.
type user struct {
	Schemas           []string    `json:"schemas,omitempty"`
	ID                string      `json:"id,omitempty"`
	ExternalID        string      `json:"externalId,omitempty"`
	Meta              *meta       `json:"meta,omitempty"`
	UserName          string      `json:"userName,omitempty"`
	Name              *name       `json:"name,omitempty"`
	DisplayName       string      `json:"displayName,omitempty"`
	NickName          string      `json:"nickName,omitempty"`
	ProfileURL        string      `json:"profileUrl,omitempty"`
	Title             string      `json:"title,omitempty"`
	UserType          string      `json:"userType,omitempty"`
	PreferredLanguage string      `json:"preferredLanguage,omitempty"`
	Locale            string      `json:"locale,omitempty"`
	Timezone          string      `json:"timezone,omitempty"`
	Active            *bool       `json:"active,omitempty"`
	Emails            []typed     `json:"emails,omitempty"`
	Addresses         []address   `json:"addresses,omitempty"`
	PhoneNumbers      []typed     `json:"phoneNumbers,omitempty"`
	Roles             []typed     `json:"roles,omitempty"`
	Groups            []any       `json:"groups,omitempty"` // read only: taken from clients that send back what they read, and dropped
	Enterprise        *enterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
}

type name struct {
	Formatted       string `json:"formatted,omitempty"`
	FamilyName      string `json:"familyName,omitempty"`
	GivenName       string `json:"givenName,omitempty"`
	MiddleName      string `json:"middleName,omitempty"`
	HonorificPrefix string `json:"honorificPrefix,omitempty"`
	HonorificSuffix string `json:"honorificSuffix,omitempty"`
}

type typed struct {
	Value   string `json:"value,omitempty"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

type address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"streetAddress,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postalCode,omitempty"`
	Country       string `json:"country,omitempty"`
	Type          string `json:"type,omitempty"`
	Primary       bool   `json:"primary,omitempty"`
}

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

// group is a Group resource (RFC 7643 §4.2).
type group struct {
	Schemas     []string `json:"schemas,omitempty"`
	ID          string   `json:"id,omitempty"`
	ExternalID  string   `json:"externalId,omitempty"`
	Meta        *meta    `json:"meta,omitempty"`
	DisplayName string   `json:"displayName,omitempty"`
	Members     []member `json:"members,omitzero"` // AWS's dialect always has an empty list
}

type member struct {
	Value string `json:"value"`
	Ref   string `json:"$ref,omitempty"`
	Type  string `json:"type,omitempty"`
}

type meta struct {
	ResourceType string `json:"resourceType,omitempty"`
	Created      string `json:"created,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Location     string `json:"location,omitempty"`
	Version      string `json:"version,omitempty"`
}

func metaOf(kind, location string, t store.Trail) *meta {
	return &meta{ResourceType: kind, Created: t.CreatedAt.UTC().Format(time.RFC3339), LastModified: t.UpdatedAt.UTC().Format(time.RFC3339), Location: location}
}

// decode binds a tree to a resource. Names are taken in any case (RFC 7643 §2.1), and booleans as texts, as clients send them.
func decode(tree map[string]any, resource any, known *schema) error {
	spelled, err := known.spell(tree, "")
	if err != nil {
		return err
	}
	raw, err := json.Marshal(spelled)
	if err != nil {
		return fmt.Errorf("encode resource: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(resource); err != nil {
		return errSyntax()
	}
	return nil
}

// treeOf is a resource as a tree, for operations on its parts.
func treeOf(resource any) (map[string]any, error) {
	raw, err := json.Marshal(resource)
	if err != nil {
		return nil, fmt.Errorf("encode resource: %w", err)
	}
	var tree map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return tree, d.Decode(&tree)
}

// schema is the names of a resource's attributes and of their parts, by their names in lower case.
type schema struct {
	attributes map[string]attribute
}

type attribute struct {
	name     string // as it is spelled
	boolean  bool
	multiple bool
	parts    map[string]attribute
	refused  bool // of the RFC, and not here
}

func simple(names ...string) map[string]attribute {
	out := map[string]attribute{}
	for _, n := range names {
		out[strings.ToLower(n)] = attribute{name: n, boolean: n == "primary"}
	}
	return out
}

func with(all map[string]attribute, more ...attribute) map[string]attribute {
	for _, a := range more {
		all[strings.ToLower(a.name)] = a
	}
	return all
}

var values = simple("value", "type", "primary", "display")

// users and groups are what may be said of each.
var users = &schema{with(
	simple("schemas", "id", "externalId", "meta", "userName", "displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone"),
	attribute{name: "active", boolean: true},
	attribute{name: "name", parts: simple("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")},
	attribute{name: "emails", multiple: true, parts: values}, attribute{name: "phoneNumbers", multiple: true, parts: values},
	attribute{name: "roles", multiple: true, parts: values},
	attribute{name: "addresses", multiple: true, parts: simple("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary")},
	attribute{name: "groups", multiple: true, parts: simple("value", "$ref", "display", "type")},
	attribute{name: enterpriseSchema, parts: with(simple("employeeNumber", "costCenter", "organization", "division", "department"),
		attribute{name: "manager", parts: simple("value", "$ref", "displayName")})},
	attribute{name: "password", refused: true}, attribute{name: "ims", refused: true}, attribute{name: "photos", refused: true},
	attribute{name: "x509Certificates", refused: true}, attribute{name: "entitlements", refused: true},
)}

var groups = &schema{with(simple("schemas", "id", "externalId", "meta", "displayName"),
	attribute{name: "members", multiple: true, parts: simple("value", "$ref", "type", "display")},
)}

// spell gives names their spelling, makes booleans of texts, and drops what is null, which is as if it were absent (RFC 7643 §2.5).
func (s *schema) spell(tree map[string]any, _ string) (map[string]any, error) {
	return spell(tree, s.attributes)
}

func spell(tree map[string]any, known map[string]attribute) (map[string]any, error) {
	out := make(map[string]any, len(tree))
	for k, v := range tree {
		a, ok := known[strings.ToLower(k)]
		switch {
		case !ok || a.refused:
			return nil, fault.Invalidf("The attribute %s is not supported.", clip(k))
		case v == nil:
			continue
		}
		if _, twice := out[a.name]; twice {
			return nil, errSyntax()
		}
		v, err := a.spell(v)
		if err != nil {
			return nil, err
		}
		out[a.name] = v
	}
	return out, nil
}

func (a attribute) spell(v any) (any, error) {
	switch {
	case a.name == "meta" || a.name == "schemas":
		return v, nil
	case a.boolean:
		return truth(a.name, v)
	case a.multiple:
		all, ok := v.([]any)
		if !ok {
			all = []any{v} // one, by clients that send no list
		}
		out := make([]any, 0, len(all))
		for _, e := range all {
			if text, ok := e.(string); ok { // its value alone
				e = map[string]any{"value": text}
			}
			part, ok := e.(map[string]any)
			if !ok {
				return nil, errSyntax()
			}
			spelled, err := spell(part, a.parts)
			if err != nil {
				return nil, err
			}
			delete(spelled, "display") // read only, and derived
			out = append(out, spelled)
		}
		return out, nil
	case a.parts != nil:
		part, ok := v.(map[string]any)
		if text, isText := v.(string); isText && a.name == "manager" { // its value alone, as Entra has it
			part, ok = map[string]any{"value": text}, true
		}
		if !ok {
			return nil, errSyntax()
		}
		spelled, err := spell(part, a.parts)
		if a.name == "manager" {
			delete(spelled, "displayName")
		}
		return spelled, err
	}
	return v, nil
}

// truth reads a boolean, also as a text (case S02).
func truth(attribute string, v any) (any, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if b, err := strconv.ParseBool(strings.ToLower(v)); err == nil && len(v) > 1 {
			return b, nil
		}
	}
	return nil, fault.Invalidf("%s must be true or false.", attribute).WithReason("invalidValue")
}

func clip(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strconv.QuoteToASCII(s)
}

// one refuses lists that AWS allows one element of.
func one[T any](attribute string, all []T) error {
	if len(all) > 1 {
		return fault.Invalidf("List attribute %s exceeds allowed limit of 1", attribute)
	}
	return nil
}

func declares(schemas []string, urn string) bool {
	return len(schemas) == 0 || slices.Contains(schemas, urn)
}
