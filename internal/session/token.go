package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// TokenRequest is what a client sends for tokens. Which members count depends on the grant type.
type TokenRequest struct {
	ClientID     string
	ClientSecret string
	GrantType    string
	DeviceCode   string
	Code         string
	RedirectURI  string
	CodeVerifier string
	RefreshToken string
}

// Grant is a token request that the client may make and that is well formed. Whether it holds is in the database.
type Grant struct {
	TokenRequest
	client     client
	from       Origin
	deviceHash string
}

// Token is what a client gets.
type Token struct {
	Access    credential.Secret
	Refresh   credential.Secret // empty: none
	ExpiresIn time.Duration
}

// Outcome is what became of a grant: a token, or a refusal that must be told only after the transaction is committed,
// since it may have used something up or ended a session.
type Outcome struct {
	Token   Token
	Session store.Session // the client session concerned; its ID is empty when there is none
	Refused *fault.Error
	Reused  string // what was used a second time, for which the session was ended: "authorization code", "refresh token"
}

// OpenGrant checks all of a token request that needs no database.
func (s *Service) OpenGrant(r TokenRequest, from Origin) (Grant, error) {
	if err := s.admit(from); err != nil {
		return Grant{}, err
	}
	c, err := s.authenticate(r.ClientID, r.ClientSecret)
	if err != nil {
		return Grant{}, err
	}
	g := Grant{TokenRequest: r, client: c, from: from}
	var complete bool
	switch r.GrantType {
	case DeviceGrant:
		complete = r.DeviceCode != ""
	case CodeGrant:
		complete = r.Code != "" && r.RedirectURI != "" && r.CodeVerifier != ""
	case RefreshGrant:
		complete = r.RefreshToken != ""
	default:
		return Grant{}, refuse(unsupportedGrant, "The grant type %q is not supported.", clip(r.GrantType))
	}
	if !complete {
		return Grant{}, refuse(invalidRequest, "The request lacks something that the grant type %s needs.", r.GrantType)
	}
	if !c.may(r.GrantType) {
		return Grant{}, refuse(unauthorizedClient, "The client has not registered for the grant type %s.", r.GrantType)
	}
	if r.GrantType == DeviceGrant {
		g.deviceHash, err = s.openDevice(c, r.DeviceCode)
	}
	return g, err
}

// Decided refuses a poll while nobody has decided, so that polling writes nothing.
func (s *Service) Decided(tx *store.Tx, g Grant) error {
	if g.GrantType != DeviceGrant {
		return nil
	}
	_, err := tx.DeviceDecision(g.deviceHash)
	if errors.Is(err, store.ErrNotFound) {
		return refuse(authorizationPending, "Nobody has decided yet. Keep polling.")
	}
	if err != nil {
		return fmt.Errorf("load device decision: %w", err)
	}
	return nil
}

// Redeem turns a grant into a token, once.
func (s *Service) Redeem(tx *store.Tx, g Grant) (Outcome, error) {
	if err := allowed(tx, g.client.Key); err != nil {
		return refused(err)
	}
	switch g.GrantType {
	case DeviceGrant:
		return s.redeemDevice(tx, g)
	case CodeGrant:
		return s.redeemCode(tx, g)
	default:
		return s.redeemRefresh(tx, g)
	}
}

// redeemDevice tells the client once what the person decided.
func (s *Service) redeemDevice(tx *store.Tx, g Grant) (Outcome, error) {
	d, err := tx.DeviceDecision(g.deviceHash)
	if err != nil {
		return Outcome{}, fmt.Errorf("load device decision: %w", err)
	}
	switch {
	case !d.ToldAt.IsZero() && d.Approved:
		return refused(refuse(invalidGrant, "The device code has been used. Start again."))
	case !d.ToldAt.IsZero():
		return refused(refuse(expiredToken, "The device code has been refused. Start again."))
	}
	if err := tx.TellDeviceDecision(g.deviceHash); err != nil {
		return Outcome{}, fmt.Errorf("mark device decision: %w", err)
	}
	if !d.Approved {
		return refused(refuse(accessDenied, "The person did not allow it."))
	}
	return s.startClient(tx, g, arn.NewTimeUUID(tx.Now()), d.PortalID)
}

