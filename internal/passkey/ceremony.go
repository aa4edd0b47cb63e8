package passkey

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Ceremony is what the caller keeps between begin and finish: opaque JSON with the challenge and who it is for. It is trusted
// when it comes back, so it stays on the server.
type Ceremony []byte

const (
	lifetime    = 5 * time.Minute
	maxResponse = 64 << 10 // bytes of a browser's answer
)

// kind is what a ceremony is for. One that was begun for something less must not be finished as something more.
type kind string

const (
	registration kind = "registration"
	second       kind = "second"  // a key beside another factor
	alone        kind = "passkey" // a passkey and nothing else
)

// ceremony is what a Ceremony holds.
type ceremony struct {
	Kind    kind                 `json:"kind"`
	Expires time.Time            `json:"expires"`
	Session webauthn.SessionData `json:"session"`
}

func begun(k kind, s *webauthn.SessionData, now time.Time) (Ceremony, error) {
	c, err := json.Marshal(ceremony{Kind: k, Expires: now.Add(lifetime), Session: *s})
	if err != nil {
		return nil, fmt.Errorf("write ceremony: %w", err)
	}
	return c, nil
}

// open reads a ceremony back and checks that it is of the kind, and that its time is not over.
func (c Ceremony) open(k kind, now time.Time) (webauthn.SessionData, error) {
	var held ceremony
	if err := json.Unmarshal(c, &held); err != nil {
		return webauthn.SessionData{}, fmt.Errorf("read ceremony: %w", err)
	}
	if held.Kind != k {
		return webauthn.SessionData{}, k.refuse(otherRequest, fmt.Errorf("ceremony is %q", held.Kind))
	}
	if !now.Before(held.Expires) {
		return webauthn.SessionData{}, k.refuse(tooLate, nil)
	}
	return held.Session, nil
}

// checkClient compares what the browser says it signed, so that the person reads what is wrong. The library does it again,
// except that it takes other spellings of an origin; browsers have one.
func (p *Party) checkClient(k kind, s *webauthn.SessionData, said *protocol.CollectedClientData) error {
	want := protocol.AssertCeremony
	if k == registration {
		want = protocol.CreateCeremony
	}
	switch {
	case said.Type != want || subtle.ConstantTimeCompare([]byte(said.Challenge), []byte(s.Challenge)) != 1:
		return k.refuse(otherRequest, nil)
	case said.Origin != p.origin || said.CrossOrigin || said.TopOrigin != "":
		return k.refuse(p.otherOrigin(), fmt.Errorf("origin %.200q, top origin %.200q", said.Origin, said.TopOrigin))
	}
	return nil
}
