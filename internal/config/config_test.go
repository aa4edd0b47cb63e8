package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOrderOfSettings(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sallyport.toml")
	if err := os.WriteFile(file, []byte("data = '/from/file'\nregion = 'file-1'\nurl = 'https://file.example.org'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := c.Load(file); err != nil {
		t.Fatal(err)
	}
	if err := c.Environment(lookup("SALLYPORT_REGION=env-1", "SALLYPORT_URL=https://env.example.org")); err != nil {
		t.Fatal(err)
	}
	c.Override(Config{URL: "https://flag.example.org/"}, silent)
	if err := c.Complete(); err != nil {
		t.Fatal(err)
	}
	again := c
	if err := again.Complete(); err != nil || !cmp.Equal(again, c) {
		t.Errorf("completed twice: %s, %v", cmp.Diff(c, again), err)
	}
	if c.Data != "/from/file" || c.Region != "env-1" || c.URL != "https://flag.example.org" {
		t.Errorf("effective: %+v", c)
	}
	if c.KeyFile != "/from/file.key" || c.Listen != "127.0.0.1:443" || c.DSN() != "/from/file/sallyport.db" {
		t.Errorf("defaults: %+v", c)
	}
}

// lookup is an environment.
func lookup(vars ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, v := range vars {
			if text, ok := strings.CutPrefix(v, name+"="); ok {
				return text, true
			}
		}
		return "", false
	}
}

// silent is a command line on which no flag was said.
func silent(string) bool { return false }

// TestKinds: switches and lists come from all three places too.
func TestKinds(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sallyport.toml")
	if err := os.WriteFile(file, []byte("acme = true\ntrusted_proxies = ['10.0.0.1', '10.0.0.2']\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var fromFile, fromEnv, fromFlags Config
	if err := fromFile.Load(file); err != nil {
		t.Fatal(err)
	}
	if err := fromEnv.Environment(lookup("SALLYPORT_ACME=1", "SALLYPORT_TRUSTED_PROXIES= 10.0.0.1 ,,10.0.0.2")); err != nil {
		t.Fatal(err)
	}
	fromFlags.Override(Config{ACME: true, TrustedProxies: []string{"10.0.0.1", "10.0.0.2"}}, silent)
	want := Config{ACME: true, TrustedProxies: []string{"10.0.0.1", "10.0.0.2"}}
	for _, c := range []Config{fromFile, fromEnv, fromFlags} {
		if d := cmp.Diff(want, c); d != "" {
			t.Error(d)
		}
	}
	fromFile.Override(Config{TrustedProxies: []string{"::1"}}, silent)
	if !fromFile.ACME || !cmp.Equal(fromFile.TrustedProxies, []string{"::1"}) {
		t.Errorf("overridden: %+v", fromFile)
	}
	fromFile.Override(Config{}, func(name string) bool { return name == "acme" || name == "trusted_proxies" })
	if fromFile.ACME || fromFile.TrustedProxies != nil {
		t.Errorf("switched off: %+v", fromFile)
	}
	if err := fromEnv.Environment(lookup("SALLYPORT_ACME=yes, please")); err == nil || !strings.Contains(err.Error(), "SALLYPORT_ACME") {
		t.Errorf("a switch that is neither: %v", err)
	}
}

func TestUnknownKeyIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "x.toml")
	if err := os.WriteFile(file, []byte("dat = '/x'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := c.Load(file); err == nil || !strings.Contains(err.Error(), "dat") {
		t.Errorf("Load = %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Config{
		"no data":            {URL: "https://id.example.org"},
		"no url":             {Data: "/d"},
		"path":               {Data: "/d", URL: "https://id.example.org/prefix"},
		"user":               {Data: "/d", URL: "https://a@id.example.org"},
		"scheme":             {Data: "/d", URL: "ftp://id.example.org"},
		"off loopback":       {Data: "/d", URL: "https://id.example.org", Listen: "0.0.0.0:443"},
		"all addresses":      {Data: "/d", URL: "https://id.example.org", Listen: ":443"},
		"dev off loopback":   {Data: "/d", URL: "http://localhost:1", Listen: "10.0.0.1:1", Dev: true},
		"unsafe is dev only": {Data: "/d", URL: "http://localhost:1", Listen: "10.0.0.1:1", UnsafeListen: true},
		"database":           {Data: "/d", URL: "https://id.example.org", Database: "mysql://x"},
		"password":           {Data: "/d", URL: "https://id.example.org", Database: "postgres://u:secret@localhost/x"},
		"password parameter": {Data: "/d", URL: "https://id.example.org", Database: "postgres://u@localhost/x?password=secret"},
		"region":             {Data: "/d", URL: "https://id.example.org", Region: "Local 1"},
		"log level":          {Data: "/d", URL: "https://id.example.org", LogLevel: "loud"},
	} {
		if err := c.Complete(); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
	c := Config{Data: "/d", URL: "http://localhost:1", Listen: "10.0.0.1:1", Dev: true, UnsafeListen: true}
	if err := c.Complete(); err != nil {
		t.Errorf("--unsafe-listen: %v", err)
	}
}

func TestSummaryMasksPassword(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"postgres://u:secret@db/x", "postgres://u@db/x?password=secret"} {
		c := Config{Database: database}
		if s := c.Summary(); strings.Contains(s, "secret") || !strings.Contains(s, "db/x") {
			t.Errorf("summary: %s", s)
		}
	}
}
