package session

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"sallyport/internal/credential"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// AuthorizeRequest is a client's well-formed request for an authorization code. A person has yet to consent.
type AuthorizeRequest struct {
	ClientName  string // the client's word
	Scopes      []string
	RedirectURI string // with the port that the client listens on
	State       string

	ClientKey string // names the registration
	challenge string
}

// RedirectError is a refusal that the client is told by way of the person's browser (RFC 6749 §4.1.2.1).
type RedirectError struct {
	RedirectURI string
	Code        string
	Description string
	State       string
}

func (e *RedirectError) Error() string { return e.Code + ": " + e.Description }

// Location is where the browser takes the refusal to.
func (e *RedirectError) Location() string {
	return location(e.RedirectURI, url.Values{"error": {e.Code}, "error_description": {e.Description}}, e.State)
}

// Deny is the refusal of a person who does not consent.
func (r AuthorizeRequest) Deny() *RedirectError {
	return &RedirectError{r.RedirectURI, accessDenied, "The person did not allow it.", r.State}
}

const (
	codePrefix = "aoc"
	maxState   = 1024
)

// CheckAuthorize reads the parameters of /authorize. An error is a *[RedirectError], for the client to hear, once client
// and redirect URI have been found right; before that it is a fault, for the person, and nobody may be redirected.
func (s *Service) CheckAuthorize(q url.Values) (AuthorizeRequest, error) {
	if len(q["client_id"]) != 1 || len(q["redirect_uri"]) != 1 {
		return AuthorizeRequest{}, refuse(invalidRequest, "The request needs one client_id and one redirect_uri. Start the sign-in again.")
	}
	c, err := s.openClient(q.Get("client_id"))
	if err != nil {
		return AuthorizeRequest{}, err
	}
	uri := q.Get("redirect_uri")
	if !matchesRedirect(c.Redirects, uri) {
		return AuthorizeRequest{}, refuse(invalidRequest, "The redirect URI %q is not one that the client has registered.", clip(uri))
	}
	r := AuthorizeRequest{ClientName: c.Name, Scopes: []string{AccountAccess}, RedirectURI: uri, ClientKey: c.Key}
	if state := q["state"]; len(state) > 1 || len(q.Get("state")) > maxState {
		return AuthorizeRequest{}, &RedirectError{uri, invalidRequest, "There must be one state of at most 1024 bytes.", ""}
	}
	r.State, r.challenge = q.Get("state"), q.Get("code_challenge")
	if code, description := problem(c, q); code != "" {
		return AuthorizeRequest{}, &RedirectError{uri, code, description, r.State}
	}
	return r, nil
}

// problem checks what a client may get wrong once it is known. The texts hold no character that RFC 6749 keeps out of
// descriptions.
func problem(c client, q url.Values) (code, description string) {
	for _, name := range []string{"response_type", "code_challenge", "code_challenge_method", "scope", "scopes"} {
		if len(q[name]) > 1 { // RFC 6749 §3.1
			return invalidRequest, "The parameter " + name + " comes more than once."
		}
	}
	// The AWS CLI writes scopes, others write scope.
	scopes := strings.Fields(q.Get("scopes") + " " + q.Get("scope"))
	switch {
	case q.Get("response_type") != "code":
		return unsupportedResponse, "The response type must be code."
	case !c.may(CodeGrant):
		return unauthorizedClient, "The client has not registered for authorization codes."
	case slices.ContainsFunc(scopes, func(scope string) bool { return scope != AccountAccess }):
		return invalidScope, "The only scope is " + AccountAccess + "."
	case q.Get("code_challenge_method") != "S256":
		return invalidRequest, "The code challenge method must be S256." // plain protects nothing (case S28)
	case !isChallenge(q.Get("code_challenge")):
		return invalidRequest, "The code challenge must have 43 characters of unpadded base64url."
	}
	return "", ""
}

// isChallenge says whether s is a SHA-256 in unpadded base64url (RFC 7636 §4.2).
func isChallenge(s string) bool {
	b, ok := keyring.Decode(s, 43)
	return ok && len(b) == 32
}

// GrantCode makes the authorization code for a person who has consented, and returns where their browser takes it.
func (s *Service) GrantCode(tx *store.Tx, portal store.Session, r AuthorizeRequest) (string, error) {
	if err := allowed(tx, r.ClientKey); err != nil {
		return "", err
	}
	code, hash := credential.NewBearer(codePrefix)
	err := tx.InsertAuthCode(store.AuthCode{
		Hash: hash, PortalID: portal.ID, ClientKey: r.ClientKey, RedirectURI: r.RedirectURI,
		Challenge: r.challenge, ExpiresAt: tx.Now().Add(codeLife),
	})
	if err != nil {
		return "", fmt.Errorf("add authorization code: %w", err)
	}
	return location(r.RedirectURI, url.Values{"code": {string(code)}}, r.State), nil
}

// location adds an answer to a redirect URI, which has no query of its own.
func location(redirectURI string, answer url.Values, state string) string {
	if state != "" {
		answer.Set("state", state)
	}
	return redirectURI + "?" + answer.Encode()
}
