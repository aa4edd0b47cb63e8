package store

import (
	"strings"
	"testing"

	"sallyport/internal/clock"
)

// TestSessionsAreNotWalked: what is about one person's, one client's or one parent's sessions does not look at all that are live, of which
// there may be hundreds of thousands. An index is used in either case, so that the test of all plans does not tell.
func TestSessionsAreNotWalked(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), newFile(t), clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	pool := db.engine.(*lite).reads
	pool.SetMaxOpenConns(readers + 1)
	for name, q := range map[string]query{
		"children": endChildren, "user": endUser, "others": endOthers, "client": liveOfClient, "both": liveOfBoth, "user's": liveOfUser, "clients": clientsOf,
	} {
		plan := plans(t, t.Context(), pool, "EXPLAIN QUERY PLAN "+string(q), make([]any, placeholders(t, string(q)))...)
		if got := strings.Join(plan, "\n"); strings.Contains(got, "session_end") || strings.Contains(got, "session_expiry") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
