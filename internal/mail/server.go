package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/smtp"
	"strconv"
	"time"
	"unicode/utf8"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// Server is the mail server that takes our messages.
type Server struct {
	Address  string                 // host:port
	From     string                 // name@host or Name <name@host>
	UserName string                 // "": without an account
	Password func() (string, error) // asked each time, so that it can be changed while the program runs; nil without an account
	TLS      string                 // one of the constants; "" is StartTLS
	Roots    *x509.CertPool         // nil: the system's
}

// How a connection is protected. There is no way from one to another: a server that does not offer what is set gets nothing.
const (
	StartTLS    = "starttls" // usual on port 587
	ImplicitTLS = "tls"      // usual on port 465 (RFC 8314 §3.3)
	NoTLS       = "none"     // to a server on this machine only, and without an account
)

const (
	sendLimit = time.Minute      // for one message, from dialling to the server's last word
	dialLimit = 10 * time.Second // of that
	maxReply  = 256 << 10        // bytes that a server may send in one connection
)

// Check says what is wrong with the settings.
func (s Server) Check() error {
	host, port, err := net.SplitHostPort(s.Address)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
		return fault.Invalidf("The mail server %q will not do: expected host:port, such as mail.example.org:587.", s.Address)
	}
	if _, err := parseSender(s.From); err != nil {
		return err
	}
	switch s.TLS {
	case "", StartTLS, ImplicitTLS:
	case NoTLS:
		if !loopback(host) {
			return fault.Invalidf("The mail server %s must be spoken to under TLS: only one on this machine may do without. Set starttls or tls.", s.Address)
		}
		if s.UserName != "" {
			return fault.Invalidf("A user name and password for the mail server are sent under TLS only: set starttls or tls.")
		}
	default:
		return fault.Invalidf("The mail server's TLS is %q: expected starttls, tls or none.", s.TLS)
	}
	if (s.UserName == "") != (s.Password == nil) {
		return fault.Invalidf("The mail server needs both a user name and a password, or neither.")
	}
	return nil
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// Send hands a message to the server. When it returns nil, the server has taken the responsibility for it (RFC 5321 §6.1);
// otherwise [Permanent] tells whether it is worth another try.
func (s Server) Send(ctx context.Context, m Message) error {
	return s.send(ctx, newLetter(m, clock.System{}.Now()))
}

func (s Server) send(ctx context.Context, l letter) error {
	if err := s.Check(); err != nil {
		return err
	}
	from, err := parseSender(s.From)
	if err != nil {
		return err
	}
	to, err := l.check()
	if err != nil {
		return unfit(err)
	}
	data, err := compose(from, to, l)
	if err != nil {
		return unfit(err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	c, err := s.connect(ctx, hostOf(from.Address))
	if err != nil {
		return because(ctx, err)
	}
	defer func() { _ = c.Close() }() // nothing hangs on it any more
	if err := deliver(c, from.Address, to, data); err != nil {
		return because(ctx, err)
	}
	_ = c.Quit() // the message is the server's already
	return nil
}

// connect returns a connection that is ready for a message. It ends with ctx.
func (s Server) connect(ctx context.Context, ourName string) (_ *smtp.Client, err error) {
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	conn, err := s.dial(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, failed("the mail server does not greet", err)
	}
	if err := c.Hello(ourName); err != nil {
		return nil, failed("the mail server does not answer our greeting", err)
	}
	if s.TLS == "" || s.TLS == StartTLS {
		if err := startTLS(c, config); err != nil {
			return nil, err
		}
	}
	return c, s.signIn(c, host)
}

// dial opens the stream over which SMTP begins.
func (s Server) dial(ctx context.Context, config *tls.Config) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialLimit}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, failed("cannot connect to the mail server", err)
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	far, ok := conn.RemoteAddr().(*net.TCPAddr)
	if s.TLS == NoTLS && (!ok || !far.IP.IsLoopback()) { // whatever localhost resolves to
		_ = conn.Close()
		return nil, failed("cannot connect to the mail server", errors.New("without TLS it must be on this machine"))
	}
	stream := &bounded{conn, maxReply}
	if s.TLS != ImplicitTLS {
		return stream, nil
	}
	secure := tls.Client(stream, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, failed("cannot make a secure connection to the mail server", err)
	}
	return secure, nil
}

// startTLS insists: somebody on the way may have taken the offer out of the server's answer (RFC 3207 §6).
func startTLS(c *smtp.Client, config *tls.Config) error {
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return failed("cannot make a secure connection to the mail server", errors.New("it does not offer STARTTLS"))
	}
	if err := c.StartTLS(config); err != nil {
		return failed("cannot make a secure connection to the mail server", err)
	}
	return nil
}

func (s Server) signIn(c *smtp.Client, host string) error {
	if s.UserName == "" {
		return nil
	}
	if _, secure := c.TLSConnectionState(); !secure { // Check has seen to it
		return failed("cannot sign in to the mail server", errors.New("the connection is not secure"))
	}
	password, err := s.Password()
	if err != nil {
		return failed("cannot read the password for the mail server", err)
	}
	if ok, _ := c.Extension("AUTH"); !ok {
		return failed("cannot sign in to the mail server", errors.New("it does not offer AUTH"))
	}
	if err := c.Auth(smtp.PlainAuth("", s.UserName, password, host)); err != nil {
		return failed("the mail server refused our user name and password", err)
	}
	return nil
}

func deliver(c *smtp.Client, from, to string, data []byte) error {
	if ok, _ := c.Extension("SMTPUTF8"); !ok && !ascii(to) {
		return &refusal{step: "refused the recipient", final: true, err: errors.New("the mail server takes only addresses in ASCII")}
	}
	if err := c.Mail(from); err != nil {
		return failed("the mail server refused the sender", err)
	}
	if err := c.Rcpt(to); err != nil {
		return refused("the mail server refused the recipient", err)
	}
	w, err := c.Data()
	if err != nil {
		return refused("the mail server refused the message", err)
	}
	if _, err := w.Write(data); err != nil {
		return failed("cannot send the message", err)
	}
	if err := w.Close(); err != nil {
		return refused("the mail server refused the message", err)
	}
	return nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// bounded reads no more than a number of bytes: package textproto would keep an endless line.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the mail server says too much")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
