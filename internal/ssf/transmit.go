package ssf

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"sallyport/internal/keyring"
	"sallyport/internal/secevent"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// retired is how long a key that signs no more is published.
const retired = 24 * time.Hour

// configuration says where everything is (SSF 1.0 §7.1).
func (s *Server) configuration(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"spec_version": "1_0", "issuer": s.URL, "jwks_uri": s.URL + Base + "jwks.json",
		"delivery_methods_supported": []string{pushMethod, pollMethod},
		"configuration_endpoint":     s.URL + Base + "stream",
		"status_endpoint":            s.URL + Base + "status",
		"verification_endpoint":      s.URL + Base + "verify",
		"authorization_schemes":      []map[string]string{{"spec_urn": "urn:ietf:rfc:6750"}},
		"default_subjects":           "ALL",
	})
}

// publicKeys are those that our tokens are verified with: the one that signs, those that signed lately, and the next.
func (s *Server) publicKeys(w http.ResponseWriter, r *http.Request) {
	var all []secevent.Key
	for _, k := range s.Ring.Keys(keyring.Signals, s.DB.Now().Add(-retired)) {
		key, err := secevent.NewKey(k.ID(), k.Derive)
		if err != nil {
			s.Log.ErrorContext(r.Context(), "derive signing key", "error", err)
			later(w)
			return
		}
		all = append(all, key)
	}
	set, err := secevent.PublicKeys(all)
	if err != nil {
		s.Log.ErrorContext(r.Context(), "publish keys", "error", err)
		later(w)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "max-age=30") // less than a new key is published before it signs
	_, _ = w.Write(set)
}

// sign makes the token of a signal for a stream. It is made anew for each try, with the same jti, by the key that signs now.
func (s *Server) sign(to store.SignalStream, out store.SignalOut) (string, error) {
	var b signal.Body
	if err := json.Unmarshal([]byte(out.Body), &b); err != nil {
		return "", fmt.Errorf("decode signal: %w", err)
	}
	k := s.Ring.Current(keyring.Signals)
	key, err := secevent.NewKey(k.ID(), k.Derive)
	if err != nil {
		return "", err
	}
	return key.Sign(map[string]any{
		"iss": s.URL, "jti": out.JTI, "iat": out.At.Unix(), "aud": to.Audience, "sub_id": s.subject(to, b).Claim(), "events": map[string]any{b.Type: b.Event},
	})
}

// subject names a person as a stream wants it. One without a mail address is named by our id in any case.
func (s *Server) subject(to store.SignalStream, b signal.Body) secevent.Subject {
	if b.Type == secevent.Verification {
		return secevent.Subject{Format: secevent.Opaque, ID: to.ID}
	}
	who := secevent.Subject{Format: secevent.IssSub, Issuer: s.URL, Sub: b.UserID}
	if to.Subject == store.SubjectEmail && b.Email != "" {
		who = secevent.Subject{Format: secevent.Email, Email: b.Email}
	}
	if b.Session == "" {
		return who
	}
	return secevent.Subject{Format: secevent.Complex, User: &who, Session: &secevent.Subject{Format: secevent.Opaque, ID: b.Session}}
}
