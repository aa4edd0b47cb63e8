package directory

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// EnterpriseExtension is the only extension that users have.
const EnterpriseExtension = "aws:identitystore:enterprise"

// Limits of a record (behaviour reference §1.2). The models of the APIs have them too, but not for every way in.
const (
	maxUserName   = 128
	maxText       = 1024
	maxExternalID = 256
	maxExtension  = 32 << 10 // bytes; ours, since the model has none
	maxValues     = 10       // of an attribute that is a list; the APIs of AWS's allow one, which is theirs to check
)

// checkUser is what Identity Center demands of a user, whoever makes one.
func checkUser(u store.User) error {
	switch {
	case u.UserName == "":
		return errRequired("UserName")
	case u.DisplayName == "":
		return errRequired("DisplayName")
	case u.Name.GivenName == "":
		return errRequired("Name.GivenName")
	case u.Name.FamilyName == "":
		return errRequired("Name.FamilyName")
	case utf8.RuneCountInString(u.UserName) > maxUserName || !allRunes(u.UserName, false):
		return fault.Invalidf("UserName must have at most %d letters, marks, symbols, numbers and punctuation.", maxUserName)
	case store.SameName(u.UserName, "Administrator") || store.SameName(u.UserName, "AWSAdministrators"):
		return fault.Invalidf("The user name %s is reserved.", u.UserName)
	}
	if _, err := time.Parse(time.DateOnly, u.Birthdate); u.Birthdate != "" && err != nil {
		return fault.Invalidf("Birthdate must be a date written as YYYY-MM-DD.")
	}
	for name, value := range u.Extensions {
		if name != EnterpriseExtension {
			return fault.Invalidf("There is no extension %s; the only one is %s.", name, EnterpriseExtension)
		}
		if len(value) > maxExtension {
			return fault.Invalidf("The extension %s is longer than %d bytes.", name, maxExtension)
		}
	}
	if err := checkCounts(u); err != nil {
		return err
	}
	if err := checkExternalIDs(u.ExternalIDs); err != nil {
		return err
	}
	return checkTexts(userTexts(u))
}

// checkGroup is what Identity Center demands of a group.
func checkGroup(g store.Group) error {
	if g.DisplayName == "" {
		return errRequired("DisplayName")
	}
	if len(g.ExternalIDs) > 10 {
		return errMany("ExternalIds", 10)
	}
	if err := checkExternalIDs(g.ExternalIDs); err != nil {
		return err
	}
	return checkTexts([]text{{"DisplayName", g.DisplayName, maxText}, {"Description", g.Description, maxText}})
}

func checkCounts(u store.User) error {
	for _, l := range []struct {
		name      string
		have, max int
	}{
		{"Emails", len(u.Emails), maxValues},
		{"Addresses", len(u.Addresses), maxValues},
		{"PhoneNumbers", len(u.PhoneNumbers), maxValues},
		{"Roles", len(u.Roles), maxValues},
		{"Photos", len(u.Photos), 3},
		{"ExternalIds", len(u.ExternalIDs), 10},
	} {
		if l.have > l.max {
			return errMany(l.name, l.max)
		}
	}
	return onePrimary(u)
}

// onePrimary refuses two values of a list that are both the primary one (RFC 7643 §2.4).
func onePrimary(u store.User) error {
	count := map[string]int{}
	for name, values := range map[string][]store.TypedValue{"Emails": u.Emails, "PhoneNumbers": u.PhoneNumbers, "Photos": u.Photos, "Roles": u.Roles} {
		for _, v := range values {
			if v.Primary {
				count[name]++
			}
		}
	}
	for _, a := range u.Addresses {
		if a.Primary {
			count["Addresses"]++
		}
	}
	for name, n := range count {
		if n > 1 {
			return fault.Invalidf("%s can have one primary value.", name)
		}
	}
	return nil
}

// OneOfEach refuses a user with more values than AWS's APIs take: one mail address, postal address, phone number and role. Those that
// the user had before, from a source that sent them, may stay.
func OneOfEach(was, u store.User) error {
	for _, l := range []struct {
		name      string
		was, have int
	}{
		{"Emails", len(was.Emails), len(u.Emails)},
		{"Addresses", len(was.Addresses), len(u.Addresses)},
		{"PhoneNumbers", len(was.PhoneNumbers), len(u.PhoneNumbers)},
		{"Roles", len(was.Roles), len(u.Roles)},
	} {
		if l.have > max(1, l.was) {
			return errMany(l.name, 1)
		}
	}
	return nil
}

// KeepDisplays gives values that a user had before the displays that they had: those of mail addresses, phone numbers and roles, which AWS's
// APIs and its dialect of SCIM neither show nor take.
func KeepDisplays(was store.User, u *store.User) {
	for _, l := range []struct{ was, have []store.TypedValue }{{was.Emails, u.Emails}, {was.PhoneNumbers, u.PhoneNumbers}, {was.Roles, u.Roles}} {
		for i, v := range l.have {
			for _, w := range l.was {
				if v.Display == "" && v.Value == w.Value && v.Type == w.Type {
					l.have[i].Display = w.Display
				}
			}
		}
	}
}

// text is an attribute whose characters are bounded in number and kind.
type text struct {
	name, value string
	max         int
}

func userTexts(u store.User) []text {
	var out []text
	add := func(name string, values ...string) {
		for _, v := range values {
			out = append(out, text{name, v, maxText})
		}
	}
	n := u.Name
	add("DisplayName", u.DisplayName)
	add("Name", n.Formatted, n.FamilyName, n.GivenName, n.MiddleName, n.HonorificPrefix, n.HonorificSuffix)
	add("NickName", u.NickName)
	add("ProfileUrl", u.ProfileURL)
	add("UserType", u.UserType)
	add("Title", u.Title)
	add("PreferredLanguage", u.PreferredLanguage)
	add("Locale", u.Locale)
	add("Timezone", u.Timezone)
	add("Website", u.Website)
	for _, l := range []struct {
		name   string
		values []store.TypedValue
	}{{"Emails", u.Emails}, {"PhoneNumbers", u.PhoneNumbers}, {"Photos", u.Photos}, {"Roles", u.Roles}} {
		for _, v := range l.values {
			add(l.name, v.Value, v.Type, v.Display)
		}
	}
	for _, a := range u.Addresses {
		add("Addresses", a.StreetAddress, a.Locality, a.Region, a.PostalCode, a.Country, a.Formatted, a.Type)
	}
	return out
}

func checkTexts(texts []text) error {
	for _, t := range texts {
		if utf8.RuneCountInString(t.value) > t.max || !allRunes(t.value, true) {
			return fault.Invalidf("%s must have at most %d letters, marks, symbols, numbers, punctuation and spaces.", t.name, t.max)
		}
	}
	return nil
}

// allRunes tells whether a text has only the characters of the model's patterns: no control and no format characters.
func allRunes(s string, spaces bool) bool {
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P):
		case spaces && strings.ContainsRune("\t\n\r \u00a0\u3000", r):
		default:
			return false
		}
	}
	return utf8.ValidString(s)
}

func errRequired(name string) error { return fault.Invalidf("%s is required.", name) }

func errMany(name string, most int) error {
	return fault.Invalidf("%s can have at most %d values.", name, most)
}
