package mail

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"sallyport/internal/fault"
)

// Bounds of a message. An address is at most a path of RFC 5321 §4.5.3.1.3 without its angle brackets.
const (
	maxAddress = 254
	maxSubject = 200
	maxText    = 64 << 10
)

// Message is a text for one person.
type Message struct {
	To      string // name@host, without a display name
	Subject string
	Text    string // lines end with LF

	// What the outbox needs to know: a code or link that is of no use any more is not sent.
	until time.Time     // zero: no end
	life  time.Duration // from Enqueue on; 0: no end
}

// For is the message addressed to somebody.
func (m Message) For(address string) Message {
	m.To = address
	return m
}

// letter is a message with what makes it the same one when it is sent again.
type letter struct {
	Message
	id string // unique; letters and digits
	at time.Time
}

func newLetter(m Message, at time.Time) letter { return letter{m, rand.Text(), at} }

// CheckAddress says whether an address has the form to which mail can be sent: name@host and nothing else. The fault does not
// repeat the address.
func CheckAddress(address string) error {
	_, err := parseAddress(address)
	return err
}

// parseAddress checks an address and writes its host in ASCII (IDNA).
func parseAddress(address string) (string, error) {
	if len(address) > maxAddress {
		return "", fault.Invalidf("The mail address is longer than %d characters.", maxAddress)
	}
	a, err := netmail.ParseAddress(address)
	if err != nil || a.Name != "" || a.Address != address {
		return "", fault.Invalidf("The mail address has not the form name@host.")
	}
	return asciiHost(address)
}

// parseSender reads an address that may have a display name: Sallyport <sallyport@example.org>.
func parseSender(from string) (netmail.Address, error) {
	a, err := netmail.ParseAddress(from)
	if err != nil || strings.ContainsFunc(from, unicode.IsControl) || len(from) > maxAddress {
		return netmail.Address{}, fault.Invalidf("The sender of mail has not the form name@host or Name <name@host>.")
	}
	if a.Address, err = parseAddress(a.Address); err != nil {
		return netmail.Address{}, fault.Invalidf("The sender of mail has not the form name@host or Name <name@host>.")
	}
	return *a, nil
}

func asciiHost(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	host, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil || host == "" {
		return "", fault.Invalidf("The mail address does not end with the name of a host.")
	}
	return address[:at+1] + host, nil
}

func hostOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// check refuses what would not become the message that was meant. Without it, a line break in a subject would make headers.
func (m Message) check() (to string, err error) {
	if to, err = parseAddress(m.To); err != nil {
		return "", err
	}
	switch {
	case m.Subject == "" || len(m.Subject) > maxSubject || !utf8.ValidString(m.Subject) || strings.ContainsFunc(m.Subject, unicode.IsControl):
		return "", fault.Invalidf("The subject of a mail must be one line of text of at most %d bytes.", maxSubject)
	case m.Text == "" || len(m.Text) > maxText || !utf8.ValidString(m.Text):
		return "", fault.Invalidf("The text of a mail must be text of at most %d bytes.", maxText)
	}
	return to, nil
}

// compose writes a message in the form of RFC 5322 and MIME.
func compose(from netmail.Address, to string, l letter) ([]byte, error) {
	var b bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	header("Date", l.at.UTC().Format(time.RFC1123Z))
	header("Message-ID", "<"+l.id+"@"+hostOf(from.Address)+">")
	header("From", fold(from.String()))
	header("To", to)
	header("Subject", fold(mime.QEncoding.Encode("utf-8", l.Subject)))
	header("Auto-Submitted", "auto-generated") // RFC 3834 §5: no out-of-office answers
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	if _, err := body.Write([]byte(l.Text)); err != nil {
		return nil, fmt.Errorf("encode text: %w", err)
	}
	if err := body.Close(); err != nil {
		return nil, fmt.Errorf("encode text: %w", err)
	}
	return b.Bytes(), nil
}

// fold breaks lines between encoded words, each of which has at most 75 characters (RFC 2047 §2).
func fold(value string) string { return strings.ReplaceAll(value, "?= =?", "?=\r\n =?") }
