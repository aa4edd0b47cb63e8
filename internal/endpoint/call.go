// Package endpoint is the request path of an AWS-style API: route, read, authenticate, decode, authorize, run, record, answer.
// An operation's own package holds its rule and nothing of this.
package endpoint

import (
	"strings"

	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/page"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// Call is one authenticated, decoded request in progress: what the path has established, handed to every implementation.
type Call struct {
	Tx     *store.Tx         // nil for Direct operations
	DB     *store.DB         // for Direct operations, which open short transactions themselves
	Caller credential.Caller // Kind Nobody for open operations
	Event  *audit.Event      // implementations may add resources and details
	Region string
	Source Source
	Limits quota.Limits // that hold for this call

	operation string
	throttled bool // as far as its service is
	pages     *page.Codec
}

// Source is where the request came from, for pages and records that tell a person of it.
type Source struct {
	IP        string
	UserAgent string
	RequestID string
	TLS       audit.TLSDetails
}

// Page is the page that a list was asked for: maxResults nil means the default of 100. filter names everything else that
// selects rows, so that a token fits only the list it came from.
func (c *Call) Page(maxResults *int32, token *string, filter ...string) (page.Query, error) {
	q := page.Query{Limit: 100}
	if maxResults != nil {
		q.Limit = int(*maxResults)
	}
	if token == nil {
		return q, nil
	}
	var err error
	q.After, err = c.pages.Open(c.scope(filter), *token)
	return q, err
}

// NextToken is the token of the page after key, nil after the last page. filter is as it was given to Page.
func (c *Call) NextToken(key page.Key, filter ...string) *string {
	if key == nil {
		return nil
	}
	s := c.pages.Seal(c.scope(filter), key)
	return &s
}

// scope binds a token to operation, filter and caller. A person's token follows their session, others their account.
func (c *Call) scope(filter []string) string {
	return strings.Join(append([]string{c.operation, string(c.Caller.Account), c.Caller.SessionID}, filter...), "\x00")
}
