package passkey

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"sallyport/internal/fault"
)

// BeginRegistration returns what PublicKeyCredential.parseCreationOptionsFromJSON takes. Authenticators that hold one of the
// person's keys are excluded; a resident key and user verification are preferred.
func (p *Party) BeginRegistration(who Person, now time.Time) (options json.RawMessage, c Ceremony, err error) {
	u := person{who}
	creation, session, err := p.lib.BeginRegistration(u,
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{UserVerification: protocol.VerificationPreferred}),
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementPreferred),
		webauthn.WithCredentialParameters(algorithms),
		webauthn.WithExclusions(webauthn.Credentials(u.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithExtensions(webauthn.WithExtensionCredProps()), // tells whether the key became resident
	)
	if err != nil {
		return nil, nil, fmt.Errorf("begin registration: %w", err)
	}
	return written(registration, creation.Response, session, now)
}

// written is the browser's half of a begun ceremony and the caller's.
func written(k kind, response any, s *webauthn.SessionData, now time.Time) (options json.RawMessage, c Ceremony, err error) {
	if options, err = json.Marshal(response); err != nil {
		return nil, nil, fmt.Errorf("write options: %w", err)
	}
	if c, err = begun(k, s, now); err != nil {
		return nil, nil, err
	}
	return options, c, nil
}

// FinishRegistration returns the key that the browser's answer (credential.toJSON()) registers; Invalid, Conflict. That no
// other person has a key of the same id is for the caller to see to (WebAuthn section 7.1, step 26).
func (p *Party) FinishRegistration(who Person, c Ceremony, response []byte, now time.Time) (Key, error) {
	session, err := c.open(registration, now)
	if err != nil {
		return Key{}, err
	}
	if len(response) > maxResponse {
		return Key{}, registration.refuse(unreadable, fmt.Errorf("%d bytes", len(response)))
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Key{}, registration.refuse(unreadable, explained(err))
	}
	if err := p.checkClient(registration, &session, &answer.Response.CollectedClientData); err != nil {
		return Key{}, err
	}
	o := &answer.Response.AttestationObject
	o.Format, o.AttStatement, o.SubStatements = string(protocol.AttestationFormatNone), nil, nil // not asked for, not read
	created, err := p.lib.CreateCredential(person{who}, session, answer)
	if err != nil {
		return Key{}, registration.refuse(failed, explained(err))
	}
	if err := checkPublicKey(created.PublicKey); err != nil {
		return Key{}, registration.refuse(unusable, err)
	}
	if who.has(created.ID) {
		return Key{}, fault.Conflictf("This passkey is registered already; use another device.")
	}
	return fromLibrary(created), nil
}
