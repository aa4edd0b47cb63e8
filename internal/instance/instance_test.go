package instance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/application"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/instance"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	management arn.AccountID = "999900000001"
	delegate   arn.AccountID = "111122223333"
	member     arn.AccountID = "222233334444"
)

var organization = store.Instance{
	ID: "ssoins-ffffffffffffffff", StoreID: "d-1234567890", Owner: management, DelegatedAdmin: delegate, Region: "us-east-1", Status: store.InstanceActive,
}

// world is an organization of three accounts.
type world struct {
	t  *testing.T
	db *store.DB
}

func newWorld(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) *world {
	w := &world{t, open(t, clocktest.At(time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)))}
	w.update(func(tx *store.Tx) error {
		for _, id := range []arn.AccountID{management, delegate, member} {
			if err := tx.InsertAccount(store.Account{ID: id, Name: string(id), Backend: "local", Status: "ACTIVE"}); err != nil {
				return err
			}
		}
		return tx.InsertInstance(organization)
	})
	return w
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) create(account arn.AccountID) (i store.Instance, err error) {
	err = w.db.Update(w.t.Context(), func(tx *store.Tx) (err error) {
		i, err = instance.Create(tx, account, "mine", "us-east-1")
		return err
	})
	return i, err
}

func (w *world) delete(id arn.Instance, caller arn.AccountID) error {
	return w.db.Update(w.t.Context(), func(tx *store.Tx) error {
		i, err := tx.Instance(id)
		if err != nil {
			return err
		}
		return instance.Delete(tx, i, caller)
	})
}

func (w *world) made(account arn.AccountID) store.Instance {
	w.t.Helper()
	i, err := w.create(account)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

func TestCreate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorld(t, open)
		mine, theirs := w.made(member), w.made(delegate)
		if mine.Owner != member || !mine.OfAccount || mine.DelegatedAdmin != "" || mine.StoreID == theirs.StoreID || mine.ID == theirs.ID {
			t.Errorf("made %+v and %+v", mine, theirs)
		}
		for account, kind := range map[arn.AccountID]fault.Kind{
			management: fault.Invalid, member: fault.Conflict, "555566667777": fault.Denied,
		} {
			if _, err := w.create(account); fault.KindOf(err) != kind {
				t.Errorf("by %s: %v", account, err)
			}
		}
		w.update(func(tx *store.Tx) error {
			if got, err := tx.InstanceOfAccount(member); err != nil || got.ID != mine.ID || got.Name != "mine" {
				t.Errorf("of the account: %+v, %v", got, err)
			}
			if _, err := tx.InstanceOfAccount(management); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the organization's instance passes for the management account's own: %v", err)
			}
			if got, err := tx.OrganizationInstance(); err != nil || got.ID != organization.ID { // whose id is the last of all
				t.Errorf("of the organization: %+v, %v", got, err)
			}
			for account, want := range map[arn.AccountID]int{management: 1, delegate: 2, member: 1, "555566667777": 0} {
				if all, err := tx.InstancesOf(account); err != nil || len(all) != want || want == 2 && all[0].ID != organization.ID {
					t.Errorf("of %s there are %v, %v", account, all, err)
				}
			}
			return nil
		})
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open)
	mine := w.made(delegate)
	for _, c := range []struct {
		instance arn.Instance
		caller   arn.AccountID
		kind     fault.Kind
	}{
		{mine.ID, management, fault.Denied},
		{mine.ID, member, fault.Denied},
		{organization.ID, management, fault.Invalid},
		{organization.ID, delegate, fault.Denied},
	} {
		if err := w.delete(c.instance, c.caller); fault.KindOf(err) != c.kind {
			t.Errorf("%s by %s: %v", c.instance, c.caller, err)
		}
	}
	if err := w.delete(mine.ID, delegate); err != nil {
		t.Fatal(err)
	}
	if again := w.made(delegate); again.ID == mine.ID {
		t.Error("an id was used again")
	}
}

