package scim

import (
	"context"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
)

// spent is what a request has taken from the buckets. A transaction that runs again takes nothing twice.
type spent struct {
	request bool
	members int // taken
	changed int // by this run of the transaction
}

// settings are those in force.
func (s *Server) settings(ctx context.Context) (setting.Values, error) {
	if s.Settings == nil {
		return byDefault, nil
	}
	return s.Settings(ctx)
}

var byDefault = setting.Defaults()

// throttle refuses a request for which there is no room. Who asks is known by then, so that nobody else empties the bucket.
func (c *call) throttle() error {
	c.spent.changed = 0
	if c.settings.LimitsThrottle == setting.Off || c.spent.request {
		return nil
	}
	c.spent.request = true
	rate := quota.SCIMWriteRate
	if c.op.reads {
		rate = quota.SCIMReadRate
	}
	return c.spend(rate, 1)
}

// throttleMembers refuses changes of members for which there is no room; the transaction undoes what was changed.
func (c *call) throttleMembers(n int) error {
	c.spent.changed += n
	more := c.spent.changed - c.spent.members
	if c.settings.LimitsThrottle == setting.Off || more <= 0 {
		return nil
	}
	if err := c.spend(quota.SCIMMemberRate, more); err != nil {
		return err
	}
	c.spent.members += more
	return nil
}

func (c *call) spend(rate quota.Name, n int) error {
	wait := c.s.buckets.Spend(string(rate)+"/"+string(c.from.StoreID), n, c.limits.Rate(rate), c.tx.Now())
	if wait <= 0 {
		return nil
	}
	wait = (wait + time.Second - 1).Truncate(time.Second) // who comes back in that time is let in
	return &fault.Error{Kind: fault.Throttled, Message: "Rate exceeded", RetryAfter: wait}
}
