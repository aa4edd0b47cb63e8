package mail

import (
	"bytes"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sallyport/internal/fault"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"ana@example.org": "ana@example.org", "a.b+c@sub.example.org": "a.b+c@sub.example.org", "ana@localhost": "ana@localhost",
		"ana@bücher.example": "ana@xn--bcher-kva.example", "aña@example.org": "aña@example.org",
		"": "", "ana": "", "@example.org": "", "ana@": "", "Ana <ana@example.org>": "", "<ana@example.org>": "", " ana@example.org": "",
		"ana@example.org ": "", "ana@example.org, bob@example.org": "", "ana@example.org (comment)": "", `"a b"@example.org`: "",
		"ana@example.org\r\nBcc: bob@example.org": "", "ana@example.org\n": "", "a\rb@example.org": "", "ana\x00@example.org": "",
		"ana@[127.0.0.1]": "", "ana@exa mple.org": "", "ana@example.org>\r\nRCPT TO:<bob@example.org": "", "an\xffa@example.org": "",
		"ana@-example.org": "", strings.Repeat("a", 250) + "@x.org": "",
	} {
		got, err := parseAddress(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", address, got, err)
		}
		if err := CheckAddress(address); want == "" && (fault.KindOf(err) != fault.Invalid || address != "" && strings.Contains(err.Error(), address)) {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestMessagesThatCannotBe(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]Message{
		"no recipient":        {Subject: "s", Text: "t"},
		"header in recipient": {To: "a@example.org\r\nBcc: b@example.org", Subject: "s", Text: "t"},
		"header in subject":   {To: "a@example.org", Subject: "s\r\nBcc: b@example.org", Text: "t"},
		"LF in subject":       {To: "a@example.org", Subject: "s\nBcc: b@example.org", Text: "t"},
		"CR in subject":       {To: "a@example.org", Subject: "s\rBcc: b@example.org", Text: "t"},
		"NUL in subject":      {To: "a@example.org", Subject: "s\x00", Text: "t"},
		"subject not UTF-8":   {To: "a@example.org", Subject: "s\xff", Text: "t"},
		"no subject":          {To: "a@example.org", Text: "t"},
		"long subject":        {To: "a@example.org", Subject: strings.Repeat("s", maxSubject+1), Text: "t"},
		"no text":             {To: "a@example.org", Subject: "s"},
		"text not UTF-8":      {To: "a@example.org", Subject: "s", Text: "\xff"},
		"long text":           {To: "a@example.org", Subject: "s", Text: strings.Repeat("t", maxText+1)},
	} {
		if _, err := m.check(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		server := Server{Address: "127.0.0.1:1", From: "sso@example.org"}
		if err := server.Send(t.Context(), m); !Permanent(err) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: not given up before the server is asked: %v", name, err)
		}
	}
}

func written(t testing.TB, from string, m Message) []byte {
	t.Helper()
	sender, err := parseSender(from)
	if err != nil {
		t.Skip()
	}
	to, err := m.check()
	if err != nil {
		t.Skip()
	}
	data, err := compose(sender, to, letter{m, "ID", time.Date(2026, 11, 25, 9, 5, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCompose(t *testing.T) {
	t.Parallel()
	m := Message{To: "ana@bücher.example", Subject: "Straße — пароль, und noch mehr, damit es nicht auf eine Zeile passt", Text: "Grüße\n"}
	want := strings.ReplaceAll(`Date: Wed, 25 Nov 2026 09:05:00 +0000
Message-ID: <ID@example.org>
From: =?utf-8?q?B=C3=BCro?= <sso@example.org>
To: ana@xn--bcher-kva.example
Subject: =?utf-8?q?Stra=C3=9Fe_=E2=80=94_=D0=BF=D0=B0=D1=80=D0=BE=D0=BB=D1=8C,_und?=
 =?utf-8?q?_noch_mehr,_damit_es_nicht_auf_eine_Zeile_passt?=
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
`, "\n", "\r\n")
	if got := string(written(t, "Büro <sso@example.org>", m)); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
}

// FuzzCompose: whatever is taken becomes one message with our headers, and reads as it was written.
func FuzzCompose(f *testing.F) {
	f.Add("Sallyport <sso@example.org>", "ana@example.org", "Hello", "Text\n")
	f.Add("sso@example.org", "aña@bücher.example", "Grüße", "Ü\r\n.\r\n.\n\n=20 \t\nx")
	f.Add("=?utf-8?q?a=0D=0ABcc:b?= <sso@example.org>", "ana@example.org", "=?utf-8?q?Hello?=", "\r\r")
	f.Add("sso@example.org\r\nBcc: b@example.org", "ana@example.org\nBcc: b@example.org", "a\r\nBcc: b@example.org", "\n\nBcc: x")
	f.Add("sso@example.org", "ana@example.org", strings.Repeat("ü", 100), strings.Repeat("long ", 1000))
	f.Fuzz(func(t *testing.T, from, to, subject, text string) {
		data := written(t, from, Message{To: to, Subject: subject, Text: text})
		for line := range bytes.Lines(data) {
			content, ok := bytes.CutSuffix(line, []byte("\r\n"))
			if bytes.ContainsAny(content, "\r\n") || !ok && bytes.HasSuffix(line, []byte("\n")) || len(line) > 1000 {
				t.Fatalf("bad line %q", line)
			}
		}
		m, err := netmail.ReadMessage(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for name, values := range m.Header {
			names = append(names, name)
			if len(values) != 1 {
				t.Errorf("%s: %q", name, values)
			}
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != "Auto-Submitted Content-Transfer-Encoding Content-Type Date From Message-Id Mime-Version Subject To" {
			t.Errorf("headers %s", got)
		}
		sent, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if ours := strings.TrimSpace(subject); !strings.Contains(subject, "=?") && (err != nil || strings.TrimSpace(sent) != ours) {
			t.Errorf("subject %q, not %q: %v", sent, ours, err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if got, want := lf(string(body)), lf(text); err != nil || got != want || !utf8.ValidString(got) {
			t.Errorf("text %q, not %q: %v", got, want, err)
		}
	})
}

func lf(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n") }
