package mail_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sallyport/internal/mail"
	"sallyport/internal/mail/mailtest"
)

// What a server answers decides whether a message is tried again. Its words, which may repeat the address, are not passed on.
func TestReplies(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		command, reply string
		permanent      bool
		want           string
	}{
		{"GREETING", "554 5.3.2 Not today", false, "the mail server does not greet: 554 5.3.2"},
		{"GREETING", "hello ana@example.org", false, "the mail server does not greet: the answer is not SMTP"},
		{"AUTH", "454 4.7.0 Later", false, "the mail server refused our user name and password: 454 4.7.0"},
		{"MAIL", "550 5.7.1 ana@example.org", false, "the mail server refused the sender: 550 5.7.1"},
		{"RCPT", "450 4.2.1 <ana@example.org> is greylisted", false, "the mail server refused the recipient: 450 4.2.1"},
		{"RCPT", "550 5.1.1 <ana@example.org> is nobody", true, "the mail server refused the recipient: 550 5.1.1"},
		{"RCPT", "550 <ana@example.org> is nobody", true, "the mail server refused the recipient: 550"},
		{"DATA", "451 4.3.0 Later", false, "the mail server refused the message: 451 4.3.0"},
		{"TEXT", "452 4.3.1 No space", false, "the mail server refused the message: 452 4.3.1"},
		{"TEXT", "554 5.7.1 Spam for ana@example.org", true, "the mail server refused the message: 554 5.7.1"},
		{"TEXT", "gibberish about ana@example.org", false, "the mail server refused the message: the answer is not SMTP"},
	} {
		s := mailtest.Start(t)
		s.SetAccount("sso", "hush")
		s.Answer(tc.command, tc.reply, 1)
		out := withAccount(serverOf(s), "sso", always("hush"))
		err := out.Send(t.Context(), hello)
		if err == nil || err.Error() != tc.want || mail.Permanent(err) != tc.permanent {
			t.Errorf("%s %q: permanent: %v: %v", tc.command, tc.reply, mail.Permanent(err), err)
		}
		if err := out.Send(t.Context(), hello); err != nil {
			t.Errorf("%s %q, again: %v", tc.command, tc.reply, err)
		}
	}
}

// listen accepts connections and gives them to serve, one after the other.
func listen(t *testing.T, serve func(net.Conn)) mail.Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return mail.Server{Address: l.Addr().String(), From: "sso@example.org"}
}

func TestSilentServer(t *testing.T) {
	t.Parallel()
	s := listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }) // until the other side goes
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Send(ctx, hello); !errors.Is(err, context.DeadlineExceeded) || mail.Permanent(err) {
		t.Errorf("waited for a server that says nothing: %v", err)
	}
	for _, tls := range []string{mail.ImplicitTLS, mail.NoTLS} {
		s.TLS = tls
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if err := s.Send(ctx, hello); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", tls, err)
		}
	}
}

// A line without an end would fill the memory.
func TestTalkativeServer(t *testing.T) {
	t.Parallel()
	written := 0
	s := listen(t, func(conn net.Conn) {
		chunk := []byte(strings.Repeat("2", 64<<10))
		for err := error(nil); err == nil && written < 256<<20; written += len(chunk) {
			_, err = conn.Write(chunk)
		}
	})
	if err := s.Send(t.Context(), hello); err == nil || !strings.Contains(err.Error(), "too much") {
		t.Errorf("%v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := mail.Server{Address: l.Addr().String(), From: "sso@example.org"}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), hello); err == nil || mail.Permanent(err) {
		t.Errorf("%v", err)
	}
}

func TestAddressesOutsideASCII(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t) // does not offer SMTPUTF8 (RFC 6531 §3.1)
	m := hello
	m.To = "aña@example.org"
	if err := serverOf(s).Send(t.Context(), m); !mail.Permanent(err) {
		t.Errorf("%v", err)
	}
	m.To = "ana@bücher.example"
	if err := serverOf(s).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := s.Wait(t, 1)[0].To[0]; got != "ana@xn--bcher-kva.example" {
		t.Errorf("sent to %s", got)
	}
}
