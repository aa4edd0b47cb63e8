package credential

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

const (
	// MaxDuration is the longest life of any credentials (GetSessionToken's and GetFederationToken's). It is also how
	// long a retired key still verifies.
	MaxDuration = 36 * time.Hour

	maxToken     = 4096 // wire protocols §15
	sessionLabel = "role session"
	rolePrefix   = "ASIA"
)

// Minter makes and opens the credentials of role sessions. Opening one reads no database (hard part 2):
//
//	session token     = base64url(keyring's sealed form of the payload, bound to the access key id)
//	secret access key = base64(MAC(SHA-256(session token)))
//
// so the secret is stored nowhere, and differs even where two access key ids, which carry 40 random bits, are equal.
type Minter struct {
	keys  *keyring.Ring
	epoch string
	cache *cache
}

// NewMinter returns the minter of a database in its present epoch.
func NewMinter(ctx context.Context, db *store.DB, keys *keyring.Ring) (*Minter, error) {
	m := &Minter{keys: keys, cache: newCache(cacheSize)}
	err := db.View(ctx, func(tx *store.Tx) (err error) {
		m.epoch, err = tx.Epoch()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read epoch: %w", err)
	}
	return m, nil
}

// RoleGrant is a right to be put into credentials. Whoever fills it has evaluated the right.
type RoleGrant struct {
	RoleARN     string // with its path; says the account and the name as well
	RoleID      string // AROA…
	SessionName string
	UserName    string // of the person behind the session, if any

	UserID        string
	SessionID     string
	ParentID      string
	PermissionSet string // ARN
	ViaKey        string // long-term access key that asked, if one did
	Emergency     string // opening of an emergency access that the right comes from, if it does

	CutsSeen       int64     // store.Tx.LatestCut in that snapshot, or one before
	Issued         time.Time // store.Tx.Now of the snapshot in which the right was evaluated
	Duration       time.Duration
	MFATime        time.Time
	SourceIdentity string
	Tags           map[string]string
	SessionPolicy  string // JSON
}

// Credentials are what a client signs with.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
	Expiration      time.Time
	Correlation     string // UUID: see Caller
}

// Role makes the credentials of a session of a role.
func (m *Minter) Role(g RoleGrant) (Credentials, error) {
	c := Caller{
		RoleARN: g.RoleARN, RoleID: g.RoleID, SessionName: g.SessionName, UserName: g.UserName,
		UserID: g.UserID, SessionID: g.SessionID, ParentID: g.ParentID, PermissionSet: g.PermissionSet, ViaKey: g.ViaKey, Emergency: g.Emergency,
		CutsSeen: g.CutsSeen, Issued: g.Issued, Expires: g.Issued.Add(g.Duration).Truncate(time.Second),
		MFATime: g.MFATime, SourceIdentity: g.SourceIdentity, Tags: g.Tags, SessionPolicy: g.SessionPolicy,
	}
	if !c.derive() || g.Issued.IsZero() || g.Duration <= 0 || g.Duration > MaxDuration {
		return Credentials{}, fmt.Errorf("mint role credentials: the grant is incomplete: role %q, issued %v, for %v", g.RoleARN, g.Issued, g.Duration)
	}
	payload, err := encode(&c, m.epoch)
	if err != nil {
		return Credentials{}, err
	}
	id := arn.NewAccessKeyID(rolePrefix, c.Account)
	key := m.keys.Current(keyring.Credentials)
	token := base64.RawURLEncoding.EncodeToString(key.Seal(sessionLabel, id, payload))
	if len(token) > maxToken {
		return Credentials{}, fault.Quotaf("The session policy and the session tags are too long: the session token would have %d bytes of at most %d.", len(token), maxToken).WithReason("packed-policy-too-large")
	}
	hash := sha256.Sum256([]byte(token))
	return Credentials{
		AccessKeyID: id, SecretAccessKey: secretOf(key, hash),
		SessionToken: Secret(token), Expiration: c.Expires, Correlation: correlationOf(hash),
	}, nil
}

// correlationOf is the public name of a token. It is written nowhere in it and leads nobody to it: a hash of 256 random bits' hash.
func correlationOf(tokenHash [32]byte) string {
	sum := sha256.Sum256(append([]byte("correlation of role session\x00"), tokenHash[:]...))
	return arn.UUIDOf([16]byte(sum[:16]))
}

// secretOf is the secret access key of a token: 40 characters, as AWS's have.
func secretOf(k *keyring.Key, tokenHash [32]byte) Secret {
	return Secret(base64.StdEncoding.EncodeToString(k.MAC(sessionLabel, string(tokenHash[:]))[:30]))
}

// Open finds the caller behind a session token and the secret that they must have signed with. Nothing is proved before
// the signature is checked. The caller is shared and may not be changed.
func (m *Minter) Open(token, accessKeyID string, now time.Time) (Caller, Secret, error) {
	if len(token) > maxToken || !strings.HasPrefix(accessKeyID, rolePrefix) {
		return Caller{}, "", errToken()
	}
	hash := sha256.Sum256([]byte(token))
	o, ok := m.cache.get(hash)
	if !ok {
		if o, ok = m.open(token, accessKeyID, hash); ok {
			m.cache.put(hash, o)
		}
	}
	retired := ok && !o.key.RetiredAt().IsZero() && !now.Before(o.key.RetiredAt().Add(MaxDuration))
	switch {
	case !ok || retired || o.caller.AccessKeyID != accessKeyID:
		return Caller{}, "", errToken()
	case !now.Before(o.caller.Expires):
		return Caller{}, "", fault.Unauthenticatedf(fault.AuthExpired, "The security token included in the request is expired")
	}
	return o.caller, o.secret, nil
}

func (m *Minter) open(token, accessKeyID string, hash [32]byte) (*opened, bool) {
	raw, ok := keyring.Decode(token, maxToken)
	if !ok {
		return nil, false
	}
	payload, key, err := m.keys.Open(keyring.Credentials, sessionLabel, accessKeyID, raw)
	if err != nil {
		return nil, false
	}
	c, epoch, err := decode(payload)
	if err != nil || epoch != m.epoch || !c.derive() {
		return nil, false
	}
	c.AccessKeyID, c.Correlation = accessKeyID, correlationOf(hash)
	return &opened{c, secretOf(key, hash), key}, true
}

// derive fills what follows from the role's ARN and the session's name. It is false for what is not a role.
func (c *Caller) derive() bool {
	a, err := arn.Parse(c.RoleARN)
	path, ok := strings.CutPrefix(a.Resource, "role/")
	account, err2 := arn.ParseAccountID(a.Account)
	if err != nil || err2 != nil || !ok || c.RoleID == "" || c.SessionName == "" {
		return false
	}
	c.Kind, c.Account = RoleSession, account
	c.RoleName = path[strings.LastIndexByte(path, '/')+1:]
	c.ARN = account.AssumedRoleARN(c.RoleName, c.SessionName)
	c.PrincipalID = c.RoleID + ":" + c.SessionName
	return true
}

// errToken is for every token that is not ours as it stands. It does not tell why. The words are AWS's.
func errToken() error {
	return fault.Unauthenticatedf(fault.AuthUnknownKey, "The security token included in the request is invalid.")
}
