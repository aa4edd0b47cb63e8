package identitystore

import (
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
)

// Rates are what a call counts against while calls are throttled: a bucket for each operation. Each account has its
// own, so that one which may not administer hinders none that may.
func Rates(operation string, c *endpoint.Call, _ any) []endpoint.Rate {
	return []endpoint.Rate{{Limit: quota.IdentityStoreRate, Key: operation + "/" + string(c.Caller.Account)}}
}
