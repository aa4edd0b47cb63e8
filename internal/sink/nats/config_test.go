package nats

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/sink/sinktest"
)

// What the sender does with servers is in compat/e2e: there they are real.

func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Servers: []string{"nats.example.org:4222", "nats2.example.org:4222"}, Stream: "AUDIT", Subject: "audit.sallyport"}
	for want, change := range map[string]func(*Config){
		"at least one server": func(c *Config) { c.Servers = nil },
		"not host:port":       func(c *Config) { c.Servers = []string{"nats://localhost:4222"} },
		"Without TLS":         func(c *Config) { c.Plain = true },
		"no name of a stream": func(c *Config) { c.Stream = "a.b" },
		"no subject":          func(c *Config) { c.Subject = "audit.>" },
		"Either":              func(c *Config) { c.User, c.Password, c.Credentials = "u", "p", "x" },
		"given together":      func(c *Config) { c.User = "u" },
		".creds":              func(c *Config) { c.Credentials = "x" },
		"no event format":     func(c *Config) { c.Format = "leef" },
		"in PEM":              func(c *Config) { c.TLS.CA = "x" },
	} {
		c := good
		change(&c)
		if _, err := Open(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if got := good.urls(); got != "tls://nats.example.org:4222,tls://nats2.example.org:4222" {
		t.Error(got)
	}
}

// TestNobodyThere ends soon, and says why.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	s, err := Open(Config{Name: "bus", Servers: []string{"127.0.0.1:1"}, Stream: "AUDIT", Subject: "audit", Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := s.Write(t.Context(), sinktest.Events(1, 1)); err == nil || !strings.Contains(err.Error(), "connect to NATS") || time.Since(began) > 5*time.Second {
		t.Error(err)
	}
	if s.Name() != "bus" {
		t.Error(s.Name())
	}
}
