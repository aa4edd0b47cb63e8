package server

import (
	"context"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/login"
	"sallyport/internal/store"
	"sallyport/internal/totp"
)

// The sample world holds what AWS's Boto3 example for account assignments names, so that it runs without an edit.
const (
	sampleInstance   arn.Instance  = "ssoins-1234567890abcdef"
	sampleStore      arn.StoreID   = "d-906731adeb"
	sampleManagement arn.AccountID = "999988887777"
	sampleMember     arn.AccountID = "111122223333"
	sampleGroup                    = "906731adeb-12345678-1234-5678-90ab-cdef12345678"
)

// MaxSampleAccounts bounds what `sallyport dev` adds on request: the limit that the product is designed for on one node.
const MaxSampleAccounts = 2000

// sampleBlueprint is the sample organization: a management account where the operator lives, a member that is the delegated
// administrator, another, and as many more as are asked for.
func sampleBlueprint(region string, more int) blueprint {
	b := blueprint{
		instance: store.Instance{
			ID: sampleInstance, StoreID: sampleStore, Owner: sampleManagement, DelegatedAdmin: sampleMember,
			Region: region, StartURL: startURL(sampleStore), Status: store.InstanceActive,
		},
		management: store.Account{ID: sampleManagement, Name: "management", Email: "management@sallyport.invalid"},
		members: []store.Account{
			{ID: sampleMember, Name: "security", Email: "security@sallyport.invalid"},
			{ID: "444455556666", Name: "production", Email: "production@sallyport.invalid"},
		},
	}
	for i := range more {
		name := fmt.Sprintf("sample-%04d", i+1)
		b.members = append(b.members, store.Account{ID: arn.AccountID(fmt.Sprintf("5000%08d", i+1)), Name: name, Email: name + "@sallyport.invalid"})
	}
	return b
}

// samplePeople adds the sample people and groups and returns them with their passwords.
func samplePeople(ctx context.Context, db *store.DB, in *login.Service) ([]SampleUser, []SampleGroup, error) {
	users := []SampleUser{{UserName: "alice"}, {UserName: "bob"}}
	names := map[string]store.Name{"alice": {GivenName: "Alice", FamilyName: "Adams"}, "bob": {GivenName: "Bob", FamilyName: "Brown"}}
	hashes := map[string]string{}
	for i, u := range users {
		users[i].Password = login.NewPassword()
		phc, err := in.Hasher.Hash(ctx, users[i].Password)
		if err != nil {
			return nil, nil, err
		}
		hashes[u.UserName] = phc
	}
	groups := []SampleGroup{
		{DisplayName: "Security auditors", GroupID: sampleGroup, Members: []string{"alice"}},
		{DisplayName: "Developers", GroupID: arn.NewUUID(), Members: []string{"alice", "bob"}},
	}
	err := db.Update(ctx, func(tx *store.Tx) error {
		ids := map[string]string{}
		for i, u := range users {
			name := names[u.UserName]
			made, err := directory.CreateUser(tx, store.User{
				StoreID: sampleStore, UserName: u.UserName, DisplayName: name.GivenName + " " + name.FamilyName,
				UserAttrs: store.UserAttrs{Name: name, Emails: []store.TypedValue{{Value: u.UserName + "@sallyport.invalid", Type: "work", Primary: true}}},
			}, byDev)
			if err != nil {
				return fmt.Errorf("create %s: %w", u.UserName, err)
			}
			users[i].UserID, ids[u.UserName] = made.ID, made.ID
			if err := in.SetPassword(tx, made.ID, hashes[u.UserName], i != enrolledOne); err != nil {
				return fmt.Errorf("set password of %s: %w", u.UserName, err)
			}
		}
		seed := totp.NewSeed()
		users[enrolledOne].TOTPSecret = seed.Text()
		if err := in.EnrollApp(tx, users[enrolledOne].UserID, "Sample app", seed); err != nil {
			return err
		}
		return sampleGroups(tx, groups, ids)
	})
	return users, groups, err
}

// enrolledOne has a device. The other's password is a one-time password: they register a device and choose a password.
const enrolledOne = 0

// byDev is who made the sample world's records.
const byDev = "sallyport dev"

func sampleGroups(tx *store.Tx, groups []SampleGroup, ids map[string]string) error {
	for _, g := range groups {
		if _, err := directory.CreateGroup(tx, store.Group{ID: g.GroupID, StoreID: sampleStore, DisplayName: g.DisplayName}, byDev); err != nil {
			return fmt.Errorf("create %s: %w", g.DisplayName, err)
		}
		for _, m := range g.Members {
			if _, err := directory.AddMember(tx, sampleStore, g.GroupID, ids[m], byDev); err != nil {
				return fmt.Errorf("add %s to %s: %w", m, g.DisplayName, err)
			}
		}
	}
	return nil
}
