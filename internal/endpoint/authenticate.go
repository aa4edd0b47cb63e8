package endpoint

import (
	"crypto/sha256"
	"net/http"

	"sallyport/internal/awsapi"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// bearerHeader carries the portal access token (model shape AccessTokenType).
const bearerHeader = "X-Amz-Sso_bearer_token"

// authenticate establishes the caller. An operation without SigV4 ignores a signature that comes anyway (case S33). A self
// operation takes a portal access token in place of a signature: where both are, the signature counts, and it alone.
func (a *API) authenticate(r *http.Request, m *mount, op *awsapi.Operation[*Call], body []byte) (credential.Caller, error) {
	switch {
	case op.Self && r.Header.Get(bearerHeader) != "" && !hasSignature(r):
		return a.bearer(r)
	case !op.Unsigned:
		return a.signed(r, m, body)
	case m.rule.Bearer:
		return a.bearer(r)
	}
	return credential.Caller{}, nil
}

// hasSignature tells whether a request carries a signature, or anything that was meant to be one.
func hasSignature(r *http.Request) bool {
	_, err := sigv4.Parse(r)
	f := fault.As(err)
	return f == nil || f.Reason != fault.AuthMissing
}

// bearer finds the person behind a portal access token. Who was found stays so until a change arrives or the token expires. Without
// news of changes nobody is looked for: what would be read may be as old as the news.
func (a *API) bearer(r *http.Request) (credential.Caller, error) {
	if a.Ready != nil {
		if err := a.Ready(); err != nil {
			return credential.Caller{}, err
		}
	}
	token := r.Header.Get(bearerHeader)
	read := func() (c credential.Caller, err error) {
		err = a.DB.View(r.Context(), func(tx *store.Tx) (err error) {
			c, err = a.Bearer(tx, token)
			return err
		})
		return c, err
	}
	c, err := a.Bearers.Get(sha256.Sum256([]byte(token)), read)
	if err == nil && !a.Clock.Now().Before(c.Expires) {
		return read() // which says why not
	}
	return c, err
}

// signed verifies the signature and then that the right behind the key still stands: who cannot prove a key learns nothing of it.
func (a *API) signed(r *http.Request, m *mount, body []byte) (credential.Caller, error) {
	sig, err := sigv4.Parse(r)
	if err != nil {
		return credential.Caller{}, err
	}
	if len(sig.SessionToken) > 8192 {
		return credential.Caller{}, fault.Unauthenticatedf(fault.AuthUnknownKey, "The security token included in the request is invalid.")
	}
	c, secret, err := a.Key(r.Context(), sig.AccessKeyID, sig.SessionToken)
	if err != nil {
		return credential.Caller{}, err
	}
	if err := m.verifier.Verify(r, body, sig, string(secret), a.Clock.Now()); err != nil {
		return credential.Caller{}, err
	}
	return c, a.Gate(r.Context(), c)
}
