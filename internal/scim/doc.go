// Package scim is the SCIM 2.0 server (RFC 7643, 7644) by which people and groups come in from elsewhere. It speaks two dialects,
// as each token says: AWS's, whose limits integrators know, and the RFCs' own. Both write through package directory.
//
// A token belongs to a tenant, and a tenant to an identity store. It sees and changes what comes from its tenant, and what was
// made here and comes from no tenant, which becomes the tenant's with the first change.
package scim

import (
	"context"
	"log/slog"
	"net/http"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/login"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// Server answers SCIM requests.
type Server struct {
	DB     *store.DB
	Login  *login.Service // of the organization's identity store, which is the one that SCIM fills
	Owner  arn.AccountID
	Region string
	URL    string // of the server, without a slash at its end
	Pages  *page.Codec
	Log    *slog.Logger
	Limits func(context.Context) (quota.Limits, error)
	// Settings are those in force; nil: the defaults.
	Settings func(context.Context) (setting.Values, error)
	// Record keeps the event of a read, which no change waits for.
	Record func(*audit.Event)
	// Origin is the address and the user agent of a request.
	Origin func(*http.Request) (ip, userAgent string)

	buckets quota.Buckets // of this process: several nodes admit each as much
}

// Messages by their URNs.
const (
	listMessage  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorMessage = "urn:ietf:params:scim:api:messages:2.0:Error"
	bulkMessage  = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
)

// Bounds of requests.
const (
	maxBody  = 1 << 20 // what ServiceProviderConfig says
	maxPage  = 100
	maxDelta = 100 // changes of members in one request of AWS's dialect

	maxLargeBody = 4 << 20 // in the complete dialect: some 50,000 members
	maxLargePage = 1000
	maxBulk      = 1000 // operations
)

const mediaType = "application/scim+json"
