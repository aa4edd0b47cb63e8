// Package config has the one configuration struct: defaults, then a TOML file, then the environment, then flags.
// Nothing else reads a configuration file or the environment. Secrets are never values here, only files that hold them.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

	Dev          bool `toml:"-"` // made by `sallyport dev`
	UnsafeListen bool `toml:"-"` // dev only: listen off loopback
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

// Environment puts SALLYPORT_… variables over c.
func (c *Config) Environment(lookup func(string) (string, bool)) {
	for name, field := range c.fields() {
		if v, ok := lookup("SALLYPORT_" + strings.ToUpper(name)); ok && v != "" {
			*field = v
		}
	}
	if dir, ok := lookup("CREDENTIALS_DIRECTORY"); ok && c.KeyFile == "" { // systemd credentials
		if f := filepath.Join(dir, "sallyport-key"); exists(f) {
			c.KeyFile = f
		}
	}
}

// Override puts what is set in flags over c.
func (c *Config) Override(flags Config) {
	over := flags.fields()
	for name, field := range c.fields() {
		if v := *over[name]; v != "" {
			*field = v
		}
	}
}

// fields are the settings by their name in the file.
func (c *Config) fields() map[string]*string {
	return map[string]*string{
		"data": &c.Data, "url": &c.URL, "listen": &c.Listen, "database": &c.Database, "database_file": &c.DatabaseFile,
		"region": &c.Region, "key_file": &c.KeyFile, "log_level": &c.LogLevel, "audit_file": &c.AuditFile,
	}
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
	if err := c.completeDatabase(); err != nil {
		return err
	}
	return c.completeURL()
}

func (c *Config) completeDatabase() error {
	if c.DatabaseFile != "" {
		b, err := os.ReadFile(c.DatabaseFile)
		if err != nil {
			return fault.Invalidf("The database file cannot be read: %v.", err)
		}
		c.Database = strings.TrimSpace(string(b))
	}
	if c.DatabaseFile == "" && hasPassword(c.Database) {
		return fault.Invalidf("The database URL holds a password, which others on this machine could read: put the URL into a file, and name that with --database-file.")
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		return fault.Invalidf("The database must be a postgres:// URL; leave it out for SQLite in the data directory.")
	}
	return nil
}

// DSN is what the store opens: the database that is configured, or the SQLite file in the data directory.
func (c *Config) DSN() string {
	if c.Database != "" {
		return c.Database
	}
	return filepath.Join(c.Data, "sallyport.db")
}

func (c *Config) completeURL() error {
	if c.URL == "" {
		return fault.Invalidf("No URL: say --url https://host or http://localhost:port.")
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return fault.Invalidf("The URL %q will not do: expected https://host or http://host:port, without a path (clients drop path prefixes).", c.URL)
	}
	c.URL = u.Scheme + "://" + u.Host
	if c.Listen == "" {
		port := u.Port()
		if port == "" {
			port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
		}
		c.Listen = net.JoinHostPort("127.0.0.1", port)
	}
	return c.CheckListen()
}

// CheckListen refuses an address that is not for others to reach yet.
func (c *Config) CheckListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fault.Invalidf("The listen address %q will not do: expected host:port.", c.Listen)
	}
	if !Loopback(host) && !(c.Dev && c.UnsafeListen) {
		if c.Dev {
			return fault.Invalidf("The address %s is not loopback, and the world of `sallyport dev` is not for others to reach. If you must: --unsafe-listen.", c.Listen)
		}
		return fault.Invalidf("The address %s is not loopback. Until TLS and MFA are there, Sallyport serves loopback only; put nothing in front of it.", c.Listen)
	}
	return nil
}

// Loopback tells whether a host is this machine and nothing else.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Summary is the effective configuration as TOML, for `sallyport config check`. A password in the database URL is masked.
func (c *Config) Summary() string {
	shown := *c
	if u, err := url.Parse(shown.Database); err == nil && shown.Database != "" {
		if q := u.Query(); q.Has("password") {
			q.Set("password", "xxxxx")
			u.RawQuery = q.Encode()
		}
		shown.Database = u.Redacted()
	}
	b, err := toml.Marshal(shown)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(b)
}

// hasPassword says whether a database URL holds a password, in either of the places that PostgreSQL knows.
func hasPassword(database string) bool {
	u, err := url.Parse(database)
	if err != nil {
		return false // refused later, without being shown
	}
	_, set := u.User.Password()
	return set || u.Query().Has("password")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
