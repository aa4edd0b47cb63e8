package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for raw, well := range map[string]bool{
		"https://id.example.org": true, "https://id.example.org:8443/x?y=z": true, "http://127.0.0.1:8080/": true, "http://localhost/": true, "http://[::1]/": true,
		"http://id.example.org/": false, "http://127.0.0.1.example.org/": false, "ftp://127.0.0.1/": false, "https://": false, "https://u:p@id.example.org/": false,
		"https://id.example.org/#x": false, "id.example.org": false, "https://" + strings.Repeat("x", 2048): false, "": false,
	} {
		if err := CheckURL(raw); (err == nil) != well {
			t.Errorf("%.60q: %v", raw, err)
		}
	}
}

// from is a connection that leads to an address.
type from struct {
	net.Conn
	far net.Addr
}

func (f from) RemoteAddr() net.Addr { return f.far }
func (f from) Close() error         { return nil }

// TestPlainIsForThisMachine: also where a name that was this machine's leads elsewhere now.
func TestPlainIsForThisMachine(t *testing.T) {
	t.Parallel()
	for ip, well := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true, "192.0.2.1": false, "fe80::1": false, "0.0.0.0": false} {
		dial := here(func(context.Context, string, string) (net.Conn, error) {
			return from{far: &net.TCPAddr{IP: net.ParseIP(ip)}}, nil
		})
		if _, err := dial(t.Context(), "tcp", "localhost:80"); (err == nil) != well {
			t.Errorf("%s: %v", ip, err)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	res, err := (&http.Client{Transport: Transport(nil)}).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "x": 0, "99999": time.Minute, now.Add(30 * time.Second).Format(http.TimeFormat): 30 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		if got := RetryAfter(text, now, time.Minute); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	if got := OneLine("a\nb\x1b c-secret-c "+strings.Repeat("é", 400), "c-secret-c", ""); got != "a b  [secret] "+strings.Repeat("é", 286)+"…" {
		t.Errorf("%q", got)
	}
	if got := Why(&url.Error{Op: "Post", URL: "https://x/?key=hidden", Err: errors.New("refused")}, time.Second); got != "refused" {
		t.Errorf("%q", got)
	}
}

func TestBackOff(t *testing.T) {
	t.Parallel()
	for n, most := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		for range 50 {
			if got := BackOff(n, time.Second, time.Minute); got < most/2 || got > most {
				t.Errorf("after %d failures %v", n, got)
			}
		}
	}
}
