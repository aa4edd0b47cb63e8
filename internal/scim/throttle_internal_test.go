package scim

import (
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestRetryTakesNothingTwice: a transaction that the database runs again is the same request.
func TestRetryTakesNothingTwice(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clocktest.At(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)))
	err := db.View(t.Context(), func(tx *store.Tx) error {
		s := &Server{}
		request := func() *call {
			return &call{s: s, tx: tx, op: &operation{}, settings: setting.Values{LimitsThrottle: setting.AWSRates}}
		}
		one := request()
		for range 30 {
			if err := one.throttle(); err != nil {
				return err
			}
			for range 2 { // of a request with several operations
				if err := one.throttleMembers(50); err != nil {
					return err
				}
			}
		}
		if err := one.throttleMembers(1); err == nil {
			t.Error("another member is admitted")
		}
		for range 24 {
			if err := request().throttle(); err != nil {
				return err
			}
		}
		if err := request().throttle(); err == nil {
			t.Error("another request is admitted")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
