package passkeytest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"

	"github.com/fxamacker/cbor/v2"
)

// Response is credential.toJSON(): a RegistrationResponseJSON or an AuthenticationResponseJSON. Tests read one, change it and
// write it again.
type Response struct {
	ID         string `json:"id"`
	RawID      Bytes  `json:"rawId"`
	Type       string `json:"type"`
	Attachment string `json:"authenticatorAttachment"`
	Response   struct {
		ClientData        Bytes    `json:"clientDataJSON"`
		AttestationObject Bytes    `json:"attestationObject,omitempty"`
		Transports        []string `json:"transports,omitempty"`
		AuthenticatorData Bytes    `json:"authenticatorData,omitempty"`
		Signature         Bytes    `json:"signature,omitempty"`
		UserHandle        Bytes    `json:"userHandle,omitempty"`
	} `json:"response"`
	Extensions map[string]any `json:"clientExtensionResults"`
}

// Flags of authenticator data (WebAuthn section 6.1).
const (
	UserPresent    = 1 << 0
	UserVerified   = 1 << 2
	BackupEligible = 1 << 3
	BackedUp       = 1 << 4
	attested       = 1 << 6
)

// ClientData is the JSON that a browser signs.
type ClientData struct {
	Type        string `json:"type"`
	Challenge   string `json:"challenge"`
	Origin      string `json:"origin"`
	CrossOrigin bool   `json:"crossOrigin"`
}

func (a *Authenticator) client(ceremony string, challenge Bytes) []byte {
	c := ClientData{ceremony, challenge.String(), a.Origin, false}
	if a.Challenge != "" {
		c.Challenge = a.Challenge
	}
	return written(c)
}

// authData is the fixed part of authenticator data.
func (a *Authenticator) authData(k *key, flags byte) []byte {
	rpID := k.rpID
	if a.RPID != "" {
		rpID = a.RPID
	}
	if !a.Absent {
		flags |= UserPresent
	}
	if a.UserVerified && !a.Unverified {
		flags |= UserVerified
	}
	if k.synced {
		flags |= BackupEligible | BackedUp
	}
	hash := sha256.Sum256([]byte(rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), k.count)
}

// PublicKey is an ES256 key in COSE (RFC 9053 section 7.1.1).
type PublicKey struct {
	Type      int    `cbor:"1,keyasint"`
	Algorithm int    `cbor:"3,keyasint"`
	Curve     int    `cbor:"-1,keyasint"`
	X         []byte `cbor:"-2,keyasint"`
	Y         []byte `cbor:"-3,keyasint"`
}

// AttestationObject is what an authenticator answers to a registration (WebAuthn section 6.5).
type AttestationObject struct {
	Format    string         `cbor:"fmt"`
	Statement map[string]any `cbor:"attStmt"`
	AuthData  []byte         `cbor:"authData"`
}

func (a *Authenticator) created(k *key, challenge Bytes) []byte {
	point, err := k.private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	cose := CBOR(PublicKey{Type: 2, Algorithm: -7, Curve: 1, X: point[1:33], Y: point[33:]})
	r := a.response(k)
	r.Response.ClientData = a.client("webauthn.create", challenge)
	r.Response.AttestationObject = CBOR(AttestationObject{"none", map[string]any{}, Attested(a.authData(k, attested), k.id, cose)})
	r.Response.Transports = []string{"internal"}
	r.Extensions["credProps"] = map[string]bool{"rk": k.resident}
	return written(r)
}

// Attested adds attested credential data with an all-zero AAGUID to authenticator data (WebAuthn section 6.5.2).
func Attested(authData, id, cose []byte) []byte {
	data := append(slices.Clone(authData), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(id)))
	return slices.Concat(data, id, cose)
}

// CBOR writes a value in CTAP2's canonical form.
func CBOR(v any) []byte {
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	data, err := mode.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

func (a *Authenticator) signed(k *key, challenge Bytes) []byte {
	r := a.response(k)
	r.Response.ClientData = a.client("webauthn.get", challenge)
	r.Response.AuthenticatorData = a.authData(k, 0)
	if k.resident {
		r.Response.UserHandle = k.handle
	}
	private := k.private
	if a.ImpostorKeys {
		private = newKey()
	}
	client := sha256.Sum256(r.Response.ClientData)
	sum := sha256.Sum256(slices.Concat(r.Response.AuthenticatorData, client[:]))
	sig, err := ecdsa.SignASN1(rand.Reader, private, sum[:])
	if err != nil {
		panic(err)
	}
	r.Response.Signature = sig
	return written(r)
}

func (a *Authenticator) response(k *key) Response {
	return Response{
		ID: Bytes(k.id).String(), RawID: k.id, Type: "public-key", Attachment: "platform", Extensions: map[string]any{},
	}
}

func written(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}

// Bytes is a Base64URLString: without padding, and read strictly, as browsers do.
type Bytes []byte

func (b Bytes) String() string { return base64.RawURLEncoding.EncodeToString(b) }

// MarshalText writes base64url.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads base64url.
func (b *Bytes) UnmarshalText(text []byte) (err error) {
	*b, err = base64.RawURLEncoding.Strict().DecodeString(string(text))
	return err
}
