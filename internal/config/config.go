// Package config has the one configuration struct: defaults, then a TOML file, then the environment, then flags.
// Nothing else reads a configuration file or the environment. Secrets are never values here, only files that hold them.
package config

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"sallyport/internal/fault"
)

// Config is everything that a server is told. Every field may be absent.
type Config struct {
	Data     string `toml:"data"`     // directory of the database and of what the server writes; required
	URL      string `toml:"url"`      // public URL: issuer, cookie host; fixed at the first start
	Listen   string `toml:"listen"`   // host:port; default: the URL's port on 127.0.0.1
	Database string `toml:"database"` // postgres:// URL; default: SQLite in Data. A password in it belongs into DatabaseFile
	// DatabaseFile names a file that holds the postgres:// URL, for one with a password.
	DatabaseFile string `toml:"database_file"`
	Region       string `toml:"region"`   // default local-1
	KeyFile      string `toml:"key_file"` // key-encryption key; default: Data with ".key" appended, beside the directory and not in it
	LogLevel     string `toml:"log_level"`
	AuditFile    string `toml:"audit_file"` // JSON lines; default: Data/audit.jsonl; "off": none

	TrailDir string `toml:"trail_dir"` // folder of the buckets that trails are written to; default: Data/trails. Nodes share it

	// RevocationBound is how old news of revocations may be before credentials are refused, such as 3s, which is the default.
	RevocationBound string `toml:"revocation_bound"`

	TLSCert        string   `toml:"tls_cert"`        // PEM chain; read again when it changes
	TLSKey         string   `toml:"tls_key"`         // PEM
	ACME           bool     `toml:"acme"`            // certificates by ACME (RFC 8555), kept in Data/acme; accepts the authority's terms
	ACMEEmail      string   `toml:"acme_email"`      // whom the authority may write to
	ACMEDirectory  string   `toml:"acme_directory"`  // URL; default: Let's Encrypt
	ACMECAFile     string   `toml:"acme_ca_file"`    // PEM; whom to trust for the directory itself; default: the system
	HTTPListen     string   `toml:"http_listen"`     // host:port for http-01 challenges and redirects to URL; default: none
	TrustedProxies []string `toml:"trusted_proxies"` // addresses or prefixes; their X-Forwarded-For and -Proto are believed

	SMTPAddress      string `toml:"smtp_address"` // host:port; default port 587, 465 or 25, by SMTPTLS. Empty: no mail is sent
	SMTPFrom         string `toml:"smtp_from"`    // RFC 5322 address
	SMTPUsername     string `toml:"smtp_username"`
	SMTPPasswordFile string `toml:"smtp_password_file"`
	SMTPTLS          string `toml:"smtp_tls"`     // starttls (default), tls, none; none for loopback alone
	SMTPCAFile       string `toml:"smtp_ca_file"` // PEM; default: the system

	BreachedPasswordsFile string `toml:"breached_passwords_file"` // a large list; default: the small embedded one

	Dev          bool `toml:"-"` // made by `sallyport dev`
	UnsafeListen bool `toml:"-"` // dev only: listen off loopback
	QR           bool `toml:"-"` // dev only: print the sample person's TOTP secret as a QR code
	Accounts     int  `toml:"-"` // dev only: more member accounts in the sample organization
}

// Load reads a TOML file over c, strictly: an unknown key is an error.
func (c *Config) Load(path string) error {
	meta, err := toml.DecodeFile(path, c)
	if err != nil {
		return fault.Invalidf("The configuration file %s cannot be read: %v.", path, err)
	}
	if u := meta.Undecoded(); len(u) > 0 {
		return fault.Invalidf("The configuration file %s has an unknown key: %s.", path, u[0])
	}
	return nil
}

// Environment puts SALLYPORT_… variables over c. A list has commas between its entries; a switch is true or false.
func (c *Config) Environment(lookup func(string) (string, bool)) error {
	for name, field := range c.fields() {
		name = "SALLYPORT_" + strings.ToUpper(name)
		v, ok := lookup(name)
		if !ok || v == "" {
			continue
		}
		if err := set(field, v); err != nil {
			return fault.Invalidf("The variable %s will not do: %v.", name, err)
		}
	}
	if dir, ok := lookup("CREDENTIALS_DIRECTORY"); ok && c.KeyFile == "" { // systemd credentials
		if f := filepath.Join(dir, "sallyport-key"); exists(f) {
			c.KeyFile = f
		}
	}
	return nil
}

// Override puts what is set in flags over c. given tells by a setting's name whether its flag was said: then it counts also
// when it says nothing or no, as --acme=false does.
func (c *Config) Override(flags Config, given func(name string) bool) {
	over := flags.fields()
	for name, field := range c.fields() {
		if v := over[name]; !v.IsZero() || given(name) {
			field.Set(v)
		}
	}
}

// fields are the settings by their name in the file.
func (c *Config) fields() map[string]reflect.Value {
	v := reflect.ValueOf(c).Elem()
	fields := make(map[string]reflect.Value, v.NumField())
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("toml"); name != "-" {
			fields[name] = v.Field(i)
		}
	}
	return fields
}

// set gives a field the value that a text has for it.
func set(field reflect.Value, text string) error {
	switch v := field.Addr().Interface().(type) {
	case *string:
		*v = text
	case *bool:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("expected true or false, not %q", text)
		}
		*v = on
	case *[]string:
		*v = nil
		for entry := range strings.SplitSeq(text, ",") {
			if entry = strings.TrimSpace(entry); entry != "" {
				*v = append(*v, entry)
			}
		}
	}
	return nil
}

// regionName is what clients take for a region: they make host names of it.
var regionName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Complete fills defaults in and checks what can be checked without opening anything. Doing it twice changes nothing.
func (c *Config) Complete() error {
	if c.Data == "" {
		return fault.Invalidf("No data directory: say --data DIR.")
	}
	if c.Region == "" {
		c.Region = "local-1"
	}
	if !regionName.MatchString(c.Region) {
		return fault.Invalidf("The region %q will not do: expected lower-case letters, digits and hyphens, such as local-1.", c.Region)
	}
	if err := new(slog.LevelVar).UnmarshalText([]byte(c.LogLevel)); c.LogLevel != "" && err != nil {
		return fault.Invalidf("The log level %q will not do: expected debug, info, warn or error.", c.LogLevel)
	}
	if c.KeyFile == "" {
		c.KeyFile = strings.TrimRight(c.Data, "/") + ".key"
	}
	if c.AuditFile == "" {
		c.AuditFile = filepath.Join(c.Data, "audit.jsonl")
	}
	if c.TrailDir == "" {
		c.TrailDir = filepath.Join(c.Data, "trails")
	}
	if err := c.completeDatabase(); err != nil {
		return err
	}
	for _, complete := range []func() error{c.completeBound, c.completeURL, c.completeProxies, c.completeTLS, c.CheckListen, c.completeMail} {
		if err := complete(); err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
