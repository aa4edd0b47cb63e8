package ssoadmin

import (
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
)

// Rates are what a call counts against while calls are throttled: one bucket for all operations. Each account has its own, so that
// one which may not administer hinders none that may.
func Rates(_ string, c *endpoint.Call, _ any) []endpoint.Rate {
	return []endpoint.Rate{{Limit: quota.AdminRate, Key: string(c.Caller.Account)}}
}
