package mail_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/mail"
	"sallyport/internal/mail/mailtest"
)

var hello = mail.Message{To: "ana@example.org", Subject: "Hello", Text: "A line.\n.\nAnother, with = and ü.\n"}

func serverOf(s *mailtest.Server) mail.Server {
	return mail.Server{Address: s.Address, From: "Sallyport <no-reply@sso.example.org>", Roots: s.Roots}
}

func withAccount(s mail.Server, user string, password func() (string, error)) mail.Server {
	s.UserName, s.Password = user, password
	return s
}

func always(password string) func() (string, error) {
	return func() (string, error) { return password, nil }
}

func TestSendOverTLS(t *testing.T) {
	t.Parallel()
	for _, tls := range []string{"", mail.StartTLS, mail.ImplicitTLS} {
		t.Run("tls="+tls, func(t *testing.T) {
			t.Parallel()
			s := mailtest.Start(t)
			out := serverOf(s)
			if out.TLS = tls; tls == mail.ImplicitTLS {
				out.Address = s.TLSAddress
			}
			before := clock.System{}.Now().Add(-time.Second)
			if err := out.Send(t.Context(), hello); err != nil {
				t.Fatal(err)
			}
			m := s.Wait(t, 1)[0]
			if !m.Secure || m.From != "no-reply@sso.example.org" || !slices.Equal(m.To, []string{"ana@example.org"}) {
				t.Errorf("secure: %v; from %s to %v", m.Secure, m.From, m.To)
			}
			if m.Subject != hello.Subject || m.Text != hello.Text {
				t.Errorf("%q: %q", m.Subject, m.Text)
			}
			at, err := m.Header.Date()
			if err != nil || at.Before(before) || at.After(clock.System{}.Now()) {
				t.Errorf("date %v, %v", at, err)
			}
			id := m.Header.Get("Message-Id")
			if !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@sso.example.org>") || len(id) < 40 {
				t.Errorf("message id %s", id)
			}
			delete(m.Header, "Date")
			delete(m.Header, "Message-Id")
			want := map[string][]string{
				"From": {`"Sallyport" <no-reply@sso.example.org>`}, "To": {"ana@example.org"}, "Subject": {"Hello"},
				"Auto-Submitted": {"auto-generated"}, "Mime-Version": {"1.0"}, "Content-Type": {"text/plain; charset=utf-8"},
				"Content-Transfer-Encoding": {"quoted-printable"},
			}
			if diff := cmp.Diff(want, map[string][]string(m.Header)); diff != "" {
				t.Errorf("headers (-want +got)\n%s", diff)
			}
		})
	}
}

// Nothing that matters is said in the clear, whatever the server offers.
func TestNeverPlain(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t)
	s.WithoutTLS()
	out := withAccount(serverOf(s), "sso", always("hush"))
	err := out.Send(t.Context(), hello)
	if err == nil || mail.Permanent(err) || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("sent without TLS: %v", err)
	}
	s2 := mailtest.Start(t)
	s2.Answer("STARTTLS", "454 4.7.0 TLS not available", 1)
	out = withAccount(serverOf(s2), "sso", always("hush"))
	if err := out.Send(t.Context(), hello); err == nil || mail.Permanent(err) {
		t.Errorf("sent although the server refused TLS: %v", err)
	}
	for _, heard := range append(s.Heard(), s2.Heard()...) {
		if heard != "EHLO!" && heard != "STARTTLS!" && heard != "QUIT!" {
			t.Errorf("said %s", heard)
		}
	}
}

func TestBadCertificates(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*mailtest.Server, *mail.Server){
		"of nobody we trust": func(_ *mailtest.Server, out *mail.Server) { out.Roots = nil },
		"of another host":    func(s *mailtest.Server, out *mail.Server) { s.Certify(t, "mail.example.org"); out.Roots = s.Roots },
		"old TLS":            func(s *mailtest.Server, _ *mail.Server) { s.OldTLS() },
	} {
		for _, tls := range []string{mail.StartTLS, mail.ImplicitTLS} {
			s := mailtest.Start(t)
			s.SetAccount("sso", "hush")
			out := withAccount(serverOf(s), "sso", always("hush"))
			if out.TLS = tls; tls == mail.ImplicitTLS {
				out.Address = s.TLSAddress
			}
			spoil(s, &out)
			err := out.Send(t.Context(), hello)
			if err == nil || mail.Permanent(err) || !strings.Contains(err.Error(), "secure connection") {
				t.Errorf("%s, %s: %v", name, tls, err)
			}
			if len(s.Messages()) > 0 || slices.Contains(s.Heard(), "AUTH") {
				t.Errorf("%s, %s: the server was told something", name, tls)
			}
		}
	}
}

