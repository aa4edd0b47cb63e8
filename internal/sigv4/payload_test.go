package sigv4

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
)

// TestPayload states the payload's hash in the ways that clients do, and in those that only S3 takes.
func TestPayload(t *testing.T) {
	t.Parallel()
	const (
		right = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" // of "{}"
		wrong = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8b"
	)
	cases := []struct {
		stated, body string
		presigned    bool
		want         string
	}{
		{right, "{}", false, ""},
		{right, "{}", true, ""},
		{wrong, "{}", false, fault.AuthSignature},
		{wrong, "{}", true, fault.AuthSignature},
		{"UNSIGNED-PAYLOAD", "{}", false, fault.AuthSignature},
		{"UNSIGNED-PAYLOAD", "", false, fault.AuthSignature},
		{"UNSIGNED-PAYLOAD", "{}", true, fault.AuthSignature},
		{"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "{}", false, fault.AuthSignature},
	}
	for _, c := range cases {
		r := unsignedRequest(t)
		r.Header.Set("X-Amz-Content-Sha256", c.stated)
		var err error
		if c.presigned {
			err = Presign(r, []byte(c.body), testKey, "local-1", "sso", time.Hour, testTime)
		} else {
			err = Sign(r, []byte(c.body), testKey, "local-1", "sso", testTime)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := outcome(r, []byte(c.body), testTime); got != c.want {
			t.Errorf("%s, presigned=%t, body %q: got %q, want %q", c.stated, c.presigned, c.body, got, c.want)
		}
	}
}

// TestUnsignedPayload: a presigned request may say so, as the SDKs' S3 presigners do, while there is nothing to sign.
func TestUnsignedPayload(t *testing.T) {
	t.Parallel()
	r := unsignedRequest(t)
	sig := claimed(testKey, "local-1", "sso", testTime)
	r.URL.RawQuery = "X-Amz-Algorithm=" + algorithm + "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=" +
		string(appendEncoded(nil, sig.String())) + "&X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host%3Bx-amz-target"
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	canonical := canonicalRequest(r, "sso", []string{"host", "x-amz-target"}, query, unsignedPayload)
	r.URL.RawQuery += "&X-Amz-Signature=" + hexMAC(signingKey(testKey.SecretAccessKey, sig.Scope), stringToSign(sig, canonical))
	if got := outcome(r, nil, testTime.Add(defaultExpires)); got != "" {
		t.Errorf("without a body: %s", got)
	}
	if got := outcome(r, nil, testTime.Add(defaultExpires+time.Second)); got != fault.AuthSkew {
		t.Errorf("after the default life: %q", got)
	}
	if got := outcome(r, testBody, testTime); got != fault.AuthSignature {
		t.Errorf("with a body: %q", got)
	}
}

func TestDateHeader(t *testing.T) {
	t.Parallel()
	for _, form := range []string{timeLayout, http.TimeFormat} {
		r := unsignedRequest(t)
		r.Header.Set("Date", testTime.Format(form))
		sig := claimed(testKey, "local-1", "sso", testTime)
		sig.headers = []string{"content-type", "date", "host", "x-amz-target"}
		value, err := sign(r, testBody, testKey, sig)
		if err != nil {
			t.Fatal(err)
		}
		auth := fmt.Sprintf("%s Credential=%s, SignedHeaders=%s, Signature=%s", algorithm, sig.String(), strings.Join(sig.headers, ";"), value)
		r.Header.Set("Authorization", auth)
		if got := outcome(r, testBody, testTime); got != "" {
			t.Errorf("%s: %s", form, got)
		}
		r.Header.Set("Authorization", strings.Replace(auth, "date;", "", 1))
		if got := outcome(r, testBody, testTime); got != fault.AuthSignature {
			t.Errorf("%s unsigned: %q", form, got)
		}
	}
}

func TestNoSecret(t *testing.T) {
	t.Parallel()
	r := unsignedRequest(t)
	if err := Sign(r, testBody, Credentials{AccessKeyID: "AKIDEXAMPLE"}, "local-1", "sso", testTime); err != nil {
		t.Fatal(err)
	}
	sig, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := testVerifier().Verify(r, testBody, sig, "", testTime); err == nil {
		t.Error("a key without a secret was accepted")
	}
}
