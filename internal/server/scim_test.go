package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/internal/credential"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// TestSCIMInMetrics: monitoring sees when tokens end and how many removals wait for somebody, and nothing without sources.
func TestSCIMInMetrics(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	metrics := func() string {
		rec := httptest.NewRecorder()
		w.handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost:8080/metrics", nil))
		return rec.Body.String()
	}
	if strings.Contains(metrics(), "sallyport_scim_") {
		t.Error("metrics tell of SCIM without a source")
	}
	w.update(func(tx *store.Tx) error {
		err := tx.InsertSCIMTenant(store.SCIMTenant{ID: "t", StoreID: sampleStore, Name: "okta", CreatedAt: tx.Now()})
		if err != nil {
			return err
		}
		if err := tx.InsertSCIMToken(store.SCIMToken{ID: "k", TenantID: "t", Hash: "h", Dialect: store.StrictSCIM, ExpiresAt: time.Unix(1e9, 0)}); err != nil {
			return err
		}
		return tx.PutSCIMGuard(store.SCIMGuard{TenantID: "t", Kind: store.SCIMUsers, TrippedAt: tx.Now(), RefusedAt: tx.Now()})
	})
	all := metrics()
	for _, want := range []string{`sallyport_scim_token_expiry_timestamp_seconds{source="okta",token="k"} 1e+09`, "sallyport_scim_removals_stopped 1"} {
		if !strings.Contains(all, want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// TestSCIMGuard: the settings of the deployment are the guard's, and what an operator approves of is let through.
func TestSCIMGuard(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	const tenant = "01234567890-2222-3333-4444-555555555555"
	secret, hash := credential.NewBearer("scim_")
	w.update(func(tx *store.Tx) error {
		if err := tx.InsertSCIMTenant(store.SCIMTenant{ID: tenant, StoreID: sampleStore, Name: "okta", CreatedAt: tx.Now()}); err != nil {
			return err
		}
		_, floor := setting.Put(tx, "scim.guard.floor", "0", "test")
		_, share := setting.Put(tx, "scim.guard.share", "50", "test")
		return errors.Join(floor, share, tx.InsertSCIMToken(store.SCIMToken{
			ID: "k", TenantID: tenant, Hash: hash, Dialect: store.CompleteSCIM, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour),
		}))
	})
	ask := func(method, path, body string, status int) string {
		t.Helper()
		r := httptest.NewRequest(method, "http://localhost:8080/"+tenant+"/scim/v2"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+string(secret))
		rec := httptest.NewRecorder()
		w.handler().ServeHTTP(rec, r)
		var out struct{ ID, Detail string }
		if rec.Body.Len() > 0 {
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
				t.Fatal(err)
			}
		}
		if rec.Code != status {
			t.Fatalf("%s %s: %d %s", method, path, rec.Code, out.Detail)
		}
		return out.ID
	}
	var ids []string
	for _, name := range []string{"u1", "u2", "u3"} {
		ids = append(ids, ask("POST", "/Users", `{"userName":"`+name+`","displayName":"U","name":{"givenName":"G","familyName":"F"}}`, http.StatusCreated))
	}
	ask("DELETE", "/Users/"+ids[0], "", http.StatusNoContent)
	ask("DELETE", "/Users/"+ids[1], "", http.StatusServiceUnavailable)
	w.update(func(tx *store.Tx) error {
		return tx.ApproveSCIM(store.SCIMApproval{TenantID: tenant, Until: tx.Now().Add(time.Hour)})
	})
	ask("DELETE", "/Users/"+ids[1], "", http.StatusNoContent)
}
