package emergency_test

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/emergency"
	"sallyport/internal/keyring"
	"sallyport/internal/mail"
	"sallyport/internal/provision"
	"sallyport/internal/provision/local"
	"sallyport/internal/quota"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const (
	instance arn.Instance  = "ssoins-1234567890abcdef"
	storeID  arn.StoreID   = "d-1234567890"
	owner    arn.AccountID = "999988887777"
	member   arn.AccountID = "111122223333"
	operator               = "arn:aws:iam::999988887777:user/operator"
)

// world is a directory of anna, ben and cleo, who have passwords and passkeys, and a permission set that nobody has.
type world struct {
	*emergency.Service
	tb     testing.TB
	clock  *clocktest.Clock
	people map[string]store.User
	set    arn.PermissionSet
	worker *provision.Worker
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	c := clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	db := storetest.Open(tb, c)
	keys := must(keyring.Open(tb.Context(), db, must(keyring.ParseKEK(keyring.NewKEK()))))
	w := &world{tb: tb, clock: c, people: map[string]store.User{}, Service: &emergency.Service{
		DB: db, Keys: keys, Minter: must(credential.NewMinter(tb.Context(), db, keys)), Instance: instance, Store: storeID, Owner: owner, Region: "us-east-1",
		Mail:    &mail.Outbox{DB: db, Keys: keys, Owner: "test", Server: &mail.Server{Address: "localhost:1", From: "a@example.org"}, Log: slog.New(slog.DiscardHandler)},
		Letters: mail.Letters{Portal: "https://id.example.org"},
	}}
	w.worker = &provision.Worker{DB: db, Backends: map[string]provision.Provisioner{"local": &local.Provisioner{DB: db}}, Owner: "test", Log: slog.New(slog.DiscardHandler)}
	w.update(func(tx *store.Tx) error {
		i := store.Instance{ID: instance, StoreID: storeID, Owner: owner, Region: "us-east-1", StartURL: "https://d-1234567890.awsapps.com/start", Status: store.InstanceActive}
		if err := tx.InsertInstance(i); err != nil {
			return err
		}
		if err := tx.InsertAccount(store.Account{ID: member, Name: "production", Email: "p@example.org", Backend: "local", Status: store.AccountActive}); err != nil {
			return err
		}
		p, err := access.CreatePermissionSet(tx, i, store.PermissionSet{PermissionSet: arn.NewPermissionSet(instance), Name: "Breaker"})
		w.set = p.PermissionSet
		return err
	})
	for _, name := range []string{"anna", "ben", "cleo"} {
		w.update(func(tx *store.Tx) (err error) { return w.person(tx, name) })
	}
	return w
}

func (w *world) person(tx *store.Tx, name string) error {
	u, err := directory.CreateUser(tx, store.User{
		StoreID: storeID, UserName: name, DisplayName: name, UserAttrs: store.UserAttrs{Name: store.Name{GivenName: name, FamilyName: "A"}},
	}, "test")
	if err != nil {
		return err
	}
	w.people[name] = u
	if err := tx.PutPassword(store.Password{UserID: u.ID, PHC: "none", ChangedAt: tx.Now()}); err != nil {
		return err
	}
	f := store.Factor{ID: arn.NewTimeUUID(tx.Now()), UserID: u.ID, Kind: store.Passkey, Name: "Key", KeyID: "key of " + name, CreatedAt: tx.Now()}
	f.Sealed = w.Keys.SealRecord("factor", "sealed", f.ID, []byte("{}"))
	return tx.InsertFactor(f)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) update(f func(*store.Tx) error) {
	w.tb.Helper()
	if err := w.DB.Update(w.tb.Context(), f); err != nil {
		w.tb.Fatal(err)
	}
}

// plan is what most tests prepare: anna opens, ben approves.
func (w *world) plan() emergency.Plan {
	return emergency.Plan{
		Name: "Down", Set: w.set, Accounts: []arn.AccountID{member}, Openers: []string{w.people["anna"].ID}, Approvers: []string{w.people["ben"].ID},
		Alarm: []string{"security@example.org"},
	}
}

func (w *world) prepare(p emergency.Plan) (store.EmergencyAccess, []string) {
	w.tb.Helper()
	var e store.EmergencyAccess
	var codes []string
	w.update(func(tx *store.Tx) (err error) {
		e, codes, err = w.Prepare(tx, p, operator, quota.Limits{})
		return err
	})
	w.provision()
	return e, codes
}

// provision does the jobs at hand.
func (w *world) provision() {
	w.tb.Helper()
	if err := w.worker.Drain(w.tb.Context()); err != nil {
		w.tb.Fatal(err)
	}
}

// hasRole says whether the permission set has a role in the account.
func (w *world) hasRole() (has bool) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error {
		_, err := tx.ProvisionedRole(member, w.set)
		has = err == nil
		return nil
	})
	return has
}

// passkey is somebody's only device.
func (w *world) passkey(tx *store.Tx, name string) store.Factor {
	w.tb.Helper()
	return must(tx.Factors(w.people[name].ID))[0]
}

// comer is somebody who has signed in for an emergency.
func (w *world) comer(tx *store.Tx, name string) emergency.Person {
	w.tb.Helper()
	return emergency.Person{User: w.people[name], Session: store.Session{ID: "session of " + name}, Passkey: w.passkey(tx, name).ID}
}

// count counts the events of a name.
func (w *world) count(name string) (n int) {
	w.tb.Helper()
	w.update(func(tx *store.Tx) error {
		n = 0
		for _, r := range must(tx.AuditLog(0, 10_000)) {
			var e audit.Event
			if err := json.Unmarshal(r.JSON, &e); err != nil {
				return err
			}
			if e.EventName == name {
				n++
			}
		}
		return nil
	})
	return n
}