func TestAccount(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t)
	s.SetAccount("sso", "hush")
	file := "wrong"
	out := withAccount(serverOf(s), "sso", func() (string, error) { return file, nil })
	err := out.Send(t.Context(), hello)
	if err == nil || mail.Permanent(err) || !strings.Contains(err.Error(), "535 5.7.8") {
		t.Errorf("wrong password: %v", err)
	}
	file = "hush" // somebody mends the file
	if err := out.Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	if m := s.Wait(t, 1)[0]; m.User != "sso" || !m.Secure {
		t.Errorf("signed in as %q, secure: %v", m.User, m.Secure)
	}
	if err := serverOf(s).Send(t.Context(), hello); err == nil || mail.Permanent(err) {
		t.Errorf("without an account: %v", err)
	}
	unreadable := errors.New("no such file")
	err = withAccount(serverOf(s), "sso", func() (string, error) { return "", unreadable }).Send(t.Context(), hello)
	if !errors.Is(err, unreadable) || mail.Permanent(err) {
		t.Errorf("unreadable password: %v", err)
	}
	s.SetAccount("", "")
	if err := out.Send(t.Context(), hello); err == nil || !strings.Contains(err.Error(), "AUTH") {
		t.Errorf("a server without accounts: %v", err)
	}
}

func TestLoopbackWithoutTLS(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t)
	s.WithoutTLS()
	out := serverOf(s)
	out.TLS = mail.NoTLS
	if err := out.Send(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	if m := s.Wait(t, 1)[0]; m.Secure {
		t.Error("under TLS")
	}
}

func TestCheckServer(t *testing.T) {
	t.Parallel()
	good := mail.Server{Address: "mail.example.org:587", From: "Sallyport <sso@example.org>"}
	for name, tc := range map[string]struct {
		change func(*mail.Server)
		ok     bool
	}{
		"good":                  {func(*mail.Server) {}, true},
		"account":               {func(s *mail.Server) { *s = withAccount(*s, "u", always("p")) }, true},
		"tls":                   {func(s *mail.Server) { s.TLS = "tls" }, true},
		"starttls":              {func(s *mail.Server) { s.TLS = "starttls" }, true},
		"none on this machine":  {func(s *mail.Server) { s.TLS, s.Address = "none", "localhost:25" }, true},
		"none on IPv6 loopback": {func(s *mail.Server) { s.TLS, s.Address = "none", "[::1]:25" }, true},
		"none elsewhere":        {func(s *mail.Server) { s.TLS = "none" }, false},
		"none on a like name":   {func(s *mail.Server) { s.TLS, s.Address = "none", "localhost.example.org:25" }, false},
		"account without TLS": {func(s *mail.Server) {
			*s = withAccount(*s, "u", always("p"))
			s.TLS, s.Address = "none", "localhost:25"
		}, false},
		"unknown TLS":             {func(s *mail.Server) { s.TLS = "STARTTLS" }, false},
		"no port":                 {func(s *mail.Server) { s.Address = "mail.example.org" }, false},
		"bad port":                {func(s *mail.Server) { s.Address = "mail.example.org:smtp" }, false},
		"no host":                 {func(s *mail.Server) { s.Address = ":587" }, false},
		"no sender":               {func(s *mail.Server) { s.From = "" }, false},
		"two senders":             {func(s *mail.Server) { s.From = "a@example.org, b@example.org" }, false},
		"header in the sender":    {func(s *mail.Server) { s.From = "a@example.org\r\nBcc: b@example.org" }, false},
		"user without password":   {func(s *mail.Server) { s.UserName = "u" }, false},
		"password without a user": {func(s *mail.Server) { s.Password = always("p") }, false},
	} {
		s := good
		tc.change(&s)
		err := s.Check()
		if (err == nil) != tc.ok || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if !tc.ok {
			if err := s.Send(t.Context(), hello); err == nil || mail.Permanent(err) {
				t.Errorf("%s: sent, or given up for what an operator can mend: %v", name, err)
			}
		}
	}
}
