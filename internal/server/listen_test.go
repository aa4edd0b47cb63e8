package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/config"
)

// keyPair is a self-signed certificate for localhost with a serial number, and its key, in PEM.
func keyPair(t *testing.T, serial int64, from time.Time) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"localhost"},
		NotBefore: from, NotAfter: from.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	der2, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der2})
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// locked is a text that several write.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// live is a front with a certificate from files, that answers.
type live struct {
	t         *testing.T
	clock     *clocktest.Clock
	log       locked
	cert, key string // file names
	f         *front
	servers   []*http.Server
	ended     <-chan error       // serving
	held      chan chan struct{} // requests for /held, each with what lets it go
}

func newLive(t *testing.T) *live {
	t.Helper()
	dir := t.TempDir()
	l := &live{t: t, clock: clocktest.At(time.Unix(1_800_000_000, 0)), cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	l.held = make(chan chan struct{})
	c, k := keyPair(t, 1, l.clock.Now())
	write(t, l.cert, c)
	write(t, l.key, k)
	cfg := &config.Config{
		Data: filepath.Join(dir, "data"), URL: "https://localhost", Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", TLSCert: l.cert, TLSKey: l.key,
	}
	var err error
	if l.f, err = listen(cfg); err != nil {
		t.Fatal(err)
	}
	l.f.log = slog.New(slog.NewTextHandler(&l.log, nil))
	l.f.pair.clock, l.f.pair.log = l.clock, l.f.log
	l.servers = l.f.servers(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			free := make(chan struct{})
			l.held <- free
			<-free
		}
		_, _ = io.WriteString(w, r.Proto)
	}))
	l.ended = l.f.serve(l.servers)
	t.Cleanup(func() {
		for _, s := range l.servers {
			s.Close()
		}
	})
	return l
}

// serial is the number of the certificate that a new connection gets.
func (l *live) serial() int64 {
	l.t.Helper()
	conn, err := tls.Dial("tcp", l.f.main.Addr().String(), &tls.Config{InsecureSkipVerify: true}) // whose it is does not matter here
	if err != nil {
		l.t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func (l *live) want(serial int64, when string) {
	l.t.Helper()
	l.clock.Advance(lookEvery)
	if got := l.serial(); got != serial {
		l.t.Errorf("%s: certificate %d, want %d\n%s", when, got, serial, l.log.String())
	}
}

// TestCertificateIsReadAgain replaces the files under a server that answers, well and badly.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	l.want(1, "at the start")

	cert, key := keyPair(t, 2, l.clock.Now())
	write(t, l.cert, cert)
	l.want(1, "with half of a new pair")
	if !strings.Contains(l.log.String(), "cannot be used") {
		t.Errorf("the log does not tell of half a pair:\n%s", l.log.String())
	}
	write(t, l.key, key)
	l.want(2, "with a new pair")

	write(t, l.cert, []byte("rubbish"))
	l.want(2, "with rubbish")
	lines := strings.Count(l.log.String(), "cannot be used")
	l.want(2, "with rubbish, again")
	if got := strings.Count(l.log.String(), "cannot be used"); got != lines {
		t.Error("the log tells of the same rubbish twice")
	}
	if err := os.Remove(l.cert); err != nil {
		t.Fatal(err)
	}
	l.want(2, "without a file")

	cert, key = keyPair(t, 3, l.clock.Now())
	for path, text := range map[string][]byte{l.cert: cert, l.key: key} { // by renaming, as tools do
		write(t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	if got := l.serial(); got != 2 {
		t.Errorf("the files are looked at with every handshake: certificate %d", got)
	}
	l.want(3, "renamed")
}

func TestTLSVersions(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	for version, ok := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", l.f.main.Addr().String(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
	if strings.Contains(l.log.String(), "handshake") {
		t.Errorf("strangers' handshakes fill the log:\n%s", l.log.String())
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get("https://" + l.f.main.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "HTTP/2.0" {
		t.Errorf("%s, %v", b, err)
	}
}

// TestPlainListenerLeadsToTLS: the listener in the clear has redirects for browsers and nothing for anybody else.
func TestPlainListenerLeadsToTLS(t *testing.T) {
	t.Parallel()
	l := newLive(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	base := "http://" + l.f.plain.Addr().String()
	for _, test := range []struct {
		method, uri string
		status      int
		location    string
	}{
		{http.MethodGet, "/portal?a=b", http.StatusFound, "https://localhost/portal?a=b"},
		{http.MethodHead, "/start", http.StatusFound, "https://localhost/start"},
		{http.MethodGet, "//evil.example/", http.StatusFound, "https://localhost//evil.example/"},
		{http.MethodPost, "/signin/password", http.StatusForbidden, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, base+test.uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != test.status || res.Header.Get("Location") != test.location {
			t.Errorf("%s %s: %d %s", test.method, test.uri, res.StatusCode, res.Header.Get("Location"))
		}
	}
}

// TestBadCertificates: a server does not start with a pair that it cannot use, and keeps no port.
func TestBadCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, _ := keyPair(t, 1, time.Unix(1_800_000_000, 0))
	_, key := keyPair(t, 2, time.Unix(1_800_000_000, 0))
	write(t, filepath.Join(dir, "cert"), cert)
	write(t, filepath.Join(dir, "key"), key)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	for _, files := range [][2]string{{"cert", "key"}, {"key", "cert"}, {"absent", "key"}} {
		cfg := &config.Config{
			Data: dir, URL: "https://localhost", Listen: free.Addr().String(),
			TLSCert: filepath.Join(dir, files[0]), TLSKey: filepath.Join(dir, files[1]),
		}
		if _, err := listen(cfg); err == nil || !strings.Contains(err.Error(), files[0]) {
			t.Errorf("%v: %v", files, err)
		}
	}
}
