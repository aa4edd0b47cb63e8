package scim_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/page"
	"sallyport/internal/store"
)

// state compares the whole directory with what the file says of it.
func (g *golden) state(name, text string) {
	var want []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if rest, ok := strings.CutPrefix(line, "strict "); ok && g.dialect == "strict" {
			line = rest
		} else if rest, ok := strings.CutPrefix(line, "complete "); ok && g.dialect == "complete" {
			line = rest
		} else if strings.HasPrefix(line, "strict ") || strings.HasPrefix(line, "complete ") || line == "" {
			continue
		}
		want = append(want, line)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, directoryOf(g.t, g.db)); diff != "" {
		g.t.Fatalf("%s: %s", name, diff)
	}
}

// directoryOf is everybody, and every group with its members, a line each.
func directoryOf(t testing.TB, db *store.DB) (out []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		users, more, err := tx.Users(storeID, page.Query{Limit: 1000})
		if err != nil {
			return err
		}
		if more != nil {
			return errors.New("there are more users than a page")
		}
		names := map[string]string{}
		for _, u := range users {
			names[u.ID] = u.UserName
			out = append(out, fmt.Sprintf("user %s %s", u.UserName, strings.ToLower(string(u.Status))))
		}
		groups, more, err := tx.Groups(storeID, page.Query{Limit: 1000})
		if err != nil {
			return err
		}
		if more != nil {
			return errors.New("there are more groups than a page")
		}
		for _, g := range groups {
			members, _, err := tx.Members(g.ID, page.Query{Limit: 1000})
			if err != nil {
				return err
			}
			var in []string
			for _, m := range members {
				in = append(in, names[m.UserID])
			}
			slices.Sort(in)
			out = append(out, strings.TrimSpace(fmt.Sprintf("group %s: %s", g.DisplayName, strings.Join(in, " "))))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}
