package mail

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// product is what we are called in letters.
const product = "Sallyport"

// maxDetail is how many characters of what others have named (people, devices, clients) stand in a letter.
const maxDetail = 80

// Letters has the texts of the messages that people get. Each says who writes, what happened, what to do, until when a link
// works, and what to do if it was not the reader. None has a recipient yet: see [Message.For].
type Letters struct {
	Portal string // URL of the portal
}

// NoticeKind is what a notice tells of.
type NoticeKind int

// The kinds of notice.
const (
	NewDevice       NoticeKind = iota // an MFA device was added; the detail is its name
	PasswordChanged                   // the detail may say how
	ClientApproved                    // a program may act for the person; the detail is its name
)

var notices = map[NoticeKind]struct{ subject, happened, label string }{
	NewDevice:       {"A new sign-in device was added to your account", "A new device for signing in was added to your account.", "Device"},
	PasswordChanged: {"The password of your account was changed", "The password of your account was changed.", "How"},
	ClientApproved:  {"A program was given access to your account", "A program was given access to your account. It can now act for you.", "Program"},
}

// Invitation brings a new person the link at which they set up their sign-in.
func (l Letters) Invitation(name, link string, expires time.Time) Message {
	m := l.letter("Your account at "+l.host(), fmt.Sprintf(`Hello %s,

an account has been made for you at %s.
You sign in there to use your organization's AWS accounts.

To set up your sign-in, open this link:

%s

The link works once, until %s.
If it no longer works, ask your administrator for a new invitation.

If you did not expect this message, do not open the link, and tell your
administrator.`, clean(name), l.Portal, link, instant(expires)))
	m.until = expires
	return m
}

// Reset brings a person the link at which they choose a new password.
func (l Letters) Reset(name, link string, expires time.Time) Message {
	m := l.letter("Reset your password at "+l.host(), fmt.Sprintf(`Hello %s,

somebody, probably you, asked for a new password for your account at
%s.

To choose a new password, open this link:

%s

The link works once, until %s.
You will still be asked for your second factor.

If you did not ask for this, you need not do anything: without the link,
your password stays as it is. If it happens again, tell your
administrator.`, clean(name), l.Portal, link, instant(expires)))
	m.until = expires
	return m
}

// Code brings a person a code with which they go on signing in.
func (l Letters) Code(code string, minutes int) Message {
	m := l.letter("Your sign-in code for "+l.host(), fmt.Sprintf(`Your code for signing in is:

    %s

It works once, for %d minutes. Enter it only on the page at
%s
on which you have just given your password. Tell it to nobody: we never
ask for it by telephone or mail.

If you are not signing in at the moment, somebody else knows your
password: change it, and tell your administrator.`, code, minutes, l.Portal))
	m.life = time.Duration(minutes) * time.Minute
	return m
}

// Notice tells a person what was done with their account. At the link they can say that it was not them, which ends all that
// is signed in; without one, the letter sends them to their administrator. The detail and the address may be "".
func (l Letters) Notice(kind NoticeKind, detail string, when time.Time, ip, disownLink string) Message {
	n := notices[kind]
	facts := ""
	for _, fact := range [][2]string{{n.label, detail}, {"When", instant(when)}, {"IP address", ip}} {
		if value := clean(fact[1]); value != "" {
			facts += fmt.Sprintf("    %-11s %s\n", fact[0]+":", value)
		}
	}
	todo := "tell your administrator at once."
	if disownLink != "" {
		todo = "open this link at once. It signs you out\neverywhere and stops every program that acts for you:\n\n" + disownLink +
			"\n\nThen tell your administrator."
	}
	return l.letter(n.subject, fmt.Sprintf("%s\n\n%s\nIf this was you, there is nothing to do.\n\nIf this was NOT you, %s", n.happened, facts, todo))
}

// letter puts the signature under a text.
func (l Letters) letter(subject, text string) Message {
	return Message{Subject: subject, Text: text + "\n\n-- \n" + product + ", the sign-in service at " + l.Portal + `
This message was sent automatically. Replies are not read.
`}
}

// host is the portal's name, as the reader's browser shows it.
func (l Letters) host() string {
	if u, err := url.Parse(l.Portal); err == nil && u.Host != "" {
		return clean(u.Host)
	}
	return product
}

func instant(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// clean makes one short line of what somebody else has named. A stranger may register a client under any name: it must not look
// like a part of our text, turn the direction of writing, or become a link that people click because we sent it.
func clean(s string) string {
	s = strings.ReplaceAll(s, "://", " ")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }), " ")
	if runes := []rune(s); len(runes) > maxDetail {
		return string(runes[:maxDetail-1]) + "…"
	}
	return s
}

// Alert tells whoever looks after a deployment of an alert.
func (l Letters) Alert(severity, rule, what, id string, at time.Time, test bool) Message {
	subject := fmt.Sprintf("[%s] %s at %s", severity, clean(rule), l.host())
	if test {
		subject = "TEST " + subject
	}
	return l.letter(subject, fmt.Sprintf(`%s

    Severity:   %s
    When:       %s
    Alert:      %s

See all of it, and say that you look after it:

    sallyport alerts show %[4]s
    sallyport alerts ack %[4]s --note "..."`, strings.ReplaceAll(what, "://", " "), severity, instant(at), id))
}
