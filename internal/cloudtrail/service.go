// Package cloudtrail is the part of AWS CloudTrail that clients need beside Identity Center: it reads what was done, over the sealed log.
package cloudtrail

import (
	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/endpoint"
	"sallyport/internal/trail"
)

// Service implements the generated contract.
type Service struct {
	api.Unimplemented[*endpoint.Call]

	Trails trail.House
}
