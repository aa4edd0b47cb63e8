package identitystore

import (
	"encoding/json"

	api "sallyport/internal/awsapi/identitystore"
	"sallyport/internal/store"
)

// userFrom is the record of a user as a request describes it.
func userFrom(in *api.CreateUserRequest) store.User {
	u := store.User{UserName: value(in.UserName), DisplayName: value(in.DisplayName), UserAttrs: store.UserAttrs{
		NickName: value(in.NickName), ProfileURL: value(in.ProfileUrl), UserType: value(in.UserType), Title: value(in.Title),
		PreferredLanguage: value(in.PreferredLanguage), Locale: value(in.Locale), Timezone: value(in.Timezone),
		Website: value(in.Website), Birthdate: value(in.Birthdate), Extensions: in.Extensions,
		Emails: mapped(in.Emails, func(v api.Email) store.TypedValue {
			return store.TypedValue{Value: value(v.Value), Type: value(v.Type), Primary: isTrue(v.Primary)}
		}),
		PhoneNumbers: mapped(in.PhoneNumbers, func(v api.PhoneNumber) store.TypedValue {
			return store.TypedValue{Value: value(v.Value), Type: value(v.Type), Primary: isTrue(v.Primary)}
		}),
		Roles: mapped(in.Roles, func(v api.Role) store.TypedValue {
			return store.TypedValue{Value: value(v.Value), Type: value(v.Type), Primary: isTrue(v.Primary)}
		}),
		Photos: mapped(in.Photos, func(v api.Photo) store.TypedValue {
			return store.TypedValue{Value: v.Value, Type: value(v.Type), Display: value(v.Display), Primary: isTrue(v.Primary)}
		}),
		Addresses: mapped(in.Addresses, addressFrom),
	}}
	if n := in.Name; n != nil {
		u.Name = store.Name{
			Formatted: value(n.Formatted), FamilyName: value(n.FamilyName), GivenName: value(n.GivenName),
			MiddleName: value(n.MiddleName), HonorificPrefix: value(n.HonorificPrefix), HonorificSuffix: value(n.HonorificSuffix),
		}
	}
	return u
}

// userOut is a user as answers describe it, with those of its extensions that were asked for.
func userOut(u store.User, extensions []string) api.User {
	n := u.Name
	return api.User{
		IdentityStoreId: string(u.StoreID), UserId: u.ID, UserArn: u.ARN(), Revision: store.RevisionText(u.Revision),
		UserName: new(u.UserName), DisplayName: new(u.DisplayName), UserStatus: new(api.UserStatus(u.Status)),
		Name: &api.Name{
			Formatted: optional(n.Formatted), FamilyName: optional(n.FamilyName), GivenName: optional(n.GivenName),
			MiddleName: optional(n.MiddleName), HonorificPrefix: optional(n.HonorificPrefix), HonorificSuffix: optional(n.HonorificSuffix),
		},
		NickName: optional(u.NickName), ProfileUrl: optional(u.ProfileURL), UserType: optional(u.UserType), Title: optional(u.Title),
		PreferredLanguage: optional(u.PreferredLanguage), Locale: optional(u.Locale), Timezone: optional(u.Timezone),
		Website: optional(u.Website), Birthdate: optional(u.Birthdate), Extensions: asked(u.Extensions, extensions),
		Emails: mapped(u.Emails, func(v store.TypedValue) api.Email {
			return api.Email{Value: optional(v.Value), Type: optional(v.Type), Primary: &v.Primary}
		}),
		PhoneNumbers: mapped(u.PhoneNumbers, func(v store.TypedValue) api.PhoneNumber {
			return api.PhoneNumber{Value: optional(v.Value), Type: optional(v.Type), Primary: &v.Primary}
		}),
		Roles: mapped(u.Roles, func(v store.TypedValue) api.Role {
			return api.Role{Value: optional(v.Value), Type: optional(v.Type), Primary: &v.Primary}
		}),
		Photos: mapped(u.Photos, func(v store.TypedValue) api.Photo {
			return api.Photo{Value: v.Value, Type: optional(v.Type), Display: optional(v.Display), Primary: &v.Primary}
		}),
		Addresses:   mapped(u.Addresses, addressOut),
		ExternalIds: mapped(u.ExternalIDs, externalIDOut),
		CreatedAt:   timestamp(u.CreatedAt), CreatedBy: optional(u.CreatedBy), UpdatedAt: timestamp(u.UpdatedAt), UpdatedBy: optional(u.UpdatedBy),
	}
}

func addressFrom(a api.Address) store.Address {
	return store.Address{
		StreetAddress: value(a.StreetAddress), Locality: value(a.Locality), Region: value(a.Region), PostalCode: value(a.PostalCode),
		Country: value(a.Country), Formatted: value(a.Formatted), Type: value(a.Type), Primary: isTrue(a.Primary),
	}
}

func addressOut(a store.Address) api.Address {
	return api.Address{
		StreetAddress: optional(a.StreetAddress), Locality: optional(a.Locality), Region: optional(a.Region), PostalCode: optional(a.PostalCode),
		Country: optional(a.Country), Formatted: optional(a.Formatted), Type: optional(a.Type), Primary: &a.Primary,
	}
}

func externalIDFrom(e api.ExternalId) store.ExternalID {
	return store.ExternalID{Issuer: e.Issuer, ID: e.Id}
}

func externalIDOut(e store.ExternalID) api.ExternalId {
	return api.ExternalId{Issuer: e.Issuer, Id: e.ID}
}

// asked picks the extensions that a request names: no others are shown (behaviour reference §1.2).
func asked(have map[string]json.RawMessage, names []string) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	for _, n := range names {
		if v, ok := have[n]; ok {
			if out == nil {
				out = map[string]json.RawMessage{}
			}
			out[n] = v
		}
	}
	return out
}

func isTrue(b *bool) bool { return b != nil && *b }
