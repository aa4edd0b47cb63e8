package directory_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

const (
	storeID arn.StoreID = "d-1234567890"
	other   arn.StoreID = "d-ffffffffff"
	by                  = "arn:aws:iam::111122223333:user/operator"
)

func TestS04NamesAreComparedWithoutCase(t *testing.T) {
	each(t, func(p *people) {
		first := p.user("Anna@x.test")
		for _, twin := range []string{"anna@x.test", "ANNA@X.TEST", "Anna@x.test"} {
			if got := p.refused(fault.Conflict, func(tx *store.Tx) error { _, err := directory.CreateUser(tx, person(twin), by); return err }); got != "Duplicate UserName" {
				p.t.Errorf("%s: %s", twin, got)
			}
		}
		// Folding is Unicode's simple one, the same in every locale and database.
		kelvin := p.user("\u212Aelvin")
		p.update(func(tx *store.Tx) error {
			for name, id := range map[string]string{"aNNa@X.test": first.ID, "kelvin": kelvin.ID, "KELVIN": kelvin.ID} {
				u, err := tx.UserByName(storeID, name)
				if err != nil || u.ID != id {
					p.t.Errorf("%s: %v, %v", name, u.ID, err)
				}
			}
			u, err := tx.User(first.ID)
			if u.UserName != "Anna@x.test" {
				p.t.Errorf("echoed as %s", u.UserName)
			}
			return err
		})
		p.update(func(tx *store.Tx) error { // another store, another namespace
			u := person("anna@x.test")
			u.StoreID = other
			_, err := directory.CreateUser(tx, u, by)
			return err
		})
		p.group("Auditors")
		if got := p.refused(fault.Conflict, func(tx *store.Tx) error {
			_, err := directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: "AUDITORS"}, by)
			return err
		}); got != "Duplicate GroupDisplayName" {
			p.t.Error(got)
		}
	})
}

func TestUserRules(t *testing.T) {
	each(t, func(p *people) {
		for name, edit := range map[string]func(*store.User){
			"UserName is required":                      func(u *store.User) { u.UserName = "" },
			"DisplayName is required":                   func(u *store.User) { u.DisplayName = "" },
			"Name.GivenName is required":                func(u *store.User) { u.Name.GivenName = "" },
			"Name.FamilyName is required":               func(u *store.User) { u.Name.FamilyName = "" },
			"The user name administrator is reserved":   func(u *store.User) { u.UserName = "administrator" },
			"The user name AWSadministrators is":        func(u *store.User) { u.UserName = "AWSadministrators" },
			"UserName must have at most 128":            func(u *store.User) { u.UserName = strings.Repeat("ü", 129) },
			"UserName must have at most 128 letters":    func(u *store.User) { u.UserName = "two words" },
			"UserName must have at most 128 letters, m": func(u *store.User) { u.UserName = "left\u202Eright" }, // a format character
			"Title must have at most 1024":              func(u *store.User) { u.Title = strings.Repeat("x", 1025) },
			"Name must have at most 1024":               func(u *store.User) { u.Name.Formatted = "a\x00b" },
			"Birthdate must be a date":                  func(u *store.User) { u.Birthdate = "1990-02-30" },
			"Emails can have at most 10":                func(u *store.User) { u.Emails = make([]store.TypedValue, 11) },
			"Roles can have one primary value": func(u *store.User) {
				u.Roles = []store.TypedValue{{Value: "a", Primary: true}, {Value: "b", Primary: true}}
			},
			"There is no extension x": func(u *store.User) { u.Extensions = map[string]json.RawMessage{"x": json.RawMessage(`1`)} },
		} {
			u := person("somebody")
			edit(&u)
			if got := p.refused(fault.Invalid, func(tx *store.Tx) error { _, err := directory.CreateUser(tx, u, by); return err }); !strings.HasPrefix(got, name) {
				p.t.Errorf("got %q, want %q", got, name)
			}
		}
	})
}

func TestPrimaryMailIsUnique(t *testing.T) {
	each(t, func(p *people) {
		withMail := func(name, mail string, primary bool) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				u := person(name)
				u.Emails = []store.TypedValue{{Value: mail, Primary: primary}}
				_, err := directory.CreateUser(tx, u, by)
				return err
			}
		}
		p.update(withMail("a", "Same@x.test", true))
		p.refused(fault.Conflict, withMail("b", "same@X.test", true))
		p.update(withMail("c", "same@x.test", false)) // not the primary one
		p.update(withMail("d", "", true))
		p.update(withMail("e", "", true)) // none is no mail
	})
}

