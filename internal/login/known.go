package login

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// KnownLife is how long a browser counts as one in which somebody has signed in.
const KnownLife = 90 * 24 * time.Hour

const knownLabel = "known browser"

// mark is what a browser keeps of a sign-in, sealed. Its Nonce tells browsers apart.
type mark struct {
	User    string `json:"u"`
	Nonce   string `json:"n"`
	Expires int64  `json:"e"` // seconds since 1970
}

// knownBrowser makes the mark of a browser in which the user has signed in. It proves nothing and opens nothing. Failures
// in such a browser are counted apart from everybody else's, so that a stranger who guesses at a name locks out strangers,
// not the person at the browser that they use every day (OWASP's device cookies).
func (s *Service) knownBrowser(userID string, now time.Time) string {
	plain, err := json.Marshal(mark{userID, base64.RawURLEncoding.EncodeToString(random(16)), now.Add(KnownLife).Unix()})
	if err != nil {
		return "" // cannot be: strings and a number
	}
	return s.Sessions.Keys.SealBlob(knownLabel, string(s.Store), plain)
}

// markOf reads a browser's mark. One that is old or not ours is as good as none.
func (s *Service) markOf(known string, now time.Time) (m mark) {
	plain, err := s.Sessions.Keys.OpenBlob(knownLabel, string(s.Store), known)
	if err != nil || json.Unmarshal(plain, &m) != nil || now.Unix() >= m.Expires {
		return mark{}
	}
	return m
}
