package alert

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// TestSyslog sends an alert over TLS to a server whose authority is its own.
func TestSyslog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	web := httptest.NewTLSServer(nil) // has a certificate
	defer web.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go receive(l, got)
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}))
	put := func(in Target) error {
		in.Name, in.Kind = "siem", Syslog
		return w.db.Update(t.Context(), func(tx *store.Tx) error { _, err := PutTarget(tx, w.keys, in, "me"); return err })
	}
	for _, bad := range []Target{
		{Place: "syslog+tls://127.0.0.1"},
		{Place: "https://127.0.0.1:6514"},
		{Place: "syslog+tcp://192.0.2.1:514"},
		{Place: "syslog+tcp://127.0.0.1:514", Authority: authority},
		{Place: "syslog+tls://127.0.0.1:6514", Authority: "none"},
		{Place: "syslog+tls://127.0.0.1:6514", Secret: "0123456789abcdef"},
	} {
		if err := put(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := put(Target{Place: "syslog+tls://" + l.Addr().String(), Authority: authority}); err != nil {
		t.Fatal(err)
	}
	w.rule("a", "A")
	id := w.event("A", "192.0.2.1")
	w.find()
	w.deliver()
	a := w.alerts()[0]
	if d := w.deliveries(a.ID); d["siem"] != store.DeliverySent {
		t.Fatalf("deliveries %v", d)
	}
	text := <-got
	for _, want := range []string{"<106>1 2026-10-24T22:00:00Z", ` sallyport - Alert [`, `alertId="` + a.ID + `"`, `eventId="` + id + `"`, "] a: A by somebody unknown from 192.0.2.1"} {
		if !strings.Contains(strings.Replace(text, ".000000Z", "Z", 1), want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

// receive reads one connection to its end.
func receive(l net.Listener, got chan<- string) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	text, _ := io.ReadAll(bufio.NewReader(c))
	got <- string(text)
}
