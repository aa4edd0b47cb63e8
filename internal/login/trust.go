package login

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

const trustLabel = "trusted browser"

// trust is what a browser keeps, sealed, of a person's word that it is theirs. It stands in for the second factor when the
// mode is context-aware, until the browser, the device or the network changes.
type trust struct {
	User    string `json:"u"`
	Issued  int64  `json:"i"` // microseconds since 1970
	Expires int64  `json:"e"`
	Network string `json:"n"`
	Agent   string `json:"a"` // hash of what the browser calls itself, which names its device and version
}

// trustBrowser makes the mark of a browser that its person trusts.
func (s *Service) trustBrowser(v setting.Values, userID string, from Browser, now time.Time) string {
	plain, err := json.Marshal(trust{userID, now.UnixMicro(), now.Add(v.MFATrustLife).UnixMicro(), from.Network(), agentOf(from)})
	if err != nil {
		return "" // cannot be: strings and numbers
	}
	return s.Sessions.Keys.SealBlob(trustLabel, string(s.Store), plain)
}

// trusts says whether the browser is one that the user trusts, still.
func (s *Service) trusts(tx *store.Tx, userID string, from Browser) (bool, error) {
	plain, err := s.Sessions.Keys.OpenBlob(trustLabel, string(s.Store), from.Trust)
	var t trust
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return false, nil // ours or not: worth nothing
	}
	state, err := tx.SignInState(userID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, fmt.Errorf("load sign-in state: %w", err)
	}
	now := tx.Now().UnixMicro()
	return t.User == userID && now >= t.Issued && now < t.Expires && t.Network == from.Network() && t.Agent == agentOf(from) &&
		time.UnixMicro(t.Issued).After(state.TrustAfter), nil
}

func agentOf(from Browser) string {
	h := sha256.Sum256([]byte(from.UserAgent))
	return base64.RawURLEncoding.EncodeToString(h[:12])
}
