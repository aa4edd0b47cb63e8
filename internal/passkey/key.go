package passkey

import (
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Key is the record of one registered credential. Nothing in it is secret.
type Key struct {
	ID         []byte   `json:"id"`         // chosen by the authenticator, 1 to 1023 bytes; the caller keeps it unique
	PublicKey  []byte   `json:"publicKey"`  // COSE_Key in CBOR (RFC 9052 section 7)
	AAGUID     string   `json:"aaguid"`     // model of the authenticator, as a UUID; all zero when it does not tell
	Transports []string `json:"transports"` // hints for the browser on how to reach the authenticator
	Attachment string   `json:"attachment"` // "platform", "cross-platform" or empty: unknown

	// Discoverable tells that the key can sign in on its own (a resident key). The browser says so and nobody signs it: it
	// is for texts, not for decisions.
	Discoverable bool  `json:"discoverable"`
	Flags        Flags `json:"flags"`

	// SignCount is the authenticator's counter at the last assertion; 0 for the many that have none.
	SignCount uint32 `json:"signCount"`
}

// Flags are the authenticator data's (WebAuthn section 6.1) at registration, and since then at the last assertion.
type Flags struct {
	UserPresent    bool `json:"userPresent"`
	UserVerified   bool `json:"userVerified"`   // at registration, by PIN, fingerprint or face
	BackupEligible bool `json:"backupEligible"` // a synced passkey; never changes
	BackedUp       bool `json:"backedUp"`       // and has been synced
}

// Person is somebody who has keys or gets one.
type Person struct {
	Handle      []byte // user handle, 1 to 64 bytes that say nothing about the person; authenticators keep it
	Name        string
	DisplayName string
	Keys        []Key
}

// Assertion is a verified answer to a challenge.
type Assertion struct {
	Key          Key  // with its new sign count and flags, to be stored
	UserVerified bool // the authenticator asked for a PIN, fingerprint or face this time

	// Cloned tells that the counter did not rise, so two authenticators may hold the key (WebAuthn section 6.1.1). The
	// caller refuses and records it; the sign count is left as it was.
	Cloned bool
}

// Bounds of a public key. RSA only is large, and verifying takes longer the larger it is.
const (
	maxPublicKey = 1024 // bytes
	minModulus   = 256  // bytes: 2048 bits
	maxModulus   = 512  // bytes: 4096 bits
)

// algorithms are those that registration asks for, best liked first.
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256},
}

// checkPublicKey refuses a key that no signature could be verified with later: the library looks at the algorithm only.
func checkPublicKey(cose []byte) error {
	if len(cose) > maxPublicKey {
		return fmt.Errorf("public key of %d bytes", len(cose))
	}
	parsed, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return err
	}
	var alg int64
	var want webauthncose.COSEAlgorithmIdentifier
	switch k := parsed.(type) {
	case webauthncose.EC2PublicKeyData:
		alg, want = k.Algorithm, webauthncose.AlgES256
	case webauthncose.OKPPublicKeyData:
		alg, want = k.Algorithm, webauthncose.AlgEdDSA
	case webauthncose.RSAPublicKeyData:
		if n := len(k.Modulus); n < minModulus || n > maxModulus {
			return fmt.Errorf("RSA modulus of %d bytes", n)
		}
		alg, want = k.Algorithm, webauthncose.AlgRS256
	}
	if want == 0 || alg != int64(want) {
		return fmt.Errorf("%T with algorithm %d", parsed, alg)
	}
	return nil
}

// fromLibrary makes our record of the library's.
func fromLibrary(c *webauthn.Credential) Key {
	k := Key{
		ID: c.ID, PublicKey: c.PublicKey, Attachment: string(c.Authenticator.Attachment), SignCount: c.Authenticator.SignCount,
		Discoverable: c.Extensions.RK != nil && *c.Extensions.RK,
		Flags: Flags{
			UserPresent: c.Flags.UserPresent, UserVerified: c.Flags.UserVerified,
			BackupEligible: c.Flags.BackupEligible, BackedUp: c.Flags.BackupState,
		},
	}
	if a := c.Authenticator.AAGUID; len(a) == 16 {
		k.AAGUID = fmt.Sprintf("%x-%x-%x-%x-%x", a[:4], a[4:6], a[6:8], a[8:10], a[10:])
	}
	for _, t := range c.Transport {
		if slices.Contains(transports, t) && !slices.Contains(k.Transports, string(t)) {
			k.Transports = append(k.Transports, string(t))
		}
	}
	return k
}

// transports are those that a record keeps: the list comes from the browser, unsigned.
var transports = []protocol.AuthenticatorTransport{
	protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal,
}

// person is a Person as the library wants one.
type person struct{ Person }

func (p person) WebAuthnID() []byte          { return p.Handle }
func (p person) WebAuthnName() string        { return p.Name }
func (p person) WebAuthnDisplayName() string { return p.DisplayName }

func (p person) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(p.Keys))
	for i, k := range p.Keys {
		all[i] = webauthn.Credential{
			ID: k.ID, PublicKey: k.PublicKey, Authenticator: webauthn.Authenticator{SignCount: k.SignCount},
			Flags: webauthn.CredentialFlags{
				UserPresent: k.Flags.UserPresent, UserVerified: k.Flags.UserVerified,
				BackupEligible: k.Flags.BackupEligible, BackupState: k.Flags.BackedUp,
			},
		}
		for _, t := range k.Transports {
			all[i].Transport = append(all[i].Transport, protocol.AuthenticatorTransport(t))
		}
	}
	return all
}
