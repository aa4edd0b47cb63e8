// Package passkey registers and verifies WebAuthn credentials (W3C Web Authentication Level 3): security keys, built-in
// authenticators and synced passkeys. It is the only package that knows the library behind it.
//
// A ceremony has two halves. Begin returns options for the browser and a [Ceremony] for the caller, who keeps it where the
// browser cannot reach it; Finish takes the browser's answer. The caller drops a ceremony as soon as Finish has been called
// with it, whatever came of it: that is what makes a challenge good for one answer only.
//
// Attestation is not asked for, and is not read when it comes all the same: no maker of authenticators is trusted more than
// another here, so a statement would prove nothing.
package passkey
