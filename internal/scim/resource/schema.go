package resource

// SchemaSchema is the URN of the documents of schemas.
const SchemaSchema = "urn:ietf:params:scim:schemas:core:2.0:Schema"

// Schemas are those of a type.
func (t *Type) Schemas() []*Schema {
	if t.Extension == nil {
		return []*Schema{t.Core}
	}
	return []*Schema{t.Core, t.Extension}
}

// Document is the schema as /Schemas tells it (RFC 7643 §7), made of the table by which resources are read and written.
func (s *Schema) Document() map[string]any {
	return map[string]any{
		"schemas": []any{SchemaSchema}, "id": s.URN, "name": s.Name, "description": s.About, "attributes": documents(s.Attributes),
		"meta": map[string]any{"resourceType": "Schema"},
	}
}

func documents(all []*Attribute) []any {
	out := []any{}
	for _, a := range all {
		if !a.Foreign && !a.Unsaid {
			out = append(out, a.document())
		}
	}
	return out
}

func (a *Attribute) document() map[string]any {
	doc := map[string]any{
		"name": a.Name, "type": string(or(a.Kind, String)), "multiValued": a.Many, "description": a.About, "required": a.Required,
		"mutability": string(or(a.Mutability, ReadWrite)), "returned": string(or(a.Returned, Default)),
	}
	if a.Kind == Complex {
		doc["subAttributes"] = documents(a.Parts)
		return doc
	}
	doc["caseExact"], doc["uniqueness"] = a.Exact, "none"
	if a.Unique {
		doc["uniqueness"] = "server"
	}
	if a.Canonical != nil {
		doc["canonicalValues"] = a.Canonical
	}
	if a.References != nil {
		doc["referenceTypes"] = a.References
	}
	return doc
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
