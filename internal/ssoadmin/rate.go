package ssoadmin

import (
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
)

// Rates are what a call counts against while calls are throttled: one bucket for all operations.
func Rates(string, *endpoint.Call, any) []endpoint.Rate {
	return []endpoint.Rate{{Limit: quota.AdminRate}}
}
