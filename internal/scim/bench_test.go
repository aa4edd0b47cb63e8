package scim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

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
