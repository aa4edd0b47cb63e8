package resource

import "strings"

// Kind is the data type of an attribute (RFC 7643 §2.3). The zero value is a string.
type Kind string

// The kinds.
const (
	String    Kind = "string"
	Boolean   Kind = "boolean"
	Integer   Kind = "integer"
	Decimal   Kind = "decimal"
	DateTime  Kind = "dateTime"
	Reference Kind = "reference"
	Complex   Kind = "complex"
)

// Mutability says who may write an attribute (RFC 7643 §7). The zero value is readWrite.
type Mutability string

// The mutabilities.
const (
	ReadWrite Mutability = "readWrite"
	ReadOnly  Mutability = "readOnly"
	Immutable Mutability = "immutable"
)

// Returned says when an attribute is shown. The zero value is default.
type Returned string

// The ways to be returned.
const (
	Always    Returned = "always"
	Default   Returned = "default"
	OnRequest Returned = "request"
)

// Attribute is one of a schema, or of a complex attribute.
type Attribute struct {
	Name       string
	About      string
	Kind       Kind
	Many       bool // multi-valued
	Required   bool
	Exact      bool // compared with regard to case
	Mutability Mutability
	Returned   Returned
	Unique     bool // in the server
	Canonical  []string
	References []string
	Parts      []*Attribute

	// Foreign attributes are the RFC's and not kept: the tolerant dialect takes and forgets them.
	Foreign bool
	// Unsaid attributes are taken from clients, forgotten, and in no document.
	Unsaid bool

	parts map[string]*Attribute
}

// Part is a sub-attribute by its name in any case; nil: there is none.
func (a *Attribute) Part(name string) *Attribute { return a.parts[strings.ToLower(name)] }

// Schema is a set of attributes with a URN.
type Schema struct {
	URN        string
	Name       string
	About      string
	Attributes []*Attribute

	byName map[string]*Attribute
}

// Type is a type of resources.
type Type struct {
	Name      string
	Endpoint  string
	About     string
	Core      *Schema
	Extension *Schema // nil: none
	// Tolerant types forget what they do not know; others refuse it.
	Tolerant bool

	common map[string]*Attribute
}

// URNs of schemas.
const (
	UserURN       = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupURN      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	EnterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

// prepared makes the look-ups of a table.
func prepared(t *Type) *Type {
	t.Core.byName = byName(t.Core.Attributes)
	if t.Extension != nil {
		t.Extension.byName = byName(t.Extension.Attributes)
	}
	t.common = byName([]*Attribute{
		{Name: "schemas", Kind: Reference, Many: true, Returned: Always, Mutability: ReadOnly, Exact: true},
		{Name: "id", Exact: true, Returned: Always, Mutability: ReadOnly},
		{Name: "externalId", Exact: true},
		{Name: "meta", Kind: Complex, Mutability: ReadOnly, Parts: []*Attribute{
			{Name: "resourceType", Exact: true, Mutability: ReadOnly},
			{Name: "created", Kind: DateTime, Mutability: ReadOnly},
			{Name: "lastModified", Kind: DateTime, Mutability: ReadOnly},
			{Name: "location", Kind: Reference, Exact: true, Mutability: ReadOnly},
			{Name: "version", Exact: true, Mutability: ReadOnly},
		}},
	})
	return t
}

func byName(all []*Attribute) map[string]*Attribute {
	out := make(map[string]*Attribute, len(all))
	for _, a := range all {
		if a.Parts != nil {
			a.parts = byName(a.Parts)
		}
		out[strings.ToLower(a.Name)] = a
	}
	return out
}

// attribute is one of the core schema, or one that all resources have; nil: there is none.
func (t *Type) attribute(name string) *Attribute {
	name = strings.ToLower(name)
	if a := t.Core.byName[name]; a != nil {
		return a
	}
	return t.common[name]
}

// extension is the schema of an extension by its URN in any case; nil: there is none.
func (t *Type) extension(urn string) *Schema {
	if t.Extension != nil && strings.EqualFold(t.Extension.URN, urn) {
		return t.Extension
	}
	return nil
}
