package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/fault"
)

// certificate is a key pair in files. It is read again when the files have changed; a pair that cannot be used leaves the
// one before in force.
type certificate struct {
	certFile, keyFile string
	clock             clock.Clock
	log               *slog.Logger

	mu     sync.Mutex
	looked time.Time      // at the files, last
	seen   [2]os.FileInfo // of the pair that was last tried
	pair   *tls.Certificate
}

// lookEvery is how often handshakes look at the files.
const lookEvery = time.Second

// get is the certificate for a handshake.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock.Now(); now.Sub(c.looked) >= lookEvery || now.Before(c.looked) {
		c.looked = now
		if seen, changed := c.changed(); changed {
			c.renew(seen)
		}
	}
	return c.pair, nil
}

// changed looks at the files. It is asked before they are read: what is written meanwhile is seen the next time.
func (c *certificate) changed() (seen [2]os.FileInfo, changed bool) {
	for i, path := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return c.seen, false // being replaced, or gone: the pair in force serves on
		}
		was := c.seen[i]
		seen[i], changed = info, changed || was == nil || !os.SameFile(was, info) || was.Size() != info.Size() || !was.ModTime().Equal(info.ModTime())
	}
	return seen, changed
}

func (c *certificate) renew(seen [2]os.FileInfo) {
	c.seen = seen
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		c.log.Error("the new certificate cannot be used, the one before stays", "file", c.certFile, "error", err)
		return
	}
	c.pair = &pair
	c.log.Info("certificate was read again", "file", c.certFile, "expires", pair.Leaf.NotAfter)
}

// load reads the pair at the start, when there is no other to fall back on.
func (c *certificate) load() error {
	c.seen, _ = c.changed()
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fault.Invalidf("The certificate %s with the key %s cannot be used: %v.", c.certFile, c.keyFile, err)
	}
	c.pair, c.looked = &pair, c.clock.Now()
	if c.looked.After(pair.Leaf.NotAfter) {
		c.log.Warn("the certificate has expired", "file", c.certFile, "expired", pair.Leaf.NotAfter)
	}
	return nil
}

// newACME has certificates for the URL's host issued and renewed (RFC 8555), by a challenge in the TLS handshake (RFC 8737),
// or over plain HTTP where that is listened to.
func newACME(cfg *config.Config) (*autocert.Manager, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	client := &acme.Client{DirectoryURL: cfg.ACMEDirectory, UserAgent: "sallyport", HTTPClient: &http.Client{Timeout: 30 * time.Second}}
	if cfg.ACMECAFile != "" {
		pem, err := os.ReadFile(cfg.ACMECAFile)
		if err != nil {
			return nil, fault.Invalidf("The file of the ACME directory's authority cannot be read: %v.", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fault.Invalidf("The file %s has no certificate: expected PEM.", cfg.ACMECAFile)
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		client.HTTPClient.Transport = transport
	}
	return &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(cfg.Data, "acme")), Email: cfg.ACMEEmail,
		HostPolicy: autocert.HostWhitelist(base.Hostname()), Client: client,
	}, nil
}

// Times of watchACME.
const (
	acmeRetry = time.Minute // after a failure, doubled up to acmeLook: authorities limit failures
	acmeLook  = 12 * time.Hour
	acmeLate  = 14 * 24 * time.Hour // renewal begins 30 days before the end
)

// watchACME has the certificate issued at the start, rather than at somebody's first visit, and tells when it or its renewal fails.
func (f *front) watchACME(ctx context.Context) {
	base, _ := url.Parse(f.cfg.URL)
	hello := &tls.ClientHelloInfo{ // of a client that takes the usual kind
		ServerName: base.Hostname(), CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, SupportedVersions: []uint16{tls.VersionTLS13},
	}
	for wait := acmeRetry; ; {
		cert, err := f.acme.GetCertificate(hello)
		switch {
		case err != nil:
			f.log.Error("no certificate by ACME yet, will try again", "host", base.Hostname(), "in", wait.String(), "error", strings.TrimSpace(err.Error()))
		case cert.Leaf.NotAfter.Before(clock.System{}.Now().Add(acmeLate)):
			f.log.Error("the certificate is not being renewed", "host", base.Hostname(), "expires", cert.Leaf.NotAfter)
			wait = acmeLook
		default:
			f.log.Info("certificate is there", "host", base.Hostname(), "expires", cert.Leaf.NotAfter)
			wait = acmeLook
		}
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, acmeLook)
	}
}
