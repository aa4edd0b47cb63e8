package scim

import (
	"encoding/json"
	"fmt"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// maxValues is how many values a list has in the complete dialect; the directory checks it as well.
const maxValues = 10

// object is a part of a resource's tree; what is missing is empty.
type object map[string]any

func (o object) text(name string) string { s, _ := o[name].(string); return s }

func (o object) yes(name string) bool { b, _ := o[name].(bool); return b }

func (o object) at(name string) object { m, _ := o[name].(map[string]any); return m }

func (o object) list(name string) []object {
	all, _ := o[name].([]any)
	out := make([]object, 0, len(all))
	for _, e := range all {
		m, _ := e.(map[string]any)
		out = append(out, m)
	}
	return out
}

func (o object) typed(name string) (out []store.TypedValue) {
	for _, v := range o.list(name) {
		out = append(out, store.TypedValue{Value: v.text("value"), Type: v.text("type"), Display: v.text("display"), Primary: v.yes("primary")})
	}
	return out
}

// unblank takes from lists, in the complete dialect, what has a label and no value: a PATCH may have left it.
func (c *call) unblank(in object) {
	for _, name := range []string{"emails", "phoneNumbers", "roles", "photos", "addresses"} {
		all, isList := in[name].([]any)
		if isList && !c.strict() {
			in[name] = resource.WithoutBlanks(all)
		}
	}
}

// fill makes a record what a resource says. What SCIM does not know of stays.
func (c *call) fill(u *store.User, in object) error {
	c.unblank(in)
	if err := c.checkLists(u, in); err != nil {
		return err
	}
	u.UserName, u.DisplayName, u.NickName, u.ProfileURL = in.text("userName"), in.text("displayName"), in.text("nickName"), in.text("profileUrl")
	u.Title, u.UserType = in.text("title"), in.text("userType")
	u.PreferredLanguage, u.Locale, u.Timezone = in.text("preferredLanguage"), in.text("locale"), in.text("timezone")
	n := in.at("name")
	u.Name = store.Name{
		Formatted: n.text("formatted"), FamilyName: n.text("familyName"), GivenName: n.text("givenName"), MiddleName: n.text("middleName"),
		HonorificPrefix: n.text("honorificPrefix"), HonorificSuffix: n.text("honorificSuffix"),
	}
	u.Emails, u.PhoneNumbers, u.Roles = in.typed("emails"), in.typed("phoneNumbers"), in.typed("roles")
	if len(u.Emails) == 1 {
		u.Emails[0].Primary = true // the only one
	}
	if !c.strict() {
		u.Photos = in.typed("photos")
		fillNames(u)
	}
	u.Addresses = nil
	for _, a := range in.list("addresses") {
		u.Addresses = append(u.Addresses, store.Address{
			Formatted: a.text("formatted"), StreetAddress: a.text("streetAddress"), Locality: a.text("locality"), Region: a.text("region"),
			PostalCode: a.text("postalCode"), Country: a.text("country"), Type: a.text("type"), Primary: a.yes("primary"),
		})
	}
	if err := c.checkExternalID(in.text("externalId")); err != nil {
		return err
	}
	u.ExternalIDs = c.withExternalID(u.ExternalIDs, in.text("externalId"))
	u.Status = store.UserEnabled
	if active, ok := in["active"].(bool); ok && !active {
		u.Status = store.UserDisabled
	}
	u.Source = c.from.ID
	return fillEnterprise(u, in.at(resource.EnterpriseURN))
}

// checkLists refuses more values than the dialect has, and in AWS's a mail address that is not primary. Those that a user had before, by
// a token of the other dialect, may stay.
func (c *call) checkLists(was *store.User, in object) error {
	for name, had := range map[string]int{"emails": len(was.Emails), "addresses": len(was.Addresses), "phoneNumbers": len(was.PhoneNumbers), "roles": len(was.Roles)} {
		most := maxValues
		if c.strict() {
			most = max(1, had)
		}
		if len(in.list(name)) > most {
			return fault.Invalidf("List attribute %s exceeds allowed limit of %d", name, most)
		}
	}
	if emails := in.list("emails"); c.strict() && len(emails) == 1 && !emails[0].yes("primary") {
		return fault.Invalidf("The email must be primary.")
	}
	return nil
}

func fillEnterprise(u *store.User, in object) error {
	e := enterprise{
		EmployeeNumber: in.text("employeeNumber"), CostCenter: in.text("costCenter"), Organization: in.text("organization"), Division: in.text("division"),
		Department: in.text("department"),
	}
	if m := in.at("manager"); len(m) > 0 {
		e.Manager = &manager{m.text("value"), m.text("$ref")}
	}
	if e == (enterprise{}) {
		u.Extensions = nil
		return nil
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode extension: %w", err)
	}
	u.Extensions = map[string]json.RawMessage{directory.EnterpriseExtension: raw}
	return nil
}

// issuer is what external ids of a tenant are known by beside others'.
func (c *call) issuer() string { return c.base() }

func (c *call) externalID(all []store.ExternalID) string {
	if len(all) == 0 {
		return ""
	}
	issuer := c.issuer()
	for _, e := range all {
		if e.Issuer == issuer {
			return e.ID
		}
	}
	return ""
}

func (c *call) withExternalID(all []store.ExternalID, id string) []store.ExternalID {
	var out []store.ExternalID
	for _, e := range all {
		if e.Issuer != c.issuer() {
			out = append(out, e)
		}
	}
	if id != "" {
		out = append(out, store.ExternalID{Issuer: c.issuer(), ID: id})
	}
	return out
}
