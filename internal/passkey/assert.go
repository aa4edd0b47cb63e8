package passkey

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"sallyport/internal/fault"
)

// BeginAssertion returns what PublicKeyCredential.parseRequestOptionsFromJSON takes, for one of the person's keys as a second
// factor: user verification is preferred. A person without keys is Invalid.
func (p *Party) BeginAssertion(who Person, now time.Time) (options json.RawMessage, c Ceremony, err error) {
	if len(who.Keys) == 0 {
		return nil, nil, fault.Invalidf("You have no passkey or security key yet; use another way to sign in.")
	}
	request, session, err := p.lib.BeginLogin(person{who}, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return nil, nil, fmt.Errorf("begin assertion: %w", err)
	}
	return written(second, request.Response, session, now)
}

// BeginPasskey is the same for sign-in by passkey alone: the authenticator says who it is for, and verifies the user.
func (p *Party) BeginPasskey(now time.Time) (options json.RawMessage, c Ceremony, err error) {
	request, session, err := p.lib.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, nil, fmt.Errorf("begin passkey: %w", err)
	}
	return written(alone, request.Response, session, now)
}

// FinishAssertion verifies the browser's answer (credential.toJSON()) to BeginAssertion; Invalid, Unauthenticated.
func (p *Party) FinishAssertion(who Person, c Ceremony, response []byte, now time.Time) (Assertion, error) {
	session, answer, err := p.read(second, c, response, now)
	if err != nil {
		return Assertion{}, err
	}
	if !who.has(answer.RawID) {
		return Assertion{}, second.refuse(unknownKey, nil)
	}
	verified, err := p.lib.ValidateLogin(person{who}, session, answer)
	if err != nil {
		return Assertion{}, second.refuse(failed, explained(err))
	}
	return asserted(who, verified, answer), nil
}

// FinishPasskey verifies the browser's answer to BeginPasskey; Invalid, Unauthenticated. find returns the person of a user
// handle; its NotFound becomes the refusal of an unknown key, and any other error is passed on.
func (p *Party) FinishPasskey(
	c Ceremony, response []byte, now time.Time, find func(handle, keyID []byte) (Person, error),
) (Assertion, error) {
	session, answer, err := p.read(alone, c, response, now)
	if err != nil {
		return Assertion{}, err
	}
	if !answer.Response.AuthenticatorData.Flags.HasUserVerified() {
		return Assertion{}, alone.refuse(unverified, nil)
	}
	handle := answer.Response.UserHandle
	if len(handle) == 0 || len(handle) > protocol.MaximumUserHandleLength {
		return Assertion{}, alone.refuse(unknownKey, fmt.Errorf("user handle of %d bytes", len(handle)))
	}
	who, err := find(handle, answer.RawID)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return Assertion{}, alone.refuse(unknownKey, err)
	case err != nil:
		return Assertion{}, fmt.Errorf("find the passkey's person: %w", err)
	case !who.has(answer.RawID):
		return Assertion{}, alone.refuse(unknownKey, nil)
	}
	found := func(_, _ []byte) (webauthn.User, error) { return person{who}, nil }
	verified, err := p.lib.ValidateDiscoverableLogin(found, session, answer)
	if err != nil {
		return Assertion{}, alone.refuse(failed, explained(err))
	}
	return asserted(who, verified, answer), nil
}

// read opens the ceremony and reads the answer to it, up to where the person's keys are needed.
func (p *Party) read(k kind, c Ceremony, response []byte, now time.Time) (
	session webauthn.SessionData, answer *protocol.ParsedCredentialAssertionData, err error,
) {
	if session, err = c.open(k, now); err != nil {
		return session, nil, err
	}
	if len(response) > maxResponse {
		return session, nil, k.refuse(unreadable, fmt.Errorf("%d bytes", len(response)))
	}
	if answer, err = protocol.ParseCredentialRequestResponseBytes(response); err != nil {
		return session, nil, k.refuse(unreadable, explained(err))
	}
	return session, answer, p.checkClient(k, &session, &answer.Response.CollectedClientData)
}

func (who Person) has(id []byte) bool {
	return slices.ContainsFunc(who.Keys, func(k Key) bool { return bytes.Equal(k.ID, id) })
}

// asserted is the key as it was, with what this assertion changes.
func asserted(who Person, verified *webauthn.Credential, answer *protocol.ParsedCredentialAssertionData) Assertion {
	k := who.Keys[slices.IndexFunc(who.Keys, func(k Key) bool { return bytes.Equal(k.ID, verified.ID) })]
	k.SignCount = verified.Authenticator.SignCount
	k.Flags = fromLibrary(verified).Flags
	return Assertion{
		Key: k, UserVerified: answer.Response.AuthenticatorData.Flags.HasUserVerified(),
		Cloned: verified.Authenticator.CloneWarning,
	}
}
