package revocation

import (
	"testing"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/clock/clocktest"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

const by = "arn:aws:iam::123456789012:user/operator"

// house is a person who reaches one permission set in one account by two paths, with a session open, and a gate.
type house struct {
	db    *store.DB
	gate  *Gate
	clock *clocktest.Clock

	instance        store.Instance
	set             store.PermissionSet
	user            store.User
	member          store.Membership
	group           store.Group
	direct, byGroup store.Assignment
	role            store.Role
	sessions        session.Service
	parent, child   string
}

func newHouse(tb testing.TB, open func(testing.TB, clock.Clock) *store.DB) *house {
	tb.Helper()
	h := &house{clock: clocktest.At(start)}
	h.db = open(tb, h.clock)
	h.instance = store.Instance{ID: arn.NewInstance(), StoreID: arn.NewStoreID(), Owner: "123456789012", Region: "eu-west-1", Status: "ACTIVE", CreatedAt: start}
	h.update(tb, h.build)
	h.gate = New(h.db, Evaluate)
	if err := h.gate.Start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return h
}

func (h *house) update(tb testing.TB, fn func(*store.Tx) error) {
	tb.Helper()
	if err := h.db.Update(tb.Context(), fn); err != nil {
		tb.Fatal(err)
	}
}

func (h *house) build(tx *store.Tx) (err error) {
	must := func(e error) {
		if err == nil {
			err = e
		}
	}
	must(tx.InsertInstance(h.instance))
	must(tx.InsertAccount(store.Account{ID: "123456789012", Name: "one", Email: "one@example.com", Backend: "local", Status: "ACTIVE", CreatedAt: start}))
	var e error
	h.set, e = access.CreatePermissionSet(tx, h.instance, store.PermissionSet{Name: "Audit"})
	must(e)
	h.user, e = directory.CreateUser(tx, store.User{StoreID: h.instance.StoreID, UserName: "alice", DisplayName: "Alice", UserAttrs: store.UserAttrs{Name: store.Name{GivenName: "Alice", FamilyName: "A"}}}, by)
	must(e)
	h.group, e = directory.CreateGroup(tx, store.Group{StoreID: h.instance.StoreID, DisplayName: "auditors"}, by)
	must(e)
	h.member, e = directory.AddMember(tx, h.instance.StoreID, h.group.ID, h.user.ID, by)
	must(e)
	h.direct = store.Assignment{Account: "123456789012", Set: h.set.PermissionSet, PrincipalType: store.PrincipalUser, PrincipalID: h.user.ID, State: store.AssignmentGranted, CreatedAt: start}
	h.byGroup = h.direct
	h.byGroup.PrincipalType, h.byGroup.PrincipalID = store.PrincipalGroup, h.group.ID
	must(tx.InsertAssignment(h.direct))
	must(tx.InsertAssignment(h.byGroup))
	trust, e := tx.PutDocument("{}")
	must(e)
	h.role = store.Role{Account: "123456789012", Name: "AWSReservedSSO_Audit_0123456789abcdef", ID: "AROAQ3EGRSAVEXAMPLE23", Path: "/aws-reserved/sso.amazonaws.com/", Set: h.set.PermissionSet, Spec: store.RoleSpec{Trust: trust}, CreatedAt: start}
	must(tx.InsertRole(h.role))
	h.parent, h.child = arn.NewUUID(), arn.NewUUID()
	for id, parent := range map[string]string{h.parent: "", h.child: h.parent} {
		must(tx.InsertSession(store.Session{ID: id, ParentID: parent, UserID: h.user.ID, CreatedAt: start, SeenAt: start, ExpiresAt: start.Add(8 * 3600e9)}))
	}
	return err
}

// caller is what credentials minted now would open to.
func (h *house) caller() credential.Caller {
	return credential.Caller{
		Kind: credential.RoleSession, Account: "123456789012", UserID: h.user.ID, SessionID: h.child, ParentID: h.parent,
		PermissionSet: h.set.ARN(), RoleARN: h.role.ARN(), RoleName: h.role.Name, RoleID: h.role.ID, Issued: h.db.Now(),
	}
}

// check tells how the gate answers once the node has the news.
func (h *house) check(tb testing.TB, c credential.Caller) string {
	tb.Helper()
	if err := h.gate.poll(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if err := h.gate.Check(tb.Context(), c); err != nil {
		return reason(err)
	}
	return ""
}

func TestRightsDie(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		for name, end := range map[string]func(*store.Tx, *house) error{
			"user deleted": func(tx *store.Tx, h *house) error {
				return directory.DeleteUser(tx, h.user.StoreID, h.user.ID, "")
			},
			"user disabled": func(tx *store.Tx, h *house) error {
				h.user.Status = store.UserDisabled
				_, err := directory.UpdateUser(tx, h.user, "", by)
				return err
			},
			"session signed out":        func(tx *store.Tx, h *house) error { return h.sessions.End(tx, h.child, by) },
			"portal session signed out": func(tx *store.Tx, h *house) error { return h.sessions.End(tx, h.parent, by) },
			"last assignments removed": func(tx *store.Tx, h *house) error {
				for _, a := range []store.Assignment{h.direct, h.byGroup} {
					if _, err := access.BeginDeletion(tx, a); err != nil {
						return err
					}
				}
				return nil
			},
			"last paths gone another way": func(tx *store.Tx, h *house) error {
				if _, err := access.BeginDeletion(tx, h.direct); err != nil {
					return err
				}
				return directory.DeleteGroup(tx, h.group.StoreID, h.group.ID, "")
			},
			"role made anew": func(tx *store.Tx, h *house) error {
				if err := tx.DeleteRole(h.role.Account, h.role.Name); err != nil {
					return err
				}
				again := h.role
				again.ID = "AROAQ3EGRSAVEXAMPLE99"
				if err := tx.InsertRole(again); err != nil {
					return err
				}
				return tx.Changed("role:" + h.role.ARN())
			},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, open)
				c := h.caller()
				if got := h.check(t, c); got != "" {
					t.Fatalf("before: %s", got)
				}
				h.update(t, func(tx *store.Tx) error { return end(tx, h) })
				if got := h.check(t, c); got != fault.AuthRevoked {
					t.Errorf("after: %q", got)
				}
			})
		}
	})
}

