package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMail(t *testing.T) {
	t.Parallel()
	const from = "Sallyport <no-reply@example.org>"
	for name, test := range map[string]struct {
		config  Config
		address string // of the server, completed; empty: refused
		want    string // part of the refusal
	}{
		"starttls":  {Config{SMTPAddress: "mail.example.org", SMTPFrom: from}, "mail.example.org:587", ""},
		"tls":       {Config{SMTPAddress: "mail.example.org", SMTPFrom: from, SMTPTLS: "tls"}, "mail.example.org:465", ""},
		"port":      {Config{SMTPAddress: "[2001:db8::1]:2525", SMTPFrom: from}, "[2001:db8::1]:2525", ""},
		"IPv6":      {Config{SMTPAddress: "2001:db8::1", SMTPFrom: from}, "[2001:db8::1]:587", ""},
		"here":      {Config{SMTPAddress: "localhost", SMTPFrom: from, SMTPTLS: "none"}, "localhost:25", ""},
		"account":   {Config{SMTPAddress: "mail.example.org", SMTPFrom: from, SMTPUsername: "u", SMTPPasswordFile: "f"}, "mail.example.org:587", ""},
		"no server": {Config{SMTPFrom: from}, "", "without a server"},
		"no sender": {Config{SMTPAddress: "mail.example.org"}, "", "smtp_from"},
		"in clear":  {Config{SMTPAddress: "mail.example.org", SMTPFrom: from, SMTPTLS: "none"}, "", "another machine"},
		"mode":      {Config{SMTPAddress: "mail.example.org", SMTPFrom: from, SMTPTLS: "ssl"}, "", "smtp_tls"},
		"useless":   {Config{SMTPAddress: "localhost", SMTPFrom: from, SMTPTLS: "none", SMTPCAFile: "f"}, "", "of no use"},
		"no secret": {Config{SMTPAddress: "mail.example.org", SMTPFrom: from, SMTPUsername: "u"}, "", "smtp_password_file"},
		"empty":     {Config{SMTPAddress: ":25", SMTPFrom: from}, "", "host:port"},
	} {
		c := test.config
		c.Data, c.URL = "/d", "https://id.example.org"
		err := c.Complete()
		if test.want == "" && (err != nil || c.SMTPAddress != test.address) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %q, %v, want %q, %q", name, c.SMTPAddress, err, test.address, test.want)
		}
	}
}

func TestSMTPPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct{ file, want string }{
		{"", ""},
		{write("line", " pass word \r\n"), " pass word "},
	} {
		c := Config{SMTPPasswordFile: test.file}
		if got, err := c.SMTPPassword(); err != nil || got != test.want {
			t.Errorf("%s: %q, %v", test.file, got, err)
		}
	}
	for _, file := range []string{filepath.Join(dir, "absent"), write("large", strings.Repeat("x", maxSecret+1))} {
		c := Config{SMTPPasswordFile: file}
		if _, err := c.SMTPPassword(); err == nil {
			t.Errorf("%s was read", file)
		}
	}
}
