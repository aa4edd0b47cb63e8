package identitystore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// userDoc and groupDoc are the records as the paths of attribute operations see them.
type userDoc struct {
	UserName    string `json:"userName,omitempty"`
	DisplayName string `json:"displayName,omitempty"`
	store.UserAttrs
}

type groupDoc struct {
	DisplayName string `json:"displayName,omitempty"`
	Description string `json:"description,omitempty"`
	store.GroupAttrs
}

// The attributes that may be written (wire protocols §6.3).
var (
	userPaths = []string{
		"userName", "displayName", "name", "nickName", "profileUrl", "emails", "addresses", "phoneNumbers", "userType", "title",
		"preferredLanguage", "locale", "timezone", "photos", "website", "birthdate", "roles", "externalIds",
	}
	groupPaths = []string{"displayName", "description", "externalIds"}
)

func editUser(u store.User, ops []api.AttributeOperation) (store.User, error) {
	doc, err := edit(userDoc{u.UserName, u.DisplayName, u.UserAttrs}, ops, userPaths)
	if err == nil {
		err = directory.CheckNewExternalIDs(u.ExternalIDs, doc.ExternalIDs)
	}
	u.UserName, u.DisplayName, u.UserAttrs = doc.UserName, doc.DisplayName, doc.UserAttrs
	return u, err
}

func editGroup(g store.Group, ops []api.AttributeOperation) (store.Group, error) {
	doc, err := edit(groupDoc{g.DisplayName, g.Description, g.GroupAttrs}, ops, groupPaths)
	if err == nil {
		err = directory.CheckNewExternalIDs(g.ExternalIDs, doc.ExternalIDs)
	}
	g.DisplayName, g.Description, g.GroupAttrs = doc.DisplayName, doc.Description, doc.GroupAttrs
	return g, err
}

// edit applies operations to a record by way of its JSON form, so that what they make of it is checked as a whole.
func edit[T any](v T, ops []api.AttributeOperation, paths []string) (T, error) {
	var out T
	raw, err := json.Marshal(v)
	if err != nil {
		return out, fmt.Errorf("encode record: %w", err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return out, fmt.Errorf("decode record: %w", err)
	}
	for _, op := range ops {
		if err := apply(doc, op, paths); err != nil {
			return out, err
		}
	}
	if raw, err = json.Marshal(doc); err != nil {
		return out, fmt.Errorf("encode record: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return out, fault.Invalidf("An attribute value does not have the form of its attribute: %s.", strings.TrimPrefix(err.Error(), "json: "))
	}
	return out, nil
}

// apply does one operation: a value sets or replaces, none removes.
func apply(doc map[string]any, op api.AttributeOperation, paths []string) error {
	var value any
	if len(op.AttributeValue) > 0 {
		if err := json.Unmarshal(op.AttributeValue, &value); err != nil {
			return fault.Invalidf("The value of %s is not JSON.", op.AttributePath)
		}
	}
	keys := strings.Split(op.AttributePath, ".")
	if keys[0] == directory.EnterpriseExtension && slices.Contains(paths, "name") { // only users have extensions
		return set(doc, append([]string{"extensions"}, keys...), value)
	}
	for i, k := range keys {
		keys[i] = lowerFirst(k)
	}
	if !slices.Contains(paths, keys[0]) || len(keys) > 2 || len(keys) == 2 && keys[0] != "name" {
		return fault.Invalidf("The attribute path %s is not supported.", op.AttributePath)
	}
	value, err := normal(value)
	if err != nil {
		return fault.Invalidf("The value of %s has an empty string; leave the value out to remove the attribute.", op.AttributePath)
	}
	return set(doc, keys, value)
}

// set puts a value at a path of objects, making those that are missing; nil removes what is there.
func set(doc map[string]any, keys []string, value any) error {
	for _, k := range keys[:len(keys)-1] {
		next, ok := doc[k].(map[string]any)
		if !ok {
			if doc[k] != nil {
				return fault.Invalidf("The attribute %s has no parts.", k)
			}
			next = map[string]any{}
			doc[k] = next
		}
		doc = next
	}
	last := keys[len(keys)-1]
	if value == nil {
		delete(doc, last)
	} else {
		doc[last] = value
	}
	return nil
}

// normal gives a value's objects the spelling of the record: clients also write the members' names as the other operations
// do, in upper camel case. The record has no empty strings.
func normal(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil, errEmpty
		}
	case []any:
		for i := range v {
			var err error
			if v[i], err = normal(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			e, err := normal(e)
			if err != nil {
				return nil, err
			}
			out[lowerFirst(k)] = e
		}
		return out, nil
	}
	return v, nil
}

var errEmpty = fault.Invalidf("A string is empty.")

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}
