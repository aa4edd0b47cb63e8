package scimpush

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"sallyport/internal/directory"
	"sallyport/internal/store"
)

// Schemas and messages by their URNs.
const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	patchMessage     = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// person is a User resource (RFC 7643 §4.1) as it is pushed, and what is read of one.
type person struct {
	Schemas           []string    `json:"schemas,omitempty"`
	ID                string      `json:"id,omitempty"` // read, never written
	ExternalID        string      `json:"externalId,omitempty"`
	UserName          string      `json:"userName"`
	Name              name        `json:"name"`
	DisplayName       string      `json:"displayName,omitempty"`
	NickName          string      `json:"nickName,omitempty"`
	ProfileURL        string      `json:"profileUrl,omitempty"`
	Title             string      `json:"title,omitempty"`
	UserType          string      `json:"userType,omitempty"`
	PreferredLanguage string      `json:"preferredLanguage,omitempty"`
	Locale            string      `json:"locale,omitempty"`
	Timezone          string      `json:"timezone,omitempty"`
	Active            truth       `json:"active"`
	Emails            []typed     `json:"emails,omitempty"`
	PhoneNumbers      []typed     `json:"phoneNumbers,omitempty"`
	Roles             []typed     `json:"roles,omitempty"`
	Addresses         []address   `json:"addresses,omitempty"`
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
	Primary truth  `json:"primary,omitempty"`
}

type address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"streetAddress,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postalCode,omitempty"`
	Country       string `json:"country,omitempty"`
	Type          string `json:"type,omitempty"`
	Primary       truth  `json:"primary,omitempty"`
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
}

// team is a Group resource (RFC 7643 §4.2).
type team struct {
	Schemas     []string `json:"schemas,omitempty"`
	ID          string   `json:"id,omitempty"`
	ExternalID  string   `json:"externalId,omitempty"`
	DisplayName string   `json:"displayName"`
	Members     []member `json:"members,omitempty"` // read, never written
}

type member struct {
	Value string `json:"value"`
}

// truth is a boolean, which some servers write as a text.
type truth bool

// UnmarshalJSON reads both.
func (t *truth) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(string(bytes.Trim(b, `"`))) {
	case "true":
		*t = true
	case "false", "null":
		*t = false
	default:
		return fmt.Errorf("%.10q is neither true nor false", b)
	}
	return nil
}

// personOf is a user as a target gets them. Its external id there is the id here, by which it is known again.
func personOf(t store.SCIMTarget, u store.User) person {
	p := person{
		Schemas: []string{userSchema}, ExternalID: u.ID, UserName: u.UserName, Name: name(u.Name), DisplayName: u.DisplayName, NickName: u.NickName, ProfileURL: u.ProfileURL,
		Title: u.Title, UserType: u.UserType, PreferredLanguage: u.PreferredLanguage, Locale: u.Locale, Timezone: u.Timezone, Active: u.Status == store.UserEnabled,
		Emails: typedOf(u.Emails), PhoneNumbers: typedOf(u.PhoneNumbers), Roles: typedOf(u.Roles),
	}
	for _, a := range u.Addresses {
		p.Addresses = append(p.Addresses, address{a.Formatted, a.StreetAddress, a.Locality, a.Region, a.PostalCode, a.Country, a.Type, truth(a.Primary)})
	}
	if raw, ok := u.Extensions[directory.EnterpriseExtension]; ok {
		e := &enterprise{}
		if err := json.Unmarshal(raw, e); err == nil && *e != (enterprise{}) { // what is not the extension's is not pushed
			p.Schemas, p.Enterprise = append(p.Schemas, enterpriseSchema), e
		}
	}
	if t.Dialect == store.StrictSCIM {
		p.strict()
	}
	return p
}

// strict leaves what AWS takes: one value of each list, a primary mail address, and all names (behaviour reference §2.3).
func (p *person) strict() {
	primary := func(v typed) bool { return bool(v.Primary) }
	p.Emails, p.PhoneNumbers, p.Roles = oneOf(p.Emails, primary), oneOf(p.PhoneNumbers, primary), oneOf(p.Roles, primary)
	p.Addresses = oneOf(p.Addresses, func(a address) bool { return bool(a.Primary) })
	for i := range p.Emails {
		p.Emails[i].Primary = true
	}
	if p.DisplayName == "" {
		p.DisplayName = p.UserName
	}
	if p.Name.GivenName == "" {
		p.Name.GivenName = p.DisplayName
	}
	if p.Name.FamilyName == "" {
		p.Name.FamilyName = p.DisplayName
	}
}

// oneOf is the primary one of a list, or its first.
func oneOf[T any](all []T, primary func(T) bool) []T {
	for _, v := range all {
		if primary(v) {
			return []T{v}
		}
	}
	return all[:min(len(all), 1)]
}

func typedOf(all []store.TypedValue) (out []typed) {
	for _, v := range all {
		out = append(out, typed{v.Value, v.Type, truth(v.Primary)})
	}
	return out
}

func teamOf(g store.Group) team {
	return team{Schemas: []string{groupSchema}, ExternalID: g.ID, DisplayName: g.DisplayName}
}

// hashOf tells forms apart. Whether a person is let in is kept beside it.
func hashOf(form any) string {
	if p, ok := form.(person); ok {
		p.Active = false
		form = p
	}
	raw, err := json.Marshal(form)
	if err != nil {
		return "" // which is no form's: it is pushed again
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// left is in the place of the hash of a user who has left and is kept out.
const left = "left"

// same says whether what is there is what is wanted, but for whether the person is let in. What a server adds to a name is its own affair,
// and whether it holds the only one of a list to be the primary one, as we do of mail addresses.
func (p person) same(there person) bool {
	if p.Name.Formatted == "" {
		there.Name.Formatted = ""
	}
	there.ID, there.Schemas, there.Active = "", p.Schemas, p.Active
	if there.Enterprise != nil && *there.Enterprise == (enterprise{}) {
		there.Enterprise = nil
	}
	for want, l := range map[*[]typed]*[]typed{&p.Emails: &there.Emails, &p.PhoneNumbers: &there.PhoneNumbers, &p.Roles: &there.Roles} {
		switch {
		case len(*l) == 0:
			*l = nil
		case len(*l) == 1 && len(*want) == 1:
			(*l)[0].Primary = (*want)[0].Primary
		}
	}
	if len(there.Addresses) == 0 {
		there.Addresses = nil
	}
	return reflect.DeepEqual(p, there)
}

func (g team) same(there team) bool {
	return g.ExternalID == there.ExternalID && g.DisplayName == there.DisplayName
}

// operation is one of a PATCH (RFC 7644 §3.5.2).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

type patch struct {
	Schemas    []string    `json:"schemas"`
	Operations []operation `json:"Operations"`
}

func patchOf(ops ...operation) patch { return patch{[]string{patchMessage}, ops} }

// quoted is a value of a filter, which is JSON's (RFC 7644 §3.4.2.2).
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string: it cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}
