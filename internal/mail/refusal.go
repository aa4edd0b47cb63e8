package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
)

// Permanent says whether an error of Send is about this message for good: the server answered 5xx to its recipient or its text,
// or it is no message that could be sent. What is wrong with the server, its certificate or the password of our account is not:
// an operator may mend it, so the message can wait.
func Permanent(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.final
}

// refusal is a step that failed. Its text may be logged: it has the server's codes and never the server's words, which often
// repeat the address.
type refusal struct {
	step  string // "refused the recipient"
	final bool
	err   error
}

func (r *refusal) Error() string {
	var reply *textproto.Error
	if !errors.As(r.err, &reply) {
		return r.step + ": " + plain(r.err)
	}
	text := fmt.Sprintf("%s: %d", r.step, reply.Code)
	if status := enhanced.FindString(reply.Msg); status != "" {
		text += " " + status
	}
	return text
}

func (r *refusal) Unwrap() error { return r.err }

// enhanced is a status code of RFC 3463, with which a reply's text may begin.
var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// plain is the text of an error that is no reply.
func plain(err error) string {
	var odd textproto.ProtocolError // repeats what the server sent
	if errors.As(err, &odd) {
		return "the answer is not SMTP"
	}
	return err.Error()
}

// failed is a step that another attempt may pass.
func failed(step string, err error) error { return &refusal{step: step, err: err} }

// refused is a step about the message: a reply of 5xx is for good (RFC 5321 §4.2.1).
func refused(step string, err error) error {
	var reply *textproto.Error
	return &refusal{step: step, final: errors.As(err, &reply) && reply.Code >= 500, err: err}
}

// unfit is a message that cannot be sent, whatever the server.
func unfit(err error) error {
	return &refusal{step: "the message cannot be sent", final: true, err: err}
}

// because prefers the reason for which a context ended to what that did to a connection.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return failed("gave up", context.Cause(ctx))
	}
	return err
}
