package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// authority is a certificate authority of a test, with a certificate for this machine in files.
type authority struct {
	pool      *x509.CertPool
	ca        string // file of the authority
	cert, key string // files of the certificate
}

func newAuthority(tb testing.TB) *authority {
	tb.Helper()
	dir := tb.TempDir()
	a := &authority{pool: x509.NewCertPool(), ca: filepath.Join(dir, "ca.pem"), cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true}
	rootKey := sign(tb, root, root, nil, a.ca, "")
	a.pool.AddCert(root)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	sign(tb, leaf, root, rootKey, a.cert, a.key)
	return a
}

// sign makes a key and a certificate for it, signed by the parent's key or its own, and writes both to files.
func sign(tb testing.TB, cert, parent *x509.Certificate, by *ecdsa.PrivateKey, certFile, keyFile string) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	if by == nil {
		by = key
	}
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(30*24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), by)
	if err != nil {
		tb.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	*cert = *made
	write(tb, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	if keyFile != "" {
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			tb.Fatal(err)
		}
		write(tb, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
	}
	return key
}

func write(tb testing.TB, path string, text []byte) {
	tb.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// startServe starts `sallyport serve` on an empty directory and waits until it serves.
func startServe(tb testing.TB, args ...string) *server {
	tb.Helper()
	s := &server{tb: tb, dir: filepath.Join(tb.TempDir(), "data")}
	s.args = append([]string{"serve", "--data", s.dir}, args...)
	s.serve()
	return s
}

// serve runs the server, again after kill or stop.
func (s *server) serve() {
	s.tb.Helper()
	s.process = start(s.tb, sallyport(s.tb, s.dir, s.args...))
	s.find(`(?m)^ready https?://\S+$`)
	described, err := os.ReadFile(filepath.Join(s.dir, "operator.json"))
	if err != nil {
		s.tb.Fatal(err)
	}
	if err := json.Unmarshal(described, &s.world); err != nil {
		s.tb.Fatalf("read operator.json: %v", err)
	}
}

// program finds a server program, which Debian may keep off PATH.
func program(tb testing.TB, name string) string {
	tb.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	tb.Fatalf("%s is missing: run scripts/install-test-deps", name)
	return ""
}

// edited is an example of deploy/ with parts of it replaced: pairs of what must be there and what comes in its place.
func edited(tb testing.TB, example string, pairs ...string) string {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "deploy", example))
	if err != nil {
		tb.Fatal(err)
	}
	text := string(b)
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			tb.Fatalf("%s has no %q", example, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// reachable waits until somebody listens on an address.
func (p *process) reachable(address string) {
	p.tb.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
		select {
		case <-p.exited:
			p.tb.Fatalf("%s ended: %v\n%s", p.cmd.Path, p.err, p.out)
		default:
		}
	}
	p.tb.Fatalf("nobody listens on %s:\n%s", address, p.out)
}

// terminate asks the process to end, and waits.
func (p *process) terminate() {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.tb.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.tb.Fatalf("%s does not end:\n%s", p.cmd.Path, p.out)
	}
}

// visitor is a client at an address of its own, which claims to be somebody else.
const (
	visitorIP = "127.0.0.2"
	claimedIP = "198.51.100.1"
)

// visitor is an HTTP client at visitorIP that trusts the authority and sends X-Forwarded-For with claimedIP.
func (a *authority) visitor(tb testing.TB) *http.Client {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitorIP)}}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", port))
		},
		TLSClientConfig: &tls.Config{RootCAs: a.pool}, ForceAttemptHTTP2: true,
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     claiming{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type claiming struct{ next http.RoundTripper }

func (c claiming) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-For", claimedIP)
	return c.next.RoundTrip(r)
}

// operatorVia is an SDK configuration with the operator's keys, for the public URL, whose requests c sends, once each.
func (s *server) operatorVia(c *http.Client) aws.Config {
	config := s.operatorConfig()
	config.HTTPClient, config.RetryMaxAttempts = c, 1
	return config
}

// doctor runs `sallyport doctor` against the server and returns what it finds, by check.
func (s *server) doctor(a *authority) map[string]struct{ Result, Text string } {
	s.tb.Helper()
	cmd := sallyport(s.tb, s.dir, "doctor", "--url", s.Endpoint, "--ca", a.ca, "--output", "json")
	var out bytes.Buffer
	cmd.Stdout = &out
	runErr := cmd.Run()
	var checks []struct{ Check, Result, Text string }
	if err := json.Unmarshal(out.Bytes(), &checks); err != nil {
		s.tb.Fatalf("doctor: %v, %v\n%s", runErr, err, out.String())
	}
	found, bad := map[string]struct{ Result, Text string }{}, false
	for _, c := range checks {
		found[c.Check] = struct{ Result, Text string }{c.Result, c.Text}
		bad = bad || c.Result == "bad"
	}
	if bad != (runErr != nil) {
		s.tb.Errorf("doctor ended with %v, and found\n%s", runErr, out.String())
	}
	return found
}

// sources waits for the audit log to have events of an operation, and returns the addresses that they name.
func (s *server) sources(operation string) []string {
	s.tb.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(s.dir, "audit.jsonl"))
		if err != nil {
			s.tb.Fatal(err)
		}
		var found []string
		for lines := bufio.NewReader(bytes.NewReader(b)); ; {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF {
				break
			}
			var e struct{ EventName, SourceIPAddress string }
			if err := json.Unmarshal(line, &e); err != nil {
				s.tb.Fatal(err)
			}
			if e.EventName == operation {
				found = append(found, e.SourceIPAddress)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	s.tb.Fatalf("audit log has no %s", operation)
	return nil
}
