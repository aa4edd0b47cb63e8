package scim

import (
	"net/http"

	"sallyport/internal/fault"
	"sallyport/internal/scim/resource"
)

// providerConfig is what the dialect can do: in AWS's what AWS's ServiceProviderConfig says (behaviour reference §2.7).
func providerConfig(c *call) (answer, error) {
	can := func(yes bool) map[string]any { return map[string]any{"supported": yes} }
	all := !c.strict()
	out := map[string]any{
		"schemas":          []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-idp.html",
		"patch":            can(true),
		"bulk":             map[string]any{"supported": false, "maxOperations": 1, "maxPayloadSize": maxBody},
		"filter":           map[string]any{"supported": true, "maxResults": maxPage},
		"changePassword":   can(false), "sort": can(all), "etag": can(all),
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "Authentication scheme using the OAuth Bearer Token Standard",
			"specUri": "https://www.rfc-editor.org/info/rfc6750", "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html", "primary": true,
		}},
	}
	if all {
		out["documentationUri"] = "https://www.rfc-editor.org/info/rfc7644"
		out["bulk"] = map[string]any{"supported": true, "maxOperations": maxBulk, "maxPayloadSize": maxLargeBody}
		out["filter"] = map[string]any{"supported": true, "maxResults": maxLargePage}
		out["pagination"] = map[string]any{ // RFC 9865 §4
			"cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": maxPage, "maxPageSize": maxLargePage, "cursorTimeout": int(cursorLife.Seconds()),
		}
		out["meta"] = map[string]any{"resourceType": "ServiceProviderConfig", "location": c.base() + "/ServiceProviderConfig"}
	}
	return answer{status: http.StatusOK, body: out}, nil
}

// types are the types of resources in the token's dialect.
func (c *call) types() []*resource.Type { return []*resource.Type{c.users(), c.groups()} }

// typeOut is the document of a type. AWS says of the extension that it is required; it is not.
func (c *call) typeOut(t *resource.Type) map[string]any {
	out := map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": t.Name, "name": t.Name, "endpoint": t.Endpoint, "description": t.About, "schema": t.Core.URN,
		"meta": map[string]any{"location": c.base() + "/ResourceTypes/" + t.Name, "resourceType": "ResourceType"},
	}
	if t.Extension != nil {
		out["schemaExtensions"] = []any{map[string]any{"schema": t.Extension.URN, "required": c.strict()}}
	}
	return out
}

func resourceTypes(c *call) (answer, error) {
	rows := []any{}
	for _, t := range c.types() {
		rows = append(rows, c.typeOut(t))
	}
	return c.documents(rows)
}

// documents are a list of what is not searched (RFC 7644 §4).
func (c *call) documents(rows []any) (answer, error) {
	if !c.strict() && c.r.URL.Query().Has("filter") {
		return answer{}, fault.Deniedf("Documents are not filtered.")
	}
	return c.answerList(asked{}, rows, nil), nil
}

func getResourceType(c *call) (answer, error) {
	for _, t := range c.types() {
		if t.Name == c.id {
			return answer{status: http.StatusOK, body: c.typeOut(t)}, nil
		}
	}
	return answer{}, fault.Missing("RESOURCE_TYPE", c.id)
}

// schemaOut is the document of a schema, made of the table that resources are read by.
func (c *call) schemaOut(s *resource.Schema) map[string]any {
	doc := s.Document()
	if !c.strict() {
		doc["meta"].(map[string]any)["location"] = c.base() + "/Schemas/" + s.URN
	}
	return doc
}

func listSchemas(c *call) (answer, error) {
	rows := []any{}
	var extensions []any
	for _, t := range c.types() {
		rows = append(rows, c.schemaOut(t.Core))
		if t.Extension != nil {
			extensions = append(extensions, c.schemaOut(t.Extension))
		}
	}
	return c.documents(append(rows, extensions...))
}

func getSchema(c *call) (answer, error) {
	for _, t := range c.types() {
		for _, s := range t.Schemas() {
			if s.URN == c.id {
				return answer{status: http.StatusOK, body: c.schemaOut(s)}, nil
			}
		}
	}
	return answer{}, fault.Missing("SCHEMA", c.id)
}