func TestRevisions(t *testing.T) {
	each(t, func(p *people) {
		u := p.user("ana")
		p.update(func(tx *store.Tx) error {
			edit := u
			edit.Title = "Dr"
			got, err := directory.UpdateUser(tx, edit, store.RevisionText(u.Revision), "somebody")
			if got.Revision == u.Revision || got.CreatedBy != by || got.UpdatedBy != "somebody" {
				p.t.Errorf("got %+v", got)
			}
			return err
		})
		stale := store.RevisionText(u.Revision)
		p.refused(fault.Conflict, func(tx *store.Tx) error { _, err := directory.UpdateUser(tx, u, stale, by); return err })
		p.refused(fault.Conflict, func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, u.ID, stale) })
		p.refused(fault.NotFound, func(tx *store.Tx) error { return directory.DeleteUser(tx, other, u.ID, "") })
		p.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, u.ID, "") })
		p.refused(fault.NotFound, func(tx *store.Tx) error { return directory.DeleteUser(tx, storeID, u.ID, "") })
		g := p.group("g")
		p.refused(fault.Conflict, func(tx *store.Tx) error { return directory.DeleteGroup(tx, storeID, g.ID, "99") })
		p.refused(fault.NotFound, func(tx *store.Tx) error { return directory.DeleteGroup(tx, other, g.ID, "") })
	})
}

func TestExternalIDs(t *testing.T) {
	each(t, func(p *people) {
		okta := store.ExternalID{Issuer: "https://okta.test", ID: "1"}
		named := func(name string) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				u := person(name)
				u.ExternalIDs = []store.ExternalID{okta}
				_, err := directory.CreateUser(tx, u, by)
				return err
			}
		}
		p.update(named("ana"))
		p.refused(fault.Conflict, named("bob"))
		p.update(func(tx *store.Tx) error { // a group may have the number of a user
			_, err := directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: "g", GroupAttrs: store.GroupAttrs{ExternalIDs: []store.ExternalID{okta}}}, by)
			return err
		})
		p.update(func(tx *store.Tx) error {
			u, err := tx.UserByName(storeID, "ana")
			if err != nil {
				return err
			}
			u.ExternalIDs = nil
			_, err = directory.UpdateUser(tx, u, "", by)
			return err
		})
		p.update(named("bob")) // free again
	})
}

func TestDisabledUserIsAChange(t *testing.T) {
	each(t, func(p *people) {
		u := p.user("ana")
		p.since()
		p.update(func(tx *store.Tx) error {
			u.Status = store.UserDisabled
			_, err := directory.UpdateUser(tx, u, "", by)
			return err
		})
		if diff := cmp.Diff([]string{"user:" + u.ID}, p.since()); diff != "" {
			p.t.Error(diff)
		}
	})
}

// TestOfManyCreatorsOneWins: of those who make the same thing at once, one makes it and all others are told that it is there.
func TestOfManyCreatorsOneWins(t *testing.T) {
	each(t, func(p *people) {
		u, g := p.user("ana"), p.group("Auditors")
		for what, create := range map[string]func(tx *store.Tx, name string) error{
			"user": func(tx *store.Tx, name string) error {
				_, err := directory.CreateUser(tx, person(name), by)
				return err
			},
			"group": func(tx *store.Tx, name string) error {
				_, err := directory.CreateGroup(tx, store.Group{StoreID: storeID, DisplayName: name}, by)
				return err
			},
			"mail address": func(tx *store.Tx, name string) error {
				u := person(arn.NewUUID())
				u.Emails = []store.TypedValue{{Value: name + "@x.test", Primary: true}}
				_, err := directory.CreateUser(tx, u, by)
				return err
			},
			"membership": func(tx *store.Tx, _ string) error {
				_, err := directory.AddMember(tx, storeID, g.ID, u.ID, by)
				return err
			},
		} {
			p.race(what, create)
		}
	})
}

// race has many create the same thing, under names that differ by case alone.
func (p *people) race(what string, create func(tx *store.Tx, name string) error) {
	p.t.Helper()
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = p.db.Update(p.t.Context(), func(tx *store.Tx) error { return create(tx, []string{"race", "RACE"}[i%2]) })
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		switch {
		case err == nil:
			made++
		case fault.KindOf(err) != fault.Conflict:
			p.t.Errorf("%s: a loser got %v", what, err)
		}
	}
	if made != 1 {
		p.t.Errorf("%s: %d creators won", what, made)
	}
}