func TestOneOfTwoPathsIsEnough(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*store.Tx, *house) error{
		"direct": func(tx *store.Tx, h *house) error { _, err := access.BeginDeletion(tx, h.direct); return err },
		"group":  func(tx *store.Tx, h *house) error { _, err := access.BeginDeletion(tx, h.byGroup); return err },
		"membership": func(tx *store.Tx, h *house) error {
			return directory.RemoveMember(tx, h.instance.StoreID, h.member.ID, "test")
		},
		"group deleted":          func(tx *store.Tx, h *house) error { return directory.DeleteGroup(tx, h.group.StoreID, h.group.ID, "") },
		"session's natural end":  func(_ *store.Tx, h *house) error { h.clock.Advance(9 * 3600e9); return nil },
		"another session's end":  func(tx *store.Tx, _ *house) error { return tx.Changed("session:" + arn.NewUUID()) },
		"needless change of all": func(tx *store.Tx, _ *house) error { return tx.Changed("all") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, storetest.Open)
			c := h.caller()
			h.update(t, func(tx *store.Tx) error { return lose(tx, h) })
			if got := h.check(t, c); got != "" {
				t.Errorf("refused: %s", got)
			}
		})
	}
}

func TestOperatorsRight(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.Open)
	h.update(t, func(tx *store.Tx) error {
		u := store.IAMUser{ID: "AIDAQ3EGRSAVEXAMPLE23", Account: "123456789012", Path: "/", Name: "operator", CreatedAt: start}
		if err := tx.InsertIAMUser(u); err != nil {
			return err
		}
		return tx.InsertAccessKey(store.AccessKey{ID: "AKIAQ3EGRSAVEXAMPLE2", User: u, Secret: []byte("sealed"), Status: store.KeyActive, CreatedAt: start})
	})
	c := credential.Caller{Kind: credential.IAMUser, Account: "123456789012", AccessKeyID: "AKIAQ3EGRSAVEXAMPLE2", Issued: start}
	h.update(t, func(tx *store.Tx) error { return tx.Changed("all") })
	if got := h.check(t, c); got != "" {
		t.Errorf("active key: %s", got)
	}
	h.update(t, func(tx *store.Tx) error { return credential.SetAccessKeyStatus(tx, c.AccessKeyID, store.KeyInactive) })
	if got := h.check(t, c); got != fault.AuthRevoked {
		t.Errorf("inactive key: %q", got)
	}
}
