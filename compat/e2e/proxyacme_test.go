package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestServeTLS: a server that everybody may reach ends TLS itself, believes nobody's X-Forwarded-For, and takes a new
// certificate without a new start.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	_, port, _ := net.SplitHostPort(freeAddress(t))
	s := startServe(t, "--url", "https://localhost:"+port, "--listen", "0.0.0.0:"+port, "--tls-cert", a.cert, "--tls-key", a.key)
	client := a.visitor(t)
	_, err := identitystore.NewFromConfig(s.operatorVia(client)).CreateGroup(t.Context(), &identitystore.CreateGroupInput{
		IdentityStoreId: aws.String(s.IdentityStoreID), DisplayName: aws.String("direct"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{visitorIP}, s.sources("CreateGroup")); d != "" {
		t.Errorf("address in the audit log:\n%s", d)
	}
	for name, c := range s.doctor(a) {
		if c.Result != "ok" && name != "environment" {
			t.Errorf("doctor: %s is %s: %s", name, c.Result, c.Text)
		}
	}

	other := newAuthority(t)
	for from, to := range map[string]string{other.cert: a.cert, other.key: a.key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	newcomer := other.visitor(t)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		res, err := newcomer.Get(s.Endpoint + "/readyz")
		if err == nil {
			res.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the new certificate is not served: %v", err)
		}
	}
}

// acmeHost is the name that the test authority's DNS leads to this machine.
const acmeHost = "id.sallyport.test"

// pebble is a running ACME authority, which validates what it certifies by connecting to these ports of this machine.
type pebble struct {
	directory  string
	management string
	client     *http.Client
}

func startPebble(t *testing.T, a *authority, httpPort, tlsPort string) *pebble {
	t.Helper()
	dns, dnsManagement := freeAddress(t), freeAddress(t)
	names := exec.Command(program(t, "pebble-challtestsrv"), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", dns,
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-management", dnsManagement)
	start(t, names).reachable(dnsManagement)

	listen, management := freeAddress(t), freeAddress(t)
	number := func(port string) int { n, _ := strconv.Atoi(port); return n }
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": management, "certificate": a.cert, "privateKey": a.key,
		"httpPort": number(httpPort), "tlsPort": number(tlsPort),
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pebble.json")
	write(t, file, config)
	cmd := exec.Command(program(t, "pebble"), "-config", file, "-strict", "-dnsserver", dns)
	cmd.Env = []string{"PEBBLE_VA_NOSLEEP=1"}
	start(t, cmd).reachable(listen)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &pebble{directory: "https://" + listen + "/dir", management: "https://" + management, client: &http.Client{Transport: transport}}
}

// roots are whom to trust for the certificates that it issues: made anew at every start.
func (p *pebble) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	res, err := p.client.Get(p.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	pem, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate: %s", pem)
	}
	return pool
}

// serial waits for a certificate that the roots vouch for, and returns its number.
func serial(ctx context.Context, t *testing.T, address string, roots *x509.CertPool) string {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: acmeHost, RootCAs: roots}}
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var conn net.Conn
		if conn, err = dialer.DialContext(ctx, "tcp", address); err == nil {
			defer conn.Close()
			return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
		}
	}
	t.Fatalf("no certificate: %v", err)
	return ""
}

// TestACME has a certificate issued by a real ACME server, by each of the two challenges: the authority connects to the
// port of one only.
func TestACME(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{"tls-alpn-01", "http-01"} {
		t.Run(challenge, func(t *testing.T) {
			t.Parallel()
			a, listen, plain, nobody := newAuthority(t), freeAddress(t), freeAddress(t), freeAddress(t)
			port := func(address string) string { _, p, _ := net.SplitHostPort(address); return p }
			httpPort, tlsPort := port(nobody), port(listen)
			if challenge == "http-01" {
				httpPort, tlsPort = port(plain), port(nobody)
			}
			p := startPebble(t, a, httpPort, tlsPort)
			s := startServe(t, "--url", "https://"+acmeHost+":"+port(listen), "--listen", listen, "--http-listen", plain,
				"--acme", "--acme-directory", p.directory, "--acme-ca-file", a.ca, "--acme-email", "operator@sallyport.test")
			first := serial(t.Context(), t, listen, p.roots(t))
			s.find(`certificate is there`)
			s.privateCache()

			// Nobody gets a certificate for another name, and another start asks for none.
			if conn, err := tls.Dial("tcp", listen, &tls.Config{ServerName: "other.sallyport.test", InsecureSkipVerify: true}); err == nil {
				conn.Close()
				t.Error("another name was served")
			}
			s.stop()
			s.serve()
			if again := serial(t.Context(), t, listen, p.roots(t)); again != first {
				t.Errorf("certificate %s became %s with a new start", first, again)
			}
		})
	}
}

// privateCache fails the test if others could read the keys in the data directory.
func (s *server) privateCache() {
	s.tb.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(s.dir, "acme"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return fmt.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		found = append(found, entry.Name())
		return nil
	})
	if all := strings.Join(found, " "); err != nil || !strings.Contains(all, acmeHost) {
		s.tb.Errorf("acme has %s: %v", all, err)
	}
}
