package revocation

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/provision"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// reaches is what is counted for each scope, and what the backend is asked.
var reaches = map[string]struct {
	order  func(*revoking) store.Revocation
	counts store.RevocationCounts
	asked  func(*revoking) provision.Revocation
}{
	"user": {
		func(r *revoking) store.Revocation {
			return store.Revocation{Scope: store.RevokedUser, UserID: r.user.ID}
		},
		store.RevocationCounts{Portal: 1, Clients: 1, Roles: 2, Accounts: 1},
		func(r *revoking) provision.Revocation {
			return provision.Revocation{Roles: []string{r.role.Name}, UserID: r.user.ID}
		},
	},
	"portal session": {
		func(r *revoking) store.Revocation {
			return store.Revocation{Scope: store.RevokedSession, SessionID: r.parent}
		},
		store.RevocationCounts{Portal: 1, Clients: 1, Roles: 2, Accounts: 1},
		func(r *revoking) provision.Revocation {
			return provision.Revocation{Roles: []string{r.role.Name}, UserID: r.user.ID, SessionID: r.parent}
		},
	},
	"client session": {
		func(r *revoking) store.Revocation {
			return store.Revocation{Scope: store.RevokedSession, SessionID: r.child}
		},
		store.RevocationCounts{Clients: 1, Roles: 2, Accounts: 1},
		func(r *revoking) provision.Revocation {
			return provision.Revocation{Roles: []string{r.role.Name}, UserID: r.user.ID, SessionID: r.child}
		},
	},
	"permission set": {
		func(r *revoking) store.Revocation {
			return store.Revocation{Scope: store.RevokedSet, Set: r.set.PermissionSet}
		},
		store.RevocationCounts{Roles: 1, Accounts: 1},
		func(r *revoking) provision.Revocation { return provision.Revocation{Roles: []string{r.role.Name}} },
	},
	"permission set in account": {
		func(r *revoking) store.Revocation {
			return store.Revocation{Scope: store.RevokedSet, Set: r.set.PermissionSet, Account: "123456789012"}
		},
		store.RevocationCounts{Roles: 1, Accounts: 1},
		func(r *revoking) provision.Revocation { return provision.Revocation{Roles: []string{r.role.Name}} },
	},
	"account": {
		func(r *revoking) store.Revocation {
			return store.Revocation{Scope: store.RevokedAccount, Account: "123456789012"}
		},
		store.RevocationCounts{Roles: 2, Accounts: 1},
		func(*revoking) provision.Revocation { return provision.Revocation{} },
	},
}

func TestRevocationReachesAccounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		for name, c := range reaches {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRevoking(t, open)
				v := r.order(t, c.order(r))
				if diff := cmp.Diff(c.counts, v.Counts); diff != "" {
					t.Errorf("counts:\n%s", diff)
				}
				r.drain(t)
				now, in := r.state(t, v.ID)
				want := []store.RevokedIn{{
					Revocation: v.ID, Account: "123456789012", Status: store.RevocationReached, Within: time.Minute,
					Residue: []string{"Sessions of its console go on for up to an hour."}, ReachedAt: start,
				}}
				if diff := cmp.Diff(want, in); diff != "" {
					t.Errorf("the account:\n%s", diff)
				}
				asked, _ := r.cloud.Revoked(v.ID)
				ask := c.asked(r)
				ask.ID, ask.Account, ask.NotBefore = v.ID, "123456789012", start
				if diff := cmp.Diff(ask, asked); diff != "" {
					t.Errorf("asked:\n%s", diff)
				}
				if !r.db.PushesChanges() {
					if !now.ConfirmedAt.IsZero() || now.Status != store.RevocationPending {
						t.Errorf("confirmed while other servers may not have the news: %+v", now)
					}
					r.clock.Advance(Bound)
					r.drain(t)
					now, _ = r.state(t, v.ID)
				}
				if now.ConfirmedAt != r.clock.Now() || now.EndedAt != r.clock.Now() || now.Status != store.RevocationReached || now.Remaining != 0 {
					t.Errorf("in the end: %+v", now)
				}
			})
		}
	})
}

// TestRevocationVoidsSignIns: whoever has proved a factor in one browser does not come in there after the revocation; others do.
func TestRevocationVoidsSignIns(t *testing.T) {
	t.Parallel()
	r := newRevoking(t, storetest.Open)
	r.update(t, func(tx *store.Tx) error {
		for id, user := range map[string]string{"half way": r.user.ID, "another's": "somebody"} {
			a := store.Attempt{ID: id, UserID: user, PasswordAt: start, CreatedAt: start, ExpiresAt: start.Add(time.Minute)}
			if err := tx.InsertAttempt(a); err != nil {
				return err
			}
		}
		return nil
	})
	r.order(t, store.Revocation{Scope: store.RevokedUser, UserID: r.user.ID})
	err := r.db.View(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Attempt("half way"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the user's attempt: %v", err)
		}
		_, err := tx.Attempt("another's")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
