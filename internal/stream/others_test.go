package stream_test

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// clientPair is a certificate and its key, in one file.
func clientPair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sallyport"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// TestKinds: what each kind wants to be told, and that nobody is called before there is anything to send.
func TestKinds(t *testing.T) {
	t.Parallel()
	cert, key := clientPair(t)
	type options = map[string]string
	for _, c := range []struct {
		name, kind, address, secret string
		format                      stream.Format
		options                     options
		wrong                       string // part of the fault
	}{
		{"syslog", stream.Syslog, "siem.example.org:6514", "", "cef", options{"facility": "10", "app-name": "idc", "max-bytes": "8192"}, ""},
		{"syslog, client certificate", stream.Syslog, "siem.example.org:6514", cert + key, "", nil, ""},
		{"syslog, certificate apart", stream.Syslog, "siem.example.org:6514", key, "", options{"cert": cert}, ""},
		{"syslog, no certificate", stream.Syslog, "siem.example.org:6514", key, "", nil, "can't be used"},
		{"syslog, password", stream.Syslog, "siem.example.org:6514", "secret", "", nil, "private key in PEM"},
		{"syslog, plain", stream.Syslog, "127.0.0.1:514", "", "", options{"plain": "true"}, ""},
		{"syslog, plain elsewhere", stream.Syslog, "siem.example.org:514", "", "", options{"plain": "true"}, "Without TLS"},
		{"syslog, maybe plain", stream.Syslog, "127.0.0.1:514", "", "", options{"plain": "maybe"}, "true or false"},
		{"syslog, odd number", stream.Syslog, "siem.example.org:6514", "", "", options{"facility": "x"}, "is a number"},
		{"kafka", stream.Kafka, "b1.example.org:9093, b2.example.org:9093", "secret", "ocsf", options{"topic": "audit", "mechanism": "SCRAM-SHA-512", "user": "idc"}, ""},
		{"kafka, client certificate", stream.Kafka, "b1.example.org:9093", cert + key, "", options{"topic": "audit"}, ""},
		{"kafka, no topic", stream.Kafka, "b1.example.org:9093", "", "", nil, "topic"},
		{"kafka, no mechanism", stream.Kafka, "b1.example.org:9093", "", "", options{"topic": "audit", "mechanism": "MAGIC", "user": "idc"}, "MAGIC"},
		{"nats", stream.NATS, "n1.example.org:4222", "secret", "", options{"stream": "AUDIT", "subject": "audit.idc", "user": "idc"}, ""},
		{"nats, no stream", stream.NATS, "n1.example.org:4222", "", "", options{"subject": "audit.idc"}, "stream"},
		{"s3", stream.S3, "s3://audit-bucket/idc", "secret", "ocsf", options{"region": "eu-central-1", "access-key-id": "AKIAEXAMPLE"}, ""},
		{"s3, no region", stream.S3, "s3://audit-bucket/idc", "secret", "", options{"access-key-id": "AKIAEXAMPLE"}, "region"},
		{"s3, https", stream.S3, "https://audit-bucket/idc", "secret", "", options{"region": "eu-central-1", "access-key-id": "AKIAEXAMPLE"}, "s3://bucket/prefix"},
		{"s3, cef", stream.S3, "s3://audit-bucket/idc", "secret", "cef", options{"region": "eu-central-1", "access-key-id": "AKIAEXAMPLE"}, "cloudtrail or ocsf"},
		{"webhook, ocsf", stream.Webhook, nowhere, secret, "ocsf", nil, ""},
		{"webhook, cef", stream.Webhook, nowhere, secret, "cef", nil, "is sent JSON"},
		{"no such format", stream.Kafka, "b1.example.org:9093", "", "morse", options{"topic": "audit"}, "morse"},
		{"no such authority", stream.NATS, "n1.example.org:4222", "", "", options{"stream": "AUDIT", "subject": "audit.idc", "ca": "x"}, "no option"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := stream.Open(stream.Config{
				ID: "x", Name: "siem", Kind: c.kind, Secret: c.secret, Settings: stream.Settings{Address: c.address, Format: c.format, Options: c.options},
			})
			switch {
			case c.wrong == "" && err != nil:
				t.Error(err)
			case c.wrong != "" && (fault.As(err) == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Errorf("got %v, want a fault about %q", err, c.wrong)
			case err == nil:
				if s.Name() != "siem" {
					t.Errorf("it is called %q", s.Name())
				}
				if closer, ok := s.(io.Closer); ok {
					_ = closer.Close()
				}
			}
		})
	}
}

// TestBucket: the engine ships to a kind that is a package of its own.
func TestBucket(t *testing.T) {
	t.Parallel()
	var got []int64
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut || !strings.HasPrefix(r.URL.Path, "/audit-bucket/idc/2026/11/02/") || !strings.Contains(r.Header.Get("Authorization"), "AKIAEXAMPLE") {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		for d := json.NewDecoder(z); ; {
			var e struct{ Sallyport struct{ Seq int64 } }
			if err := d.Decode(&e); err != nil {
				return
			}
			got = append(got, e.Sallyport.Seq)
		}
	}))
	t.Cleanup(bucket.Close)
	w := newWorld(t)
	var made store.EventSink
	w.update(func(tx *store.Tx) (err error) {
		made, err = stream.Create(tx, w.ring, stream.S3, stream.Change{
			Name: new("archive"), Address: new("s3://audit-bucket/idc"), Secret: new("secret"),
			Options: map[string]string{"region": "eu-central-1", "endpoint": bucket.URL, "path-style": "true", "access-key-id": "AKIAEXAMPLE"},
		}, true, "test")
		return err
	})
	w.happen(700)
	w.drain()
	if s := w.sink(made.ID); s.Position != 700 || !slices.Equal(got, upTo(1, 700)) {
		t.Errorf("%+v; it has %d events", s, len(got))
	}
}
