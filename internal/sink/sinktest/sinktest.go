// Package sinktest has what the senders' tests share: events, and an authority for TLS.
package sinktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"sallyport/internal/store"
)

// Events are sealed events with the numbers from and to.
func Events(from, to int64) []store.SealedEvent {
	var out []store.SealedEvent
	for seq := from; seq <= to; seq++ {
		out = append(out, store.SealedEvent{Seq: seq, Hash: []byte{1, 2}, Event: store.Event{
			ID: ID(seq), At: time.Date(2026, 11, 28, 22, 0, int(seq%60), 0, time.UTC),
			JSON: fmt.Appendf(nil, `{"eventID":%q,"eventName":"DeleteUser","eventSource":"identitystore.amazonaws.com","recipientAccountId":"111122223333"}`, ID(seq)),
		}})
	}
	return out
}

// ID is the id of the event with a number.
func ID(seq int64) string { return fmt.Sprintf("01a2242b-0000-7000-8000-%012d", seq) }

// Authority issues certificates.
type Authority struct {
	PEM  string // its own certificate
	Pool *x509.CertPool

	tb   testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{tb: tb, Pool: x509.NewCertPool()}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sinktest"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.cert, a.PEM, a.key = a.issue(root)
	a.Pool.AddCert(a.cert)
	return a
}

// Issue makes a certificate for localhost and 127.0.0.1, good for servers and clients, and its key, in PEM.
func (a *Authority) Issue() (cert, key string) {
	a.tb.Helper()
	_, cert, private := a.issue(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.tb.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Server is the configuration of a server with a certificate of the authority; it knows clients by the authority too, where
// it asks for their certificates.
func (a *Authority) Server() *tls.Config {
	a.tb.Helper()
	pair, err := tls.X509KeyPair(a.pair())
	if err != nil {
		a.tb.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: a.Pool, MinVersion: tls.VersionTLS12}
}

func (a *Authority) pair() (cert, key []byte) {
	c, k := a.Issue()
	return []byte(c), []byte(k)
}

func (a *Authority) issue(template *x509.Certificate) (*x509.Certificate, string, *ecdsa.PrivateKey) {
	a.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.tb.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.tb.Fatal(err)
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), key
}
