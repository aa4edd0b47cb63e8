package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// issuer is what external ids of a tenant are known by beside others'.
func (c *call) issuer() string { return c.base() }

// userOut is a record as a resource.
func (c *call) userOut(u store.User) (user, error) {
	out := user{
		Schemas: []string{userSchema}, ID: u.ID, ExternalID: c.externalID(u.ExternalIDs), Meta: metaOf("User", c.base()+"/Users/"+u.ID, u.Trail),
		UserName: u.UserName, DisplayName: u.DisplayName, NickName: u.NickName, ProfileURL: u.ProfileURL, Title: u.Title, UserType: u.UserType,
		PreferredLanguage: u.PreferredLanguage, Locale: u.Locale, Timezone: u.Timezone, Active: new(u.Status == store.UserEnabled),
		Emails: mapped(u.Emails, typedOut), PhoneNumbers: mapped(u.PhoneNumbers, typedOut), Roles: mapped(u.Roles, typedOut),
		Addresses: mapped(u.Addresses, func(a store.Address) address {
			return address{a.Formatted, a.StreetAddress, a.Locality, a.Region, a.PostalCode, a.Country, a.Type, a.Primary}
		}),
	}
	out.Name = (*name)(&u.Name)
	if raw, ok := u.Extensions[directory.EnterpriseExtension]; ok {
		out.Schemas, out.Enterprise = append(out.Schemas, enterpriseSchema), &enterprise{}
		if err := json.Unmarshal(raw, out.Enterprise); err != nil {
			return out, fmt.Errorf("read extension of user %s: %w", u.ID, err)
		}
	}
	return out, nil
}

// enterpriseOf is the extension of a user; empty when there is none, or it is not understood.
func enterpriseOf(u store.User) (e enterprise) {
	_ = json.Unmarshal(u.Extensions[directory.EnterpriseExtension], &e)
	return e
}

func typedOut(v store.TypedValue) typed { return typed{v.Value, v.Type, v.Primary} }

func typedFrom(v typed) store.TypedValue {
	return store.TypedValue{Value: v.Value, Type: v.Type, Primary: v.Primary}
}

func mapped[In, Out any](in []In, f func(In) Out) []Out {
	var out []Out
	for _, v := range in {
		out = append(out, f(v))
	}
	return out
}