// TestDeleteMuch: a large instance goes bit by bit, and nothing of it stays; what is of the organization does.
func TestDeleteMuch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorld(t, open)
		mine := w.made(member)
		var left []string
		w.update(func(tx *store.Tx) (err error) {
			if _, err = fill(tx, organization, management, 3); err == nil {
				left, err = fill(tx, mine, member, 110)
			}
			return err
		})
		if err := w.delete(mine.ID, member); err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) error {
			if i, err := tx.Instance(mine.ID); err != nil || i.Status != store.InstanceDeleting {
				t.Errorf("after the first of it the instance is %+v, %v", i, err)
			}
			return nil
		})
		if err := w.delete(mine.ID, member); fault.KindOf(err) != fault.Conflict {
			t.Errorf("deleted once more: %v", err)
		}
		if _, err := w.create(member); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "being deleted") {
			t.Errorf("made while it is being deleted: %v", err)
		}
		if err := instance.NewSweeper(w.db, "test").Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.update(func(tx *store.Tx) error {
			if _, err := tx.Instance(mine.ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the instance is there still: %v", err)
			}
			if n := count(t, tx, mine, left); n != 0 {
				t.Errorf("%d things stay behind", n)
			}
			if n := count(t, tx, organization, nil); n != 3+3+3+4 {
				t.Errorf("of the organization's things %d are left", n)
			}
			return nil
		})
		if w.made(member).ID == mine.ID {
			t.Error("an id was used again")
		}
	})
}

// fill puts n users, all of them in one group and assigned to one application, a trusted token issuer and tags into an instance.
// It gives the ids of the group and the application, by which to look for what they leave behind.
func fill(tx *store.Tx, i store.Instance, account arn.AccountID, n int) (ids []string, err error) {
	g, err := directory.CreateGroup(tx, store.Group{StoreID: i.StoreID, DisplayName: "All", GroupAttrs: store.GroupAttrs{ExternalIDs: []store.ExternalID{{Issuer: "hr", ID: "g"}}}}, "test")
	if err != nil {
		return nil, err
	}
	a, err := application.Create(tx, i, account, store.Application{Provider: application.CustomProvider, Name: "Wiki"})
	if err != nil {
		return nil, err
	}
	_, err = application.CreateIssuer(tx, i, account, store.TokenIssuer{Name: "idp", URL: "https://idp.example", TokenIssuerAttrs: store.TokenIssuerAttrs{Claim: "sub", Attribute: "userName"}}, quota.Limits{})
	if err != nil {
		return nil, err
	}
	for _, resource := range []string{i.ID.ARN(), a.ARN()} {
		if err := tx.PutTag(resource, store.Tag{Key: "team", Value: "a"}); err != nil {
			return nil, err
		}
	}
	for u := range n {
		name := fmt.Sprintf("user-%03d", u)
		u, err := directory.CreateUser(tx, store.User{StoreID: i.StoreID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{
			Name: store.Name{GivenName: "A", FamilyName: "B"}, ExternalIDs: []store.ExternalID{{Issuer: "hr", ID: name}},
		}}, "test")
		if err != nil {
			return nil, err
		}
		if _, err := directory.AddMember(tx, i.StoreID, g.ID, u.ID, "test"); err != nil {
			return nil, err
		}
		if err := tx.InsertApplicationAssignment(store.ApplicationAssignment{Application: a.Application, PrincipalType: store.PrincipalUser, PrincipalID: u.ID}); err != nil {
			return nil, err
		}
	}
	return []string{g.ID, a.ID}, nil
}

// count is how many things an instance has: users, members, those assigned to applications, one each of what else there is; and
// what is under the ids.
func count(t *testing.T, tx *store.Tx, i store.Instance, ids []string) (n int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	all := page.Query{Limit: 1000}
	users, _, err := tx.Users(i.StoreID, all)
	must(err)
	groups, _, err := tx.Groups(i.StoreID, all)
	must(err)
	apps, _, err := tx.Applications(i.ID, "", "", all)
	must(err)
	issuers, _, err := tx.TokenIssuers(i.ID, all)
	must(err)
	tags, _, err := tx.Tags(i.ID.ARN(), all)
	must(err)
	for _, g := range groups {
		members, _, err := tx.Members(g.ID, all)
		must(err)
		n += len(members)
	}
	for _, a := range apps {
		assigned, _, err := tx.ApplicationAssignments(a.ID, all)
		must(err)
		n += len(assigned)
	}
	for _, id := range ids {
		swept, err := tx.SweepMembers(id, 1000)
		must(err)
		assigned, err := tx.SweepApplicationAssignments(id, 1000)
		must(err)
		n += int(swept + assigned)
	}
	if _, err := tx.SubjectOf(i.StoreID, store.PrincipalUser, store.ExternalID{Issuer: "hr", ID: "user-000"}); ids != nil && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an external name stays behind: %v", err)
	}
	return n + len(users) + len(groups) + len(apps) + len(issuers) + len(tags)
}
