package cloudtrail

import (
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
)

// Rates are what a call counts against while calls are throttled: look-ups alone have a rate that AWS tells.
func Rates(operation string, c *endpoint.Call, _ any) []endpoint.Rate {
	if operation != "LookupEvents" {
		return nil
	}
	return []endpoint.Rate{{Limit: quota.LookupRate, Key: operation + "/" + string(c.Caller.Account)}}
}
