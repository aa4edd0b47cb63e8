package scim

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"

	"sallyport/internal/fault"
)

//go:embed schema/*.json
var files embed.FS

// document is an embedded document.
func document(name string) (map[string]any, error) {
	text, err := files.ReadFile("schema/" + name + ".json")
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	var doc map[string]any
	return doc, json.Unmarshal(text, &doc)
}

// providerConfig is what AWS's ServiceProviderConfig says (behaviour reference §2.7).
func providerConfig(c *call) (answer, error) {
	no := map[string]any{"supported": false}
	return answer{http.StatusOK, map[string]any{
		"schemas":          []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/manage-your-identity-source-idp.html",
		"patch":            map[string]any{"supported": true},
		"bulk":             map[string]any{"supported": false, "maxOperations": 1, "maxPayloadSize": maxBody},
		"filter":           map[string]any{"supported": true, "maxResults": maxPage},
		"changePassword":   no, "sort": no, "etag": no,
		"authenticationSchemes": []any{map[string]any{
			"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "Authentication scheme using the OAuth Bearer Token Standard",
			"specUri": "https://www.rfc-editor.org/info/rfc6750", "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html", "primary": true,
		}},
	}, ""}, nil
}

func resourceTypes(c *call) (answer, error) {
	kind := func(id, endpoint, description, schema string, extensions ...any) map[string]any {
		out := map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": id, "name": id, "endpoint": endpoint, "description": description, "schema": schema,
			"meta": map[string]any{"location": c.base() + "/ResourceTypes/" + id, "resourceType": "ResourceType"},
		}
		if extensions != nil {
			out["schemaExtensions"] = extensions
		}
		return out
	}
	return c.answerList(asked{}, []any{
		kind("User", "/Users", "User Account", userSchema, map[string]any{"schema": enterpriseSchema, "required": true}),
		kind("Group", "/Groups", "Group", groupSchema),
	}, nil), nil
}

var schemaNames = map[string]string{userSchema: "user", groupSchema: "group", enterpriseSchema: "enterprise"}

func listSchemas(c *call) (answer, error) {
	var rows []any
	for _, urn := range []string{userSchema, groupSchema, enterpriseSchema} {
		doc, err := document(schemaNames[urn])
		if err != nil {
			return answer{}, err
		}
		rows = append(rows, doc)
	}
	return c.answerList(asked{}, rows, nil), nil
}

func getSchema(c *call) (answer, error) {
	name, ok := schemaNames[c.id]
	if !ok {
		return answer{}, fault.Missing("SCHEMA", c.id)
	}
	doc, err := document(name)
	return answer{http.StatusOK, doc, ""}, err
}
