package e2e

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storedoc "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// tfUser is aws_identitystore_user. Its user name does not change.
type tfUser struct {
	tfNode[tfUserConfig]
	id string
}

// tfUserConfig has the user's attributes by their path, and those that are lists; the provider allows one element each.
type tfUserConfig struct {
	UserName, Store           string
	Texts                     map[string]string
	Emails, Phones, Addresses []tfListed
}

// tfListed is an element of a list, by the names of an attribute operation's value.
type tfListed struct {
	Primary bool
	Parts   map[string]string
}

func (r *tfUser) principal() (admintypes.PrincipalType, string) {
	return admintypes.PrincipalTypeUser, r.id
}

func (r *tfUser) create(ctx context.Context, p *tfProvider) error {
	t := func(path string) *string { return optional(r.want.Texts[path]) }
	in := &identitystore.CreateUserInput{
		IdentityStoreId: &p.store, UserName: &r.want.UserName, DisplayName: t("displayName"), Locale: t("locale"), NickName: t("nickName"),
		PreferredLanguage: t("preferredLanguage"), ProfileUrl: t("profileUrl"), Timezone: t("timezone"), Title: t("title"), UserType: t("userType"),
		Name: &identitytypes.Name{
			FamilyName: t("name.familyName"), Formatted: t("name.formatted"), GivenName: t("name.givenName"),
			HonorificPrefix: t("name.honorificPrefix"), HonorificSuffix: t("name.honorificSuffix"), MiddleName: t("name.middleName"),
		},
	}
	for _, e := range r.want.Emails {
		in.Emails = append(in.Emails, identitytypes.Email{Primary: e.Primary, Type: optional(e.Parts["type"]), Value: optional(e.Parts["value"])})
	}
	for _, n := range r.want.Phones {
		in.PhoneNumbers = append(in.PhoneNumbers, identitytypes.PhoneNumber{Primary: n.Primary, Type: optional(n.Parts["type"]), Value: optional(n.Parts["value"])})
	}
	for _, a := range r.want.Addresses {
		in.Addresses = append(in.Addresses, identitytypes.Address{
			Primary: a.Primary, Type: optional(a.Parts["type"]), Country: optional(a.Parts["country"]), Formatted: optional(a.Parts["formatted"]),
			Locality: optional(a.Parts["locality"]), PostalCode: optional(a.Parts["postalCode"]), Region: optional(a.Parts["region"]),
			StreetAddress: optional(a.Parts["streetAddress"]),
		})
	}
	out, err := p.people.CreateUser(ctx, in)
	if err != nil {
		return err
	}
	r.id = *out.UserId
	return r.read(ctx, p)
}

func (r *tfUser) read(ctx context.Context, p *tfProvider) error {
	out, err := p.people.DescribeUser(ctx, &identitystore.DescribeUserInput{IdentityStoreId: &p.store, UserId: &r.id})
	if err != nil {
		return gone[*identitytypes.ResourceNotFoundException](err)
	}
	name := out.Name
	if name == nil {
		name = &identitytypes.Name{}
	}
	is := tfUserConfig{UserName: aws.ToString(out.UserName), Store: aws.ToString(out.IdentityStoreId), Texts: texts(map[string]*string{
		"displayName": out.DisplayName, "locale": out.Locale, "nickName": out.NickName, "preferredLanguage": out.PreferredLanguage,
		"profileUrl": out.ProfileUrl, "timezone": out.Timezone, "title": out.Title, "userType": out.UserType,
		"name.familyName": name.FamilyName, "name.formatted": name.Formatted, "name.givenName": name.GivenName,
		"name.honorificPrefix": name.HonorificPrefix, "name.honorificSuffix": name.HonorificSuffix, "name.middleName": name.MiddleName,
	})}
	for _, e := range out.Emails {
		is.Emails = append(is.Emails, tfListed{e.Primary, texts(map[string]*string{"type": e.Type, "value": e.Value})})
	}
	for _, n := range out.PhoneNumbers {
		is.Phones = append(is.Phones, tfListed{n.Primary, texts(map[string]*string{"type": n.Type, "value": n.Value})})
	}
	for _, a := range out.Addresses {
		is.Addresses = append(is.Addresses, tfListed{a.Primary, texts(map[string]*string{
			"type": a.Type, "country": a.Country, "formatted": a.Formatted, "locality": a.Locality, "postalCode": a.PostalCode,
			"region": a.Region, "streetAddress": a.StreetAddress,
		})})
	}
	return r.set(is)
}

// texts are the strings that are there.
func texts(all map[string]*string) map[string]string {
	out := map[string]string{}
	for k, v := range all {
		if v != nil {
			out[k] = *v
		}
	}
	return out
}

// update sends an operation for each attribute that differs. Without a value it takes the attribute away; of a list, all
// elements are sent.
func (r *tfUser) update(ctx context.Context, p *tfProvider) error {
	var ops []identitytypes.AttributeOperation
	op := func(path string, value any) {
		ops = append(ops, identitytypes.AttributeOperation{AttributePath: &path, AttributeValue: storedoc.NewLazyDocument(value)})
	}
	is, want := *r.is, r.want
	paths := maps.Clone(is.Texts)
	maps.Copy(paths, want.Texts)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		switch value := want.Texts[path]; {
		case value == is.Texts[path]:
		case value == "":
			op(path, nil)
		default:
			op(path, value)
		}
	}
	list := func(path string, is, want []tfListed) {
		if !cmp.Equal(is, want, cmpopts.EquateEmpty()) {
			op(path, elements(want))
		}
	}
	list("addresses", is.Addresses, want.Addresses)
	list("emails", is.Emails, want.Emails)
	list("phoneNumbers", is.Phones, want.Phones)
	if len(ops) > 0 {
		if _, err := p.people.UpdateUser(ctx, &identitystore.UpdateUserInput{IdentityStoreId: &p.store, UserId: &r.id, Operations: ops}); err != nil {
			return err
		}
	}
	return r.read(ctx, p)
}

// elements is nil, which is sent as null, for no elements.
func elements(list []tfListed) (out []any) {
	for _, e := range list {
		m := map[string]any{"primary": e.Primary}
		for k, v := range e.Parts {
			m[k] = v
		}
		out = append(out, m)
	}
	return out
}

func (r *tfUser) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.people.DeleteUser(ctx, &identitystore.DeleteUserInput{IdentityStoreId: &p.store, UserId: &r.id})
	return unlessGone[*identitytypes.ResourceNotFoundException](err)
}
