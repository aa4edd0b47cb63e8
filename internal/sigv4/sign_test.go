package sigv4

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
)

// TestSignLikeBotocore signs again what botocore's clients signed: they sign the same headers, so all must be equal.
func TestSignLikeBotocore(t *testing.T) {
	t.Parallel()
	headers, queries := 0, 0
	for i, c := range readCorpus(t, "botocore.json") {
		r := c.request(t)
		want, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if r.Header.Get("My-Header") != "" {
			continue // we sign only what matters
		}
		creds := Credentials{c.AccessKeyID, c.SecretAccessKey, c.SessionToken}
		got := c.request(t)
		if want.Presigned {
			queries++
			err = Presign(got, []byte(c.Body), creds, c.Region, c.Service, want.Expires, want.Time)
		} else {
			headers++
			err = Sign(got, []byte(c.Body), creds, c.Region, c.Service, want.Time)
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Header, got.Header); diff != "" {
			t.Errorf("%d %s: headers (-botocore +ours):\n%s", i, c.Name, diff)
		}
		if diff := cmp.Diff(r.URL.Query(), got.URL.Query()); diff != "" {
			t.Errorf("%d %s: query (-botocore +ours):\n%s", i, c.Name, diff)
		}
	}
	if headers < 50 || queries < 15 {
		t.Errorf("compared only %d headers and %d queries", headers, queries)
	}
}

// TestServer sends signed requests through net/http, which moves and adds headers, in both of its protocols.
func TestServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprint(w, r.Proto, " ", outcome(r, body, testTime))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	one := server.Client().Transport.(*http.Transport).Clone()
	one.ForceAttemptHTTP2 = false
	one.TLSClientConfig.NextProtos = []string{"http/1.1"}
	t.Cleanup(one.CloseIdleConnections)
	for proto, client := range map[string]*http.Client{"HTTP/2.0": server.Client(), "HTTP/1.1": {Transport: one}} {
		for _, sign := range []func(*testing.T, *http.Request){
			func(t *testing.T, r *http.Request) { signRequest(t, r, false) },
			func(t *testing.T, r *http.Request) { signRequest(t, r, true) },
			signWithLength,
		} {
			r := unsignedRequest(t)
			target, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Scheme, r.URL.Host, r.Host = target.Scheme, target.Host, target.Host
			sign(t, r)
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || string(text) != proto+" " {
				t.Errorf("%s: %q, %v", proto, text, err)
			}
		}
	}
}

// signWithLength signs the length of the body too, which the SDK for Go does.
func signWithLength(t *testing.T, r *http.Request) {
	sig := claimed(testKey, "local-1", "sso", testTime)
	r.Header.Set("X-Amz-Date", "20260102T030405Z")
	sig.headers = []string{"content-length", "host", "x-amz-date", "x-amz-target"}
	value, err := sign(r, testBody, testKey, sig)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s, SignedHeaders=%s, Signature=%s", algorithm, sig.String(), strings.Join(sig.headers, ";"), value))
}

func TestPresignLimits(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, -time.Second, maxExpires + time.Second} {
		if err := Presign(unsignedRequest(t), nil, testKey, "local-1", "sso", d, testTime); err == nil {
			t.Errorf("presigned for %v", d)
		}
	}
}

// TestPresignAgain: signing twice replaces the first signature.
func TestPresignAgain(t *testing.T) {
	t.Parallel()
	r := unsignedRequest(t)
	for range 2 {
		if err := Presign(r, testBody, testKey, "local-1", "sso", time.Minute, testTime); err != nil {
			t.Fatal(err)
		}
		if got := outcome(r, testBody, testTime); got != "" {
			t.Error(got)
		}
	}
}

func TestNoSecretsInText(t *testing.T) {
	t.Parallel()
	r := unsignedRequest(t)
	signRequest(t, r, false)
	sig, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		for _, v := range []any{testKey, &testKey, sig, &sig} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, testKey.SessionToken) || strings.Contains(text, testKey.SecretAccessKey) {
				t.Errorf("%s shows %s", verb, text)
			}
		}
	}
	if _, err := Parse(&http.Request{Header: http.Header{"Authorization": {"Bearer s3cret"}}, URL: &url.URL{}}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the fault repeats the credentials: %v", err)
	}
}

func TestKeyCache(t *testing.T) {
	t.Parallel()
	var c keyCache
	scope := Scope{"20260102", "local-1", "sso"}
	first := c.get("secret", scope)
	for i := range maxKeys {
		c.get(fmt.Sprint("secret ", i), scope)
		if i%100 == 0 && &c.get("secret", scope)[0] != &first[0] {
			t.Fatal("a key in use was dropped")
		}
	}
	if c.order.Len() != maxKeys || len(c.byID) != maxKeys {
		t.Errorf("%d keys in order, %d by name, of at most %d", c.order.Len(), len(c.byID), maxKeys)
	}
	if !bytes.Equal(c.get("secret", scope), signingKey("secret", scope)) {
		t.Error("the cached key differs")
	}
	if bytes.Equal(c.get("secret", scope), c.get("secret", Scope{"20260103", "local-1", "sso"})) {
		t.Error("two days share a key")
	}
}

func FuzzVerify(f *testing.F) {
	good := unsignedRequest(f)
	signRequest(f, good, false)
	f.Add("POST", "/?b=2&a=1", good.Header.Get("Authorization"), "20260102T030405Z", "x-amz-target", "SWBExternalService.DescribeInstance", testBody)
	signRequest(f, good, true)
	f.Add("POST", "/?"+good.URL.RawQuery, "", "", "x-amz-target", "SWBExternalService.DescribeInstance", testBody)
	f.Add("GET", "//a/../%zz?a;b=%&X-Amz-Signature", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host", "20260102T030405Z", "host", "x", []byte(nil))
	v := testVerifier()
	f.Fuzz(func(t *testing.T, method, target, auth, date, name, value string, body []byte) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: method, URL: u, RequestURI: target, Host: "id.example.org", Header: http.Header{}, ContentLength: int64(len(body))}
		for k, value := range map[string]string{"Authorization": auth, "X-Amz-Date": date, name: value} {
			if value != "" {
				r.Header.Set(k, value)
			}
		}
		sig, err := Parse(r)
		if err == nil {
			// The fuzzer has no key: whatever is not a seed must be refused, with a reason.
			err = v.Verify(r, body, sig, "a secret that signed nothing", testTime)
		}
		if f := fault.As(err); f == nil || f.Kind != fault.Unauthenticated || f.Reason == "" {
			t.Errorf("%v", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 512)
	r := unsignedRequest(b)
	if err := Sign(r, body, testKey, "local-1", "sso", testTime); err != nil {
		b.Fatal(err)
	}
	v := testVerifier()
	b.ReportAllocs()
	for b.Loop() {
		sig, err := Parse(r)
		if err != nil {
			b.Fatal(err)
		}
		if err := v.Verify(r, body, sig, testKey.SecretAccessKey, testTime); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 512)
	r := unsignedRequest(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := Sign(r, body, testKey, "local-1", "sso", testTime); err != nil {
			b.Fatal(err)
		}
	}
}
