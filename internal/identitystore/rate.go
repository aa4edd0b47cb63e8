package identitystore

import (
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
)

// Rates are what a call counts against while calls are throttled: a bucket for each operation.
func Rates(operation string, _ *endpoint.Call, _ any) []endpoint.Rate {
	return []endpoint.Rate{{Limit: quota.IdentityStoreRate, Key: operation}}
}
