package store

import "time"

// RefreshToken is one token of a client session's family. Each is used once and succeeded by that of the next generation.
type RefreshToken struct {
	Hash       string
	SessionID  string
	Generation int64 // from 1 on
	UsedAt     time.Time
	ExpiresAt  time.Time
}

// AuthCode is an authorization code (RFC 6749 §4.1.2) that a person's browser carries to a client.
type AuthCode struct {
	Hash        string
	PortalID    string // session of the person who approved
	ClientKey   string
	RedirectURI string
	Challenge   string // RFC 7636, method S256
	ExpiresAt   time.Time
	SpentOn     string // client session that it became; empty: not yet
}

// DeviceDecision is what a person decided about a device authorization (RFC 8628). Before that there is no row.
type DeviceDecision struct {
	CodeHash  string
	PortalID  string // session of the person who decided
	Approved  bool
	ExpiresAt time.Time
	ToldAt    time.Time // when the client was told; zero: not yet
}

const (
	insertRefresh query = `INSERT INTO refresh_token (hash, session_id, generation, used_at, expires_at) VALUES ($1, $2, $3, 0, $4)`
	refreshByHash query = `SELECT hash, session_id, generation, used_at, expires_at FROM refresh_token WHERE hash = $1`
	useRefresh    query = `UPDATE refresh_token SET used_at = $1 WHERE hash = $2 AND used_at = 0`
	pruneRefresh  query = `DELETE FROM refresh_token WHERE hash IN (SELECT hash FROM refresh_token WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`

	insertAuthCode query = `INSERT INTO auth_code (hash, portal_id, client_key, redirect_uri, challenge, expires_at, spent_on) VALUES ($1, $2, $3, $4, $5, $6, '')`
	authCodeByHash query = `SELECT hash, portal_id, client_key, redirect_uri, challenge, expires_at, spent_on FROM auth_code WHERE hash = $1`
	spendAuthCode  query = `UPDATE auth_code SET spent_on = $1 WHERE hash = $2 AND spent_on = ''`
	pruneAuthCodes query = `DELETE FROM auth_code WHERE hash IN (SELECT hash FROM auth_code WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`

	insertDecision query = `INSERT INTO device_decision (code_hash, portal_id, approved, expires_at, told_at) VALUES ($1, $2, $3, $4, 0)`
	decisionByHash query = `SELECT code_hash, portal_id, approved, expires_at, told_at FROM device_decision WHERE code_hash = $1`
	tellDecision   query = `UPDATE device_decision SET told_at = $1 WHERE code_hash = $2 AND told_at = 0`
	pruneDecisions query = `DELETE FROM device_decision WHERE code_hash IN (SELECT code_hash FROM device_decision WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`

	denyClient   query = `INSERT INTO denied_client (client_key, denied_by, denied_at) VALUES ($1, $2, $3) ON CONFLICT (client_key) DO NOTHING`
	deniedClient query = `SELECT client_key FROM denied_client WHERE client_key = $1`
)

func scanRefresh(r row) (t RefreshToken, err error) {
	var used, expires int64
	err = r.Scan(&t.Hash, &t.SessionID, &t.Generation, &used, &expires)
	t.UsedAt, t.ExpiresAt = fromMicros(used), fromMicros(expires)
	return t, err
}

func scanAuthCode(r row) (c AuthCode, err error) {
	var expires int64
	err = r.Scan(&c.Hash, &c.PortalID, &c.ClientKey, &c.RedirectURI, &c.Challenge, &expires, &c.SpentOn)
	c.ExpiresAt = fromMicros(expires)
	return c, err
}

func scanDecision(r row) (d DeviceDecision, err error) {
	var expires, told int64
	err = r.Scan(&d.CodeHash, &d.PortalID, &d.Approved, &expires, &told)
	d.ExpiresAt, d.ToldAt = fromMicros(expires), fromMicros(told)
	return d, err
}

// InsertRefreshToken adds an unused token.
func (tx *Tx) InsertRefreshToken(t RefreshToken) error {
	_, err := tx.exec(insertRefresh, t.Hash, t.SessionID, t.Generation, micros(t.ExpiresAt))
	return err
}

// RefreshToken is the token with the hash, used or expired or not; ErrNotFound.
func (tx *Tx) RefreshToken(hash string) (RefreshToken, error) {
	return get(tx, refreshByHash, scanRefresh, hash)
}

// UseRefreshToken stamps the first use of a token; ErrNotFound when it was used before.
func (tx *Tx) UseRefreshToken(hash string) error {
	return one(tx.exec(useRefresh, micros(tx.now), hash))
}

// InsertAuthCode adds an unspent code.
func (tx *Tx) InsertAuthCode(c AuthCode) error {
	_, err := tx.exec(insertAuthCode, c.Hash, c.PortalID, c.ClientKey, c.RedirectURI, c.Challenge, micros(c.ExpiresAt))
	return err
}

// AuthCode is the code with the hash, spent or expired or not; ErrNotFound.
func (tx *Tx) AuthCode(hash string) (AuthCode, error) {
	return get(tx, authCodeByHash, scanAuthCode, hash)
}

// SpendAuthCode turns a code into a client session; ErrNotFound when somebody else has.
func (tx *Tx) SpendAuthCode(hash, sessionID string) error {
	return one(tx.exec(spendAuthCode, sessionID, hash))
}

// InsertDeviceDecision adds a decision that the client has not been told; ErrExists when there is one.
func (tx *Tx) InsertDeviceDecision(d DeviceDecision) error {
	_, err := tx.exec(insertDecision, d.CodeHash, d.PortalID, d.Approved, micros(d.ExpiresAt))
	return err
}

// DeviceDecision is the decision about the device code with the hash; ErrNotFound: nobody has decided.
func (tx *Tx) DeviceDecision(codeHash string) (DeviceDecision, error) {
	return get(tx, decisionByHash, scanDecision, codeHash)
}

// TellDeviceDecision marks a decision as told to the client; ErrNotFound when it was told before.
func (tx *Tx) TellDeviceDecision(codeHash string) error {
	return one(tx.exec(tellDecision, micros(tx.now), codeHash))
}

// DenyClient puts a client registration on the deny list.
func (tx *Tx) DenyClient(clientKey, by string) error {
	_, err := tx.exec(denyClient, clientKey, by, micros(tx.now))
	return err
}

// ClientDenied says whether a client registration is on the deny list.
func (tx *Tx) ClientDenied(clientKey string) (bool, error) {
	keys, err := list(tx, deniedClient, func(r row) (key string, err error) { err = r.Scan(&key); return key, err }, clientKey)
	return len(keys) > 0, err
}
