package endpoint

import (
	"context"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
)

// Rate is a bucket that a call takes a token from: the one of a key, of those of a limit.
type Rate struct {
	Limit quota.Name
	Key   string
}

// throttle has the buckets of a process: several nodes admit each as much.
type throttle struct{ buckets quota.Buckets }

// admit refuses a call for which a bucket is empty, and says when to come back. Who calls is known by then, so that a bucket is
// emptied only by whom it is for.
func (t *throttle) admit(rates []Rate, limits quota.Limits, now time.Time) error {
	for _, r := range rates {
		perSecond := limits.Rate(r.Limit)
		if wait := t.buckets.Take(string(r.Limit)+"/"+r.Key, perSecond, now); wait > 0 {
			return &fault.Error{Kind: fault.Throttled, Message: "Rate exceeded", RetryAfter: wait}
		}
	}
	return nil
}

// settings are the settings in force.
func (a *API) settings(ctx context.Context) (setting.Values, error) {
	if a.Settings == nil {
		return byDefault, nil
	}
	return a.Settings(ctx)
}

var byDefault = setting.Defaults()