func (c *call) externalID(all []store.ExternalID) string {
	for _, e := range all {
		if e.Issuer == c.issuer() {
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

// fill makes a record what a resource says. What SCIM does not know of stays.
func (c *call) fill(u *store.User, in user) error {
	for _, err := range []error{one("emails", in.Emails), one("addresses", in.Addresses), one("phoneNumbers", in.PhoneNumbers), one("roles", in.Roles)} {
		if err != nil {
			return err
		}
	}
	if len(in.Emails) == 1 && !in.Emails[0].Primary {
		if c.token.Dialect == store.StrictSCIM {
			return fault.Invalidf("The email must be primary.")
		}
		in.Emails[0].Primary = true
	}
	u.UserName, u.DisplayName, u.NickName, u.ProfileURL, u.Title, u.UserType = in.UserName, in.DisplayName, in.NickName, in.ProfileURL, in.Title, in.UserType
	u.PreferredLanguage, u.Locale, u.Timezone = in.PreferredLanguage, in.Locale, in.Timezone
	u.Name = store.Name{}
	if in.Name != nil {
		u.Name = store.Name(*in.Name)
	}
	u.Emails, u.PhoneNumbers, u.Roles = mapped(in.Emails, typedFrom), mapped(in.PhoneNumbers, typedFrom), mapped(in.Roles, typedFrom)
	u.Addresses = mapped(in.Addresses, func(a address) store.Address {
		return store.Address{Formatted: a.Formatted, StreetAddress: a.StreetAddress, Locality: a.Locality, Region: a.Region, PostalCode: a.PostalCode, Country: a.Country, Type: a.Type, Primary: a.Primary}
	})
	if err := c.checkExternalID(in.ExternalID); err != nil {
		return err
	}
	u.ExternalIDs = c.withExternalID(u.ExternalIDs, in.ExternalID)
	u.Status = store.UserEnabled
	if in.Active != nil && !*in.Active {
		u.Status = store.UserDisabled
	}
	u.Source = c.from.ID
	return fillEnterprise(u, in.Enterprise)
}

func fillEnterprise(u *store.User, in *enterprise) error {
	if in == nil || *in == (enterprise{}) {
		u.Extensions = nil
		return nil
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode extension: %w", err)
	}
	u.Extensions = map[string]json.RawMessage{directory.EnterpriseExtension: raw}
	return nil
}

// visible is a user whom the token may see.
func (c *call) user() (store.User, error) {
	u, err := directory.User(c.tx, c.from.StoreID, c.id)
	if err == nil && u.Source != "" && u.Source != c.from.ID {
		err = fault.Missing("USER", c.id)
	}
	return u, err
}

// body reads the body as a user; nothing that is not to be written is taken from it.
func (c *call) userBody() (in user, err error) {
	if err := decode(c.tree, &in, users); err != nil {
		return in, err
	}
	if !declares(in.Schemas, userSchema) {
		return in, fault.Invalidf("schemas must have %s.", userSchema).WithReason("invalidSyntax")
	}
	if c.token.Dialect == store.StrictSCIM && len(in.Groups) > 0 {
		return in, fault.Invalidf("groups is read only: members are written at their group.").WithReason("mutability")
	}
	return in, nil
}

func createUser(c *call) (answer, error) {
	in, err := c.userBody()
	if err != nil {
		return answer{}, err
	}
	u := store.User{StoreID: c.from.StoreID}
	if err := c.fill(&u, in); err != nil {
		return answer{}, err
	}
	if err := directory.AdmitUser(c.tx, u.StoreID, c.limits); err != nil {
		return answer{}, err
	}
	if u, err = directory.CreateUser(c.tx, u, c.by()); err != nil {
		return answer{}, err
	}
	return c.answerUser(http.StatusCreated, u)
}

func (c *call) answerUser(status int, u store.User) (answer, error) {
	out, err := c.userOut(u)
	if err != nil {
		return answer{}, err
	}
	c.event.ResponseElements = map[string]any{"id": u.ID}
	if c.op.reads {
		c.event.ResponseElements = nil
	}
	return answer{status, out, out.Meta.Location}, nil
}

func getUser(c *call) (answer, error) {
	u, err := c.user()
	if err != nil {
		return answer{}, err
	}
	return c.answerUser(http.StatusOK, u)
}

// putUser replaces a user: what is left out is taken away, but for active, which stays as it is.
func putUser(c *call) (answer, error) {
	u, err := c.user()
	if err != nil {
		return answer{}, err
	}
	in, err := c.userBody()
	if err != nil {
		return answer{}, err
	}
	if in.ID != "" && in.ID != u.ID {
		return answer{}, fault.Invalidf("id cannot be changed.").WithReason("mutability")
	}
	if in.Active == nil { // a leaver is not let in again by what is not said
		in.Active = new(u.Status == store.UserEnabled)
	}
	return c.update(u, in)
}

// update writes a user. Who is disabled loses what they hold as with any other way to disable them (case S14).
func (c *call) update(u store.User, in user) (answer, error) {
	was := u.Status
	if err := c.fill(&u, in); err != nil {
		return answer{}, err
	}
	want := u.Status
	u.Status = was
	u, err := directory.UpdateUser(c.tx, u, "", c.by())
	if err == nil && want != was {
		if want == store.UserDisabled {
			err = c.s.Login.Disable(c.tx, u.ID, c.by())
		} else {
			err = c.s.Login.Enable(c.tx, u.ID, c.by())
		}
		if err == nil {
			u, err = directory.User(c.tx, u.StoreID, u.ID)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return c.answerUser(http.StatusOK, u)
}

func deleteUser(c *call) (answer, error) {
	u, err := c.user()
	if err != nil {
		return answer{}, err
	}
	if err := c.removesUser(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, directory.DeleteUser(c.tx, c.from.StoreID, u.ID, "")
}

// found are users that a filter names, or none.
func found(u store.User, err error) ([]store.User, error) {
	switch {
	case errors.Is(err, store.ErrNotFound) || fault.KindOf(err) == fault.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []store.User{u}, nil
}