// redeemCode exchanges an authorization code. A second exchange by someone who has all that belongs to it means that
// code and verifier have leaked: the session made of the first one ends (RFC 6749 §4.1.2).
func (s *Service) redeemCode(tx *store.Tx, g Grant) (Outcome, error) {
	hash := credential.HashBearer(g.Code)
	c, err := tx.AuthCode(hash)
	if errors.Is(err, store.ErrNotFound) {
		return refused(refuse(invalidGrant, "The authorization code is not known."))
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("load authorization code: %w", err)
	}
	switch {
	case c.ClientKey != g.client.Key:
		return refused(refuse(invalidGrant, "The authorization code belongs to another client."))
	case c.RedirectURI != g.RedirectURI:
		return refused(refuse(invalidGrant, "The redirect URI is not the one that the code was sent to, with its port."))
	case !verifies(c.Challenge, g.CodeVerifier):
		return refused(refuse(invalidGrant, "The code verifier does not fit the code challenge."))
	case c.SpentOn != "":
		return s.endFamily(tx, c.SpentOn, "authorization code")
	case !tx.Now().Before(c.ExpiresAt):
		return refused(refuse(expiredToken, "The authorization code has expired. Start again."))
	}
	id := arn.NewTimeUUID(tx.Now())
	if err := tx.SpendAuthCode(hash, id); err != nil {
		return Outcome{}, fmt.Errorf("spend authorization code: %w", err)
	}
	return s.startClient(tx, g, id, c.PortalID)
}

// verifies checks a PKCE verifier (RFC 7636 §4.6).
func verifies(challenge, verifier string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// startClient makes a client session below a portal session, whose end it inherits.
func (s *Service) startClient(tx *store.Tx, g Grant, id, portalID string) (Outcome, error) {
	p, err := tx.Session(portalID)
	if err != nil {
		return Outcome{}, fmt.Errorf("load portal session: %w", err)
	}
	if err := live(tx, p); err != nil {
		return refusedAs(accessDenied, err)
	}
	now := tx.Now()
	c := store.Session{
		ID: id, ParentID: p.ID, UserID: p.UserID, ClientKey: g.client.Key, ClientName: g.client.Name, Scopes: AccountAccess,
		IP: clip(g.from.IP), UserAgent: cut(g.from.UserAgent), MFAAt: p.MFAAt, CreatedAt: now, SeenAt: now, ExpiresAt: p.ExpiresAt,
	}
	if err := tx.InsertSession(c); err != nil {
		return Outcome{}, fmt.Errorf("add client session: %w", err)
	}
	out := Outcome{Session: c}
	if out.Token, err = s.accessToken(tx, g.client, c); err != nil {
		return Outcome{}, err
	}
	if len(g.client.Scopes) > 0 && g.client.may(RefreshGrant) {
		out.Token.Refresh, err = s.refreshToken(tx, c, 1)
	}
	return out, err
}

// accessToken makes a bearer token of a client session that does not outlive it.
func (s *Service) accessToken(tx *store.Tx, c client, of store.Session) (Token, error) {
	life := scopedLife
	if len(c.Scopes) == 0 {
		life = unscopedLife
	}
	life = min(life, of.ExpiresAt.Sub(tx.Now()))
	token, hash := credential.NewBearer(credential.AccessToken)
	err := tx.InsertAccessToken(store.AccessToken{Hash: hash, SessionID: of.ID, IssuedAt: tx.Now(), ExpiresAt: tx.Now().Add(life)})
	if err != nil {
		return Token{}, fmt.Errorf("add access token: %w", err)
	}
	return Token{Access: token, ExpiresIn: life.Truncate(time.Second)}, nil
}

// refused is the outcome of a fault; any other error stays one.
func refused(err error) (Outcome, error) {
	var e *fault.Error
	if !errors.As(err, &e) {
		return Outcome{}, err
	}
	return Outcome{Refused: e}, nil
}

// refusedAs is as refused, with an OAuth code for a fault that has none.
func refusedAs(code string, err error) (Outcome, error) {
	if e := fault.As(err); e != nil {
		err = refuse(code, "%s", strings.TrimSuffix(e.Message, "."))
	}
	return refused(err)
}
