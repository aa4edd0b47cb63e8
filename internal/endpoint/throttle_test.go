package endpoint_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"sallyport/internal/quota"
	"sallyport/internal/setting"
)

func (w *world) throttled() {
	in := setting.Defaults()
	in.LimitsThrottle = setting.AWSRates
	w.api.Settings = func(context.Context) (setting.Values, error) { return in, nil }
}

// TestThrottle: calls beyond the rate are told when to come back, of what nobody proved nothing is counted, and a refused call is
// no event.
func TestThrottle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.throttled()
	for range 50 {
		if a := w.send(w.sign(w.target("ListPermissionSets", listInput), "AKIAFORGED", "sso")); a.code != "UnrecognizedClientException" {
			t.Fatalf("a forged key: %+v", a)
		}
		if a := w.list(other, listInput); a.code != "AccessDeniedException" && a.code != "ThrottlingException" {
			t.Fatalf("a stranger: %+v", a)
		}
	}
	for n := range 20 {
		if a := w.list(full, listInput); a.status != http.StatusOK {
			t.Fatalf("call %d of 20: %+v", n, a)
		}
	}
	before := len(w.events())
	for _, a := range []answer{w.list(full, listInput), w.create(full, "X")} { // all operations together
		if a.code != "ThrottlingException" || a.status != http.StatusBadRequest || a.header.Get("Retry-After") != "1" || a.message != "Rate exceeded" {
			t.Errorf("call 21: %+v", a)
		}
	}
	if n := len(w.events()) - before; n != 0 {
		t.Errorf("refused calls have %d events", n)
	}
	if a := w.send(w.sign(w.action(whoAmI), full, "sts")); a.status != http.StatusOK {
		t.Errorf("a service that is not throttled: %+v", a)
	}
	w.clock.Advance(time.Second)
	for n := range 20 {
		if a := w.list(full, listInput); a.status != http.StatusOK {
			t.Fatalf("call %d, a second later: %+v", n, a)
		}
	}
}

// TestThrottleIsOff: by default nothing is counted, whatever the limit is.
func TestThrottleIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.api.Quotas = &quota.Book{Replace: map[quota.Name]int{quota.AdminRate: 1}}
	for range 50 {
		if a := w.list(full, listInput); a.status != http.StatusOK {
			t.Fatalf("%+v", a)
		}
	}
}

// TestSettingsUnknown: a call whose rules can't be read is not decided by others.
func TestSettingsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.api.Settings = func(context.Context) (setting.Values, error) { return setting.Values{}, errors.New("no database") }
	if a := w.list(full, listInput); a.code != "InternalServerException" || a.status != http.StatusInternalServerError {
		t.Errorf("%+v", a)
	}
}
