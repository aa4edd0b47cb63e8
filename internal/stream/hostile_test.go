package stream_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/stream"
)

// TestHostileReceivers: whatever a receiver does, it costs bounded time and memory, is tried again, and learns nothing that it should not.
func TestHostileReceivers(t *testing.T) {
	t.Parallel()
	elsewhere := newReceiver(t, nil)
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request, body []byte)
		says   string
	}{
		"redirects": {func(w http.ResponseWriter, r *http.Request, _ []byte) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "it redirects"},
		"hangs":      {func(_ http.ResponseWriter, r *http.Request, _ []byte) { <-r.Context().Done() }, "did not answer within 1s"},
		"never ends": {func(w http.ResponseWriter, _ *http.Request, _ []byte) { endless(w) }, "too long"},
		"cut off":    {func(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }, "cannot be reached"},
		"says our secret": {func(w http.ResponseWriter, r *http.Request, _ []byte) {
			http.Error(w, "not \x1b[31m"+secret, http.StatusForbidden)
		}, "403: not  [31m[secret]"},
		"is busy": {func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, "503 Service Unavailable"},
	} {
		for _, kind := range []string{stream.Webhook, stream.SplunkHEC, stream.Elastic, stream.OTLP} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				re := newReceiver(t, c.answer)
				s := open(t, kind, re.URL, nil)
				err := s.Write(t.Context(), batch(1, 3))
				if err == nil || refusedOf(err) != nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\x1b") {
					t.Errorf("%v", err)
				}
				if b := (*audit.Busy)(nil); errors.As(err, &b) != (name == "is busy") || b != nil && b.After != 17*time.Second {
					t.Errorf("%v is busy for %v", err, b)
				}
				ctx, stop := context.WithCancel(t.Context())
				stop()
				if err := s.Write(ctx, batch(1, 3)); !errors.Is(err, context.Canceled) {
					t.Errorf("stopped: %v", err)
				}
			})
		}
	}
	t.Cleanup(func() {
		if len(elsewhere.asked) > 0 {
			t.Error("a redirect was followed")
		}
	})
}

func endless(w http.ResponseWriter) {
	for range 6 << 10 {
		_, _ = w.Write(make([]byte, 1<<10))
	}
}

// TestPrivateAuthority: with authorities of its own, a sink trusts those and no others.
func TestPrivateAuthority(t *testing.T) {
	t.Parallel()
	re := &receiver{}
	re.Server = httptest.NewUnstartedServer(re)
	re.Config.ErrorLog = log.New(io.Discard, "", 0) // it is told that it is not trusted
	re.StartTLS()
	t.Cleanup(re.Close)
	c := config(stream.Webhook, re.URL, nil)
	for name, ca := range map[string]string{"": "x509", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: re.Certificate().Raw})): ""} {
		c.CA = name
		s, err := stream.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Write(t.Context(), batch(1, 1))
		if (err == nil) != (ca == "") || err != nil && !strings.Contains(err.Error(), ca) {
			t.Errorf("%v", err)
		}
		_ = s.(io.Closer).Close()
	}
}
