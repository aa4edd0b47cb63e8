package session

import (
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sallyport/internal/arn"
	"sallyport/internal/credential"
	"sallyport/internal/store"
)

// AccountAccess is the scope of the portal API. It is the only one there is, and what a client without scopes gets.
const AccountAccess = "sso:account:access"

// The grant types that a client may register and use.
const (
	CodeGrant    = "authorization_code"
	DeviceGrant  = "urn:ietf:params:oauth:grant-type:device_code"
	RefreshGrant = "refresh_token"
)

// Registration is what a client says of itself. Nobody vouches for it.
type Registration struct {
	Name         string
	Type         string
	Scopes       []string
	RedirectURIs []string
	GrantTypes   []string
	IssuerURL    string
}

// Client is the answer to a registration.
type Client struct {
	ID        string
	Secret    credential.Secret
	IssuedAt  time.Time
	ExpiresAt time.Time
}

// client is what a client id holds, sealed.
type client struct {
	Key       string   `json:"k"` // names the registration in rows and on the deny list
	Name      string   `json:"n"`
	Scopes    []string `json:"s,omitempty"`
	Redirects []string `json:"r,omitempty"`
	Grants    []string `json:"g,omitempty"`
	Issued    int64    `json:"t"` // seconds since 1970
}

const (
	clientLabel = "client"
	secretLabel = "client secret"

	maxName   = 255
	maxValues = 10
)

// Register makes a client id and its secret. No row is written: the id holds the registration.
func (s *Service) Register(r Registration, from Origin) (Client, error) {
	if err := s.admit(from); err != nil {
		return Client{}, err
	}
	if err := s.check(r); err != nil {
		return Client{}, err
	}
	issued := s.Clock.Now().Truncate(time.Second)
	plain, err := json.Marshal(client{arn.NewUUID(), r.Name, dedupe(r.Scopes), dedupe(r.RedirectURIs), dedupe(r.GrantTypes), issued.Unix()})
	if err != nil {
		return Client{}, fmt.Errorf("encode client: %w", err)
	}
	id := s.Keys.SealBlob(clientLabel, string(s.Instance), plain)
	return Client{id, s.secretOf(id, issued), issued, issued.Add(clientLife)}, nil
}

func (s *Service) check(r Registration) error {
	switch {
	case r.Type != "public":
		return refuse(invalidMetadata, "The client type %q is not supported: register as public.", clip(r.Type))
	case !printable(r.Name):
		return refuse(invalidMetadata, "The client name must have 1 to %d printable characters.", maxName)
	case len(r.Scopes) > maxValues || len(r.RedirectURIs) > maxValues || len(r.GrantTypes) > maxValues:
		return refuse(invalidMetadata, "A client may have at most %d scopes, redirect URIs and grant types each.", maxValues)
	case r.IssuerURL != "" && !s.URLs.AcceptsStartURL(r.IssuerURL):
		return refuse(invalidRequest, "The issuer URL %q is not that of this instance.", clip(r.IssuerURL))
	}
	for _, scope := range r.Scopes {
		if scope != AccountAccess {
			return refuse(invalidScope, "The scope %q is not known. Known: %s.", clip(scope), AccountAccess)
		}
	}
	for _, g := range r.GrantTypes {
		if g != CodeGrant && g != DeviceGrant && g != RefreshGrant {
			return refuse(unsupportedGrant, "The grant type %q is not supported.", clip(g))
		}
	}
	for _, u := range r.RedirectURIs {
		if _, ok := parseLoopback(u); !ok {
			return refuse(invalidRedirect, "The redirect URI %q is not allowed: it must be http://127.0.0.1 or http://[::1] with any path, without a query.", clip(u))
		}
	}
	if slices.Contains(r.GrantTypes, CodeGrant) && len(r.RedirectURIs) == 0 {
		return refuse(invalidRedirect, "The grant type %s needs a redirect URI.", CodeGrant)
	}
	return nil
}

// openClient reads a client id.
func (s *Service) openClient(id string) (client, error) {
	plain, err := s.Keys.OpenBlob(clientLabel, string(s.Instance), id)
	if err != nil {
		return client{}, refuse(invalidClient, "The client is not known here. Register again.")
	}
	var c client
	if err := json.Unmarshal(plain, &c); err != nil {
		return client{}, fmt.Errorf("decode client: %w", err)
	}
	if !s.Clock.Now().Before(c.issued().Add(clientLife)) {
		return client{}, refuse(invalidClient, "The client's registration has expired. Register again.")
	}
	return c, nil
}

// authenticate reads a client id whose holder also has the secret.
func (s *Service) authenticate(id, secret string) (client, error) {
	c, err := s.openClient(id)
	if err != nil {
		return client{}, err
	}
	if subtle.ConstantTimeCompare([]byte(s.secretOf(id, c.issued())), []byte(secret)) != 1 {
		return client{}, refuse(invalidClient, "The client secret is not that of the client. Register again.")
	}
	return c, nil
}

func (s *Service) secretOf(id string, issued time.Time) credential.Secret {
	return credential.Secret(base64.RawURLEncoding.EncodeToString(s.Keys.MAC(secretLabel, issued, id)))
}

func (c client) issued() time.Time { return time.Unix(c.Issued, 0).UTC() }

// may says whether the client registered for a grant. One that named none may use all (RFC 8628 clients name none).
func (c client) may(grant string) bool { return len(c.Grants) == 0 || slices.Contains(c.Grants, grant) }

// Block puts a client registration on the deny list and ends its sessions. It tells how many it were.
func (s *Service) Block(tx *store.Tx, key, by string) (int, error) {
	if err := tx.DenyClient(key, by); err != nil {
		return 0, fmt.Errorf("deny client: %w", err)
	}
	ids, err := tx.LiveSessionsOfClient(key)
	if err != nil {
		return 0, fmt.Errorf("list client's sessions: %w", err)
	}
	return len(ids), s.endAll(tx, ids, by)
}

// EndClientOf ends the sessions that a client registration has for one person. It tells how many it were.
func (s *Service) EndClientOf(tx *store.Tx, key, userID, by string) (int, error) {
	ids, err := tx.LiveSessionsOfClientAndUser(key, userID)
	if err != nil {
		return 0, fmt.Errorf("list client's sessions: %w", err)
	}
	return len(ids), s.endAll(tx, ids, by)
}

// Knows says whether a person has approved the client registration before.
func Knows(tx *store.Tx, key, userID string) (bool, error) {
	known, err := tx.HadSession(key, userID)
	if err != nil {
		return false, fmt.Errorf("look for earlier sessions of client: %w", err)
	}
	return known, nil
}

func (s *Service) endAll(tx *store.Tx, ids []string, by string) error {
	for _, id := range ids {
		if err := s.End(tx, id, by); err != nil {
			return err
		}
	}
	return nil
}

// allowed refuses clients on the deny list.
func allowed(tx *store.Tx, clientKey string) error {
	denied, err := tx.ClientDenied(clientKey)
	if err != nil {
		return fmt.Errorf("read deny list: %w", err)
	}
	if denied {
		return refuse(invalidClient, "This client has been blocked by an administrator.")
	}
	return nil
}

// printable keeps what people are shown free of line breaks, direction overrides and other invisible characters.
func printable(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func dedupe(values []string) []string {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

// clip keeps a hostile value from filling an error message.
func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}
