package server

import (
	"net/http/httptest"
	"strings"
	"testing"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// TestDriftInMetrics: monitoring sees what the last check has found, and nothing where none is made.
func TestDriftInMetrics(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	lines := func() (found []string) {
		rec := httptest.NewRecorder()
		w.handler().ServeHTTP(rec, httptest.NewRequest("GET", "http://localhost:8080/metrics", nil))
		for line := range strings.Lines(rec.Body.String()) {
			if strings.HasPrefix(line, "sallyport_drift_") {
				found = append(found, strings.TrimSpace(line))
			}
		}
		return found
	}
	if l := lines(); len(l) > 0 {
		t.Errorf("without checks: %v", l)
	}
	w.update(func(tx *store.Tx) error {
		err := tx.InsertRole(store.Role{
			Account: sampleManagement, Name: "AWSReservedSSO_Mine_0123456789abcdef", ID: "AROAMINE", Path: "/aws-reserved/sso.amazonaws.com/",
			CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		})
		if err != nil {
			return err
		}
		_, err = setting.Put(tx, "drift.every", "1h", "test")
		return err
	})
	if done, err := w.inspect.CheckIfDue(t.Context()); !done || err != nil {
		t.Fatal(done, err)
	}
	all := strings.Join(lines(), "\n")
	for _, want := range []string{
		`sallyport_drift_findings{kind="UNEXPECTED"} 1`, `sallyport_drift_findings{kind="CHANGED"} 0`, "sallyport_drift_unchecked_accounts 0",
		"sallyport_drift_last_check_timestamp_seconds ",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("metrics lack %s:\n%s", want, all)
		}
	}
}
