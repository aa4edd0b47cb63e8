package config

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"sallyport/internal/fault"
)

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

// hasPassword says whether a database URL holds a password, in either of the places that PostgreSQL knows.
func hasPassword(database string) bool {
	u, err := url.Parse(database)
	if err != nil {
		return false // refused later, without being shown
	}
	_, set := u.User.Password()
	return set || u.Query().Has("password")
}
