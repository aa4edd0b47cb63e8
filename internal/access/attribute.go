package access

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// attributePaths are the sources of attributes for access control in a directory (behaviour reference §8).
var attributePaths = map[string]func(store.User) string{
	"userName":                             func(u store.User) string { return u.UserName },
	"name.givenName":                       func(u store.User) string { return u.Name.GivenName },
	"name.familyName":                      func(u store.User) string { return u.Name.FamilyName },
	"displayName":                          func(u store.User) string { return u.DisplayName },
	"nickName":                             func(u store.User) string { return u.NickName },
	"userType":                             func(u store.User) string { return u.UserType },
	"title":                                func(u store.User) string { return u.Title },
	"locale":                               func(u store.User) string { return u.Locale },
	"timezone":                             func(u store.User) string { return u.Timezone },
	"emails[primary eq true].value":        func(u store.User) string { return u.PrimaryEmail() },
	"phoneNumbers[type eq \"work\"].value": workPhone,
	"addresses[type eq \"work\"].streetAddress": func(u store.User) string { return workAddress(u).StreetAddress },
	"addresses[type eq \"work\"].locality":      func(u store.User) string { return workAddress(u).Locality },
	"addresses[type eq \"work\"].region":        func(u store.User) string { return workAddress(u).Region },
	"addresses[type eq \"work\"].postalCode":    func(u store.User) string { return workAddress(u).PostalCode },
	"addresses[type eq \"work\"].country":       func(u store.User) string { return workAddress(u).Country },
	"addresses[type eq \"work\"].formatted":     func(u store.User) string { return workAddress(u).Formatted },
	"enterprise.employeeNumber":                 enterprise("employeeNumber"),
	"enterprise.costCenter":                     enterprise("costCenter"),
	"enterprise.organization":                   enterprise("organization"),
	"enterprise.division":                       enterprise("division"),
	"enterprise.department":                     enterprise("department"),
	"enterprise.manager.value":                  enterprise("manager"),
}

func workPhone(u store.User) string {
	for _, n := range u.PhoneNumbers {
		if strings.EqualFold(n.Type, "work") {
			return n.Value
		}
	}
	return ""
}

func workAddress(u store.User) (found store.Address) {
	for _, a := range u.Addresses {
		if strings.EqualFold(a.Type, "work") {
			return a
		}
	}
	return found
}

func enterprise(member string) func(store.User) string {
	return func(u store.User) string {
		var all map[string]any
		if json.Unmarshal(u.Extensions[directory.EnterpriseExtension], &all) != nil {
			return ""
		}
		v := all[member]
		if m, ok := v.(map[string]any); ok {
			v = m["value"]
		}
		s, _ := v.(string)
		return s
	}
}

// checkAttributes refuses attributes that could never become tags.
func checkAttributes(list []store.AccessControlAttribute) error {
	keys := map[string]bool{}
	for _, a := range list {
		if folded := strings.ToLower(a.Key); keys[folded] {
			return fault.Invalidf("The attribute key %s is given twice. Keys of session tags are compared without case.", a.Key)
		} else if keys[folded] = true; strings.HasPrefix(folded, "aws:") {
			return fault.Invalidf("The attribute key %s begins with aws:, which is kept for AWS.", a.Key)
		}
		if path, ok := sourcePath(a.Source, "path"); ok && attributePaths[path] != nil {
			continue
		}
		if _, ok := sourcePath(a.Source, "dir"); ok { // of Active Directory: none here
			continue
		}
		return fault.Invalidf("%s is not a source of attributes. Sources are, for example, ${path:userName}, ${path:enterprise.costCenter} and ${path:emails[primary eq true].value}.", a.Source)
	}
	return nil
}

func sourcePath(source, kind string) (path string, ok bool) {
	path, ok = strings.CutPrefix(source, "${"+kind+":")
	if !ok || !strings.HasSuffix(path, "}") {
		return "", false
	}
	return path[:len(path)-1], len(path) > 1
}

// CreateAttributes turns attributes for access control on.
func CreateAttributes(tx *store.Tx, i store.Instance, list []store.AccessControlAttribute) error {
	if err := checkAttributes(list); err != nil {
		return err
	}
	err := tx.InsertAccessControl(i.ID, list)
	if errors.Is(err, store.ErrExists) {
		return fault.Conflictf("Instance %s has a configuration of access control attributes already.", i.ID)
	}
	return attributesChanged(tx, i, err)
}

// UpdateAttributes replaces the attributes for access control.
func UpdateAttributes(tx *store.Tx, i store.Instance, list []store.AccessControlAttribute) error {
	if err := checkAttributes(list); err != nil {
		return err
	}
	return attributesChanged(tx, i, tx.UpdateAccessControl(i.ID, list))
}

// DeleteAttributes turns attributes for access control off.
func DeleteAttributes(tx *store.Tx, i store.Instance) error {
	return attributesChanged(tx, i, tx.DeleteAccessControl(i.ID))
}

func attributesChanged(tx *store.Tx, i store.Instance, err error) error {
	if err != nil {
		return noAttributes(i, err)
	}
	return wrap(tx.Changed("attributes:"+string(i.ID)), "record change of attributes")
}

// Attributes are the attributes for access control, which may be none though they are on.
func Attributes(tx *store.Tx, i store.Instance) ([]store.AccessControlAttribute, error) {
	list, err := tx.AccessControl(i.ID)
	return list, noAttributes(i, err)
}

func noAttributes(i store.Instance, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fault.Missing("InstanceAccessControlAttributeConfiguration", i.ID.ARN())
	}
	return wrap(err, "instance access control attributes")
}

// maxTagValue is how many characters the value of a session tag may have (STS: tagValueType).
const maxTagValue = 256

// SessionTags are what a person's attributes make of their sessions: aws:PrincipalTag in policies. An attribute that the person
// does not have is no tag. One that can't be a tag refuses the session, as AWS does: without it, a policy might allow more.
func SessionTags(tx *store.Tx, instance arn.Instance, userID string) (map[string]string, error) {
	list, err := tx.AccessControl(instance)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(list) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err, "load access control attributes")
	}
	u, err := tx.User(userID)
	if err != nil {
		return nil, wrap(err, "load user")
	}
	tags := map[string]string{}
	for _, a := range list {
		path, _ := sourcePath(a.Source, "path")
		read := attributePaths[path]
		if read == nil {
			continue
		}
		v := read(u)
		if utf8.RuneCountInString(v) > maxTagValue || strings.ContainsFunc(v, notInTag) {
			return nil, fault.Deniedf("The attribute %s of your user can't be a session tag: it is longer than %d characters or has a character that tags do not allow. Ask your administrator to change it.", a.Key, maxTagValue)
		}
		if v != "" {
			tags[a.Key] = v
		}
	}
	return tags, nil
}

// notInTag tells of characters that a tag's value may not have: the model allows [\p{L}\p{Z}\p{N}_.:/=+\-@].
func notInTag(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
}
