package mailtest

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
)

// Received is a message that the server has taken.
type Received struct {
	From   string // of the envelope
	To     []string
	User   string // who signed in; "": nobody
	Secure bool   // under TLS
	Data   []byte // the whole message; lines end with LF

	Header  mail.Header
	Subject string // decoded
	Text    string // decoded; lines end with LF
}

// session is one connection.
type session struct {
	*Server
	conn   net.Conn
	text   *textproto.Conn
	secure bool
	msg    Received
}

func (s *Server) session(conn net.Conn, implicit bool) {
	c := &session{Server: s, conn: conn}
	if implicit && !c.handshake() {
		return
	}
	c.text = textproto.NewConn(c.conn)
	if ordered, ok := s.answer("GREETING"); ok {
		c.say(ordered)
		return
	}
	for c.say("220 mailtest ESMTP"); ; {
		line, err := c.text.ReadLine()
		if err != nil {
			return
		}
		command, argument, _ := strings.Cut(line, " ")
		command = strings.ToUpper(command)
		s.hear(command, c.secure)
		if ordered, ok := s.answer(command); ok {
			c.say(ordered)
		} else if !c.do(command, argument) {
			return
		}
	}
}

func (c *session) handshake() bool {
	conn := tls.Server(c.conn, c.config())
	if conn.Handshake() != nil {
		return false
	}
	c.conn, c.secure = conn, true
	return true
}

// say writes a reply; an error shows at the next read.
func (c *session) say(reply string) { _ = c.text.PrintfLine("%s", reply) }

// do does a command and says whether the connection goes on.
func (c *session) do(command, argument string) bool {
	switch command {
	case "EHLO":
		c.say("250-mailtest")
		for _, extension := range c.extensions() {
			c.say("250-" + extension)
		}
		c.say("250 8BITMIME")
	case "STARTTLS":
		return c.startTLS()
	case "AUTH":
		c.auth(argument)
	case "MAIL":
		c.mail(argument)
	case "RCPT":
		c.msg.To = append(c.msg.To, path(argument))
		c.say("250 2.1.5 Ok")
	case "DATA":
		c.data()
	case "RSET", "NOOP":
		c.say("250 2.0.0 Ok")
	case "QUIT":
		c.say("221 2.0.0 Bye")
		return false
	default:
		c.say("502 5.5.1 No such command")
	}
	return true
}

func (c *session) extensions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.secure && !c.noTLS:
		return []string{"STARTTLS"}
	case c.user != "":
		return []string{"AUTH LOGIN PLAIN"}
	}
	return nil
}

func (c *session) startTLS() bool {
	c.say("220 2.0.0 Go ahead")
	if !c.handshake() {
		return false
	}
	c.text, c.msg = textproto.NewConn(c.conn), Received{}
	return true
}

// auth takes PLAIN with an initial response (RFC 4616).
func (c *session) auth(argument string) {
	c.mu.Lock()
	want := "\x00" + c.user + "\x00" + c.password
	c.mu.Unlock()
	got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(argument, "PLAIN "))
	if err != nil || string(got) != want {
		c.say("535 5.7.8 Authentication credentials invalid")
		return
	}
	c.msg.User = strings.Split(want, "\x00")[1]
	c.say("235 2.7.0 Welcome")
}

func (c *session) mail(argument string) {
	c.mu.Lock()
	stranger, bare := c.user != "" && c.msg.User == "", !c.noTLS && !c.secure
	c.mu.Unlock()
	switch {
	case bare:
		c.say("530 5.7.0 Must issue a STARTTLS command first")
	case stranger:
		c.say("530 5.7.0 Authentication required")
	default:
		c.msg = Received{User: c.msg.User, Secure: c.secure, From: path(argument)}
		c.say("250 2.1.0 Ok")
	}
}

func (c *session) data() {
	if len(c.msg.To) == 0 {
		c.say("503 5.5.1 No recipient")
		return
	}
	c.say("354 Go ahead")
	data, err := c.text.ReadDotBytes()
	if err != nil {
		return
	}
	if ordered, ok := c.answer("TEXT"); ok {
		c.say(ordered)
		return
	}
	c.msg.Data = data
	if !c.msg.read() {
		c.say("554 5.6.0 Not a message")
		return
	}
	c.take(c.msg)
	c.say("250 2.0.0 Ok")
}

// read decodes the message.
func (r *Received) read() bool {
	m, err := mail.ReadMessage(bytes.NewReader(r.Data))
	if err != nil {
		return false
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return false
	}
	r.Header, r.Text = m.Header, strings.ReplaceAll(string(text), "\r\n", "\n")
	r.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	return err == nil
}

// path is the address in FROM:<address> or TO:<address>.
func path(argument string) string {
	_, address, _ := strings.Cut(argument, "<")
	address, _, _ = strings.Cut(address, ">")
	return address
}
