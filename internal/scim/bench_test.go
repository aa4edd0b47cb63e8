package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sallyport/internal/store"
)

// BenchmarkScan is a list of a hundred thousand users by a filter that no index serves.
func BenchmarkScan(b *testing.B) {
	const many = 100_000
	w := newWorld(b, store.CompleteSCIM)
	for from := 0; from < many; from += 1000 {
		w.update(func(tx *store.Tx) error {
			for i := from; i < from+1000; i++ {
				u := store.User{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), StoreID: storeID, UserName: fmt.Sprint("user", i), DisplayName: fmt.Sprint("User ", i), Status: store.UserEnabled, Revision: 1, Source: tenant}
				u.Name = store.Name{GivenName: "Given", FamilyName: "Family"}
				u.Emails = []store.TypedValue{{Value: fmt.Sprintf("user%d@x.test", i), Type: "work", Primary: true}}
				u.ExternalIDs = []store.ExternalID{{Issuer: w.URL + "/" + tenant + "/scim/v2", ID: fmt.Sprint("ext", i)}}
				u.CreatedAt = tx.Now()
				if err := tx.InsertUser(u); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for name, query := range map[string]string{
		"filter": "filter=" + url.QueryEscape(`emails[type eq "work" and value ew "99@x.test"] and active eq true`),
		"sorted": "sortBy=userName&count=10", "indexed": "filter=" + url.QueryEscape(`userName eq "user77777"`), "first": "count=100", "last": "count=100&startIndex=99900",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.do("GET", "/Users?"+query, "").expect(http.StatusOK)
			}
		})
	}
}

// BenchmarkManyMembers is a PATCH that replaces all of ten thousand members, there and back.
func BenchmarkManyMembers(b *testing.B) {
	w := newWorld(b, store.CompleteSCIM)
	w.approve(1000 * time.Hour)
	var half [2][]string
	for i := range 20_000 {
		half[i%2] = append(half[i%2], fmt.Sprintf(`{"value":"00000000-0000-0000-0000-%012d"}`, i))
	}
	w.update(func(tx *store.Tx) error {
		for i := range 20_000 {
			if err := tx.InsertUser(store.User{ID: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), StoreID: storeID, UserName: fmt.Sprint("user", i), Status: store.UserEnabled, Revision: 1, Source: tenant}); err != nil {
				return err
			}
		}
		return nil
	})
	g := w.group("Many")
	for n := 0; b.Loop(); n++ {
		w.do("PATCH", "/Groups/"+g, patch(`{"op":"replace","path":"members","value":[`+strings.Join(half[n%2], ",")+`]}`)).expect(http.StatusNoContent)
	}
	b.StopTimer()
	if n := len(w.do("GET", "/Groups/"+g, "").shownMembers()); n != 10_000 {
		b.Errorf("%d members", n)
	}
}
