package server

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/revocation"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestRevocationReachesOtherNodes: what one node revokes, another refuses within the bound, though it has used it a moment
// before and hears of the change from the database alone (hard part 3).
func TestRevocationReachesOtherNodes(t *testing.T) {
	t.Parallel()
	dsn := storetest.NewPostgres(t)
	here := newCrowd(t, storetest.OpenAt(t, dsn, clock.System{}))
	if err := here.assign("Create", 0, "USER", here.users[0].ID); err != nil {
		t.Fatal(err)
	}
	there := otherNode(t, here, storetest.OpenAt(t, dsn, clock.System{}))
	who := here.logins[0]
	keys, err := there.vend(who.caller, here.sets[0].name)
	if err != nil {
		t.Fatal(err)
	}
	use := map[string]func() error{
		"role credentials": func() error { return there.try(keys, "sts", "GetCallerIdentity") },
		"portal token":     func() error { return there.try(who.caller, "sso", "ListAccounts") },
	}
	for name, try := range use {
		if err := try(); err != nil {
			t.Fatalf("%s before anything was revoked: %v", name, err)
		}
	}
	err = here.server.db.Update(t.Context(), func(tx *store.Tx) error {
		return directory.DeleteUser(tx, here.instance.StoreID, here.users[0].ID, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	revoked := clock.System{}.Now()
	for name, try := range use {
		for err = try(); err == nil && (clock.System{}).Now().Sub(revoked) < revocation.Bound; {
			err = try()
		}
		var refused *awsapi.ResponseError
		if !errors.As(err, &refused) {
			t.Errorf("%s after %v: %v", name, revocation.Bound, err)
		}
		t.Logf("%s refused after %v: %v", name, clock.System{}.Now().Sub(revoked), err)
	}
}

// otherNode is a second server over the same database, with the first one's key.
func otherNode(t *testing.T, of *crowd, db *store.DB) *crowd {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	cfg := *of.server.cfg
	cfg.AuditFile = "off" // the file is the first node's
	s, err := open(t.Context(), &cfg, db, blueprint{})
	if err != nil {
		t.Fatal(err)
	}
	web.Config.Handler = s.handler()
	web.Start()
	ctx, stop := context.WithCancel(context.Background())
	done := s.work(ctx)
	t.Cleanup(func() { web.Close(); stop(); <-done })
	return &crowd{t: t, client: &client{web.URL, web.Client(), clock.System{}, s.instance}, server: s, ctx: t.Context()}
}

func (c *crowd) try(who caller, service, operation string) error {
	_, _, err := c.exchange(c.ctx, who, service, operation, "{}")
	return err
}
