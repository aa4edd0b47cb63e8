package passkey

import (
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"

	"sallyport/internal/fault"
)

// refusal is what a person reads, and the reason of an Unauthenticated fault.
type refusal struct{ message, reason string }

var (
	unreadable   = refusal{"The browser's answer about the passkey cannot be read; try again, or use another browser.", fault.AuthIncomplete}
	tooLate      = refusal{"The passkey was not used within five minutes; start again.", fault.AuthExpired}
	otherRequest = refusal{"The passkey's answer belongs to another request; start again.", fault.AuthSignature}
	unknownKey   = refusal{"This passkey is not registered here; use another one.", fault.AuthUnknownKey}
	unverified   = refusal{"To sign in by passkey alone, it has to ask for a PIN, fingerprint or face; use another way.", fault.AuthSignature}
	unusable     = refusal{"This passkey is of a kind that is not supported; use another one.", fault.AuthSignature}
	failed       = refusal{"The passkey could not be verified; start again.", fault.AuthSignature}
)

func (p *Party) otherOrigin() refusal {
	return refusal{"The passkey was used on another site; open " + p.origin + " and start again.", fault.AuthSignature}
}

// refuse makes the fault: Invalid when the answer has no shape or a registration fails, otherwise Unauthenticated. The cause
// is for the log.
func (k kind) refuse(r refusal, cause error) error {
	of := fault.Unauthenticated
	if k == registration || r == unreadable {
		of = fault.Invalid
	}
	e := fault.Newf(of, "%s", r.message).WithReason(r.reason)
	e.Err = cause
	return e
}

// explained adds to an error of the library's what it keeps aside for developers, shortened: it may quote the browser.
func explained(err error) error {
	var e *protocol.Error
	if !errors.As(err, &e) {
		return err
	}
	return fmt.Errorf("%s: %.200s (%.200q)", e.Type, e.Details, e.DevInfo)
}
