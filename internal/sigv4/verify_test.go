package sigv4

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/fault"
)

var (
	testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	testKey  = Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: "AQoDYXdzEPT/wEXAMPLE=="}
	testBody = []byte(`{"InstanceArn":"arn:aws:sso:::instance/ssoins-1234567890abcdef"}`)
)

func testVerifier() *Verifier {
	return &Verifier{Service: "sso", Regions: []string{"local-1", "us-east-1"}}
}

// unsignedRequest is a call of sso-admin as the server's side sees it.
func unsignedRequest(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://id.example.org/?b=2&a=1", bytes.NewReader(testBody))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "SWBExternalService.DescribeInstance")
	return r
}

// signRequest signs r in either way.
func signRequest(t testing.TB, r *http.Request, presigned bool) {
	t.Helper()
	err := Sign(r, testBody, testKey, "local-1", "sso", testTime)
	if presigned {
		r.Header.Del("Authorization")
		r.Header.Del("X-Amz-Date")
		r.Header.Del("X-Amz-Security-Token")
		err = Presign(r, testBody, testKey, "local-1", "sso", time.Hour, testTime)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// outcome is the reason of the fault of Parse and Verify together; empty when the signature is good.
func outcome(r *http.Request, body []byte, now time.Time) string {
	sig, err := Parse(r)
	if err == nil {
		err = testVerifier().Verify(r, body, sig, testKey.SecretAccessKey, now)
	}
	if err == nil {
		return ""
	}
	if f := fault.As(err); f != nil && f.Kind == fault.Unauthenticated {
		return f.Reason
	}
	return "internal: " + err.Error()
}

// replaceAuth edits the claim, wherever it stands. In the query string the text is looked for in its encoded form.
func replaceAuth(from, to string) func(*http.Request) {
	return func(r *http.Request) {
		if auth := r.Header.Get("Authorization"); auth != "" {
			r.Header.Set("Authorization", strings.Replace(auth, from, to, 1))
			return
		}
		encode := func(s string) string {
			name, value, _ := strings.Cut(s, "=")
			return name + "=" + string(appendEncoded(nil, value))
		}
		if !strings.Contains(from, "=") {
			encode = func(s string) string { return string(appendEncoded(nil, s)) }
		}
		r.URL.RawQuery = strings.Replace(r.URL.RawQuery, encode(from), encode(to), 1)
	}
}

func setHeader(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = values }
}

func addQuery(s string) func(*http.Request) {
	return func(r *http.Request) { r.URL.RawQuery += s }
}

// TestRefused changes one thing of a good request at a time.
func TestRefused(t *testing.T) {
	t.Parallel()
	const scope = "20260102/local-1/sso/aws4_request"
	both := []struct {
		name   string
		change func(*http.Request)
		want   string
	}{
		{"nothing", func(*http.Request) {}, ""},
		{"method", func(r *http.Request) { r.Method = "PUT" }, fault.AuthSignature},
		{"path", func(r *http.Request) { r.URL.Path = "/x" }, fault.AuthSignature},
		{"query value", func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "a=1", "a=2", 1) }, fault.AuthSignature},
		{"query name", func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "a=1", "A=1", 1) }, fault.AuthSignature},
		{"query parameter added", addQuery("&c=3"), fault.AuthSignature},
		{"query parameter twice", addQuery("&a=1"), fault.AuthSignature},
		{"query with semicolon", addQuery("&c;d"), fault.AuthIncomplete},
		{"query with bad escape", addQuery("&c=%zz"), fault.AuthIncomplete},
		{"query too long", addQuery("&c=" + strings.Repeat("x", maxQuery)), fault.AuthIncomplete},
		{"query with too many parameters", addQuery(strings.Repeat("&c", maxQueryParams)), fault.AuthIncomplete},
		{"host", func(r *http.Request) { r.Host = "id.example.com" }, fault.AuthSignature},
		{"signed header changed", setHeader("X-Amz-Target", "SWBExternalService.DeleteInstance"), fault.AuthSignature},
		{"signed header gone", func(r *http.Request) { r.Header.Del("X-Amz-Target") }, fault.AuthSignature},
		{"signed header twice", setHeader("X-Amz-Target", "SWBExternalService.DescribeInstance", "x"), fault.AuthSignature},
		{"unsigned x-amz header", setHeader("X-Amz-Other", "1"), fault.AuthSignature},
		{"unsigned header of no concern", setHeader("X-Amzn-Trace-Id", "1"), ""},
		{"payload hash unsigned", setHeader("X-Amz-Content-Sha256", strings.Repeat("0", 64)), fault.AuthSignature},
		{"access key with odd characters", replaceAuth("AKIDEXAMPLE", "AKID EXAMPLE"), fault.AuthIncomplete},
		{"access key too long", replaceAuth("AKIDEXAMPLE", strings.Repeat("A", maxKeyID+1)), fault.AuthIncomplete},
		{"scope: other day", replaceAuth(scope, "20260103/local-1/sso/aws4_request"), fault.AuthSignature},
		{"scope: other region of ours", replaceAuth(scope, "20260102/us-east-1/sso/aws4_request"), fault.AuthSignature},
		{"scope: foreign region", replaceAuth(scope, "20260102/eu-west-1/sso/aws4_request"), fault.AuthSignature},
		{"scope: other service", replaceAuth(scope, "20260102/local-1/sts/aws4_request"), fault.AuthSignature},
		{"scope: other terminator", replaceAuth(scope, "20260102/local-1/sso/aws5_request"), fault.AuthSignature},
		{"scope: four parts", replaceAuth(scope, "20260102/local-1/sso"), fault.AuthIncomplete},
		{"scope: six parts", replaceAuth(scope, scope+"/x"), fault.AuthIncomplete},
		{"scope: empty part", replaceAuth(scope, "20260102//sso/aws4_request"), fault.AuthIncomplete},
		{"scope: huge part", replaceAuth(scope, "20260102/"+strings.Repeat("x", 65)+"/sso/aws4_request"), fault.AuthIncomplete},
		{"signed headers: host left out", replaceAuth(";host", ""), fault.AuthSignature},
		{"signed headers: one more", replaceAuth(";host", ";host;range"), fault.AuthSignature},
		{"signed headers: unsorted", replaceAuth("content-type;host", "host;content-type"), fault.AuthIncomplete},
		{"signed headers: twice", replaceAuth(";host", ";host;host"), fault.AuthIncomplete},
		{"signed headers: upper case", replaceAuth("content-type", "Content-Type"), fault.AuthIncomplete},
		{"signed headers: empty name", replaceAuth(";host", ";;host"), fault.AuthIncomplete},
		{"signed headers: too many", replaceAuth(";host", strings.Repeat(";host", 100)), fault.AuthIncomplete},
	}
	for _, presigned := range []bool{false, true} {
		for _, c := range both {
			t.Run(fmt.Sprintf("presigned=%t/%s", presigned, c.name), func(t *testing.T) {
				t.Parallel()
				r := unsignedRequest(t)
				signRequest(t, r, presigned)
				c.change(r)
				if got := outcome(r, testBody, testTime); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		}
	}
}

func TestRefusedHeader(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*http.Request)
		want   string
	}{
		{"no credentials", func(r *http.Request) { r.Header.Del("Authorization") }, fault.AuthMissing},
		{"empty credentials", setHeader("Authorization", ""), fault.AuthMissing},
		{"two credentials", func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, fault.AuthIncomplete},
		{"header and query", addQuery("&X-Amz-Signature=x"), fault.AuthIncomplete},
		{"other scheme", setHeader("Authorization", "Bearer x"), fault.AuthIncomplete},
		{"signature version 4a", replaceAuth("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), fault.AuthIncomplete},
		{"no parts", setHeader("Authorization", "AWS4-HMAC-SHA256"), fault.AuthIncomplete},
		{"foreign part", replaceAuth("Signature=", "Colour=blue, Signature="), fault.AuthIncomplete},
		{"part twice", replaceAuth("Signature=", "Signature=x, Signature="), fault.AuthIncomplete},
		{"no signature", replaceAuth(", Signature=", ", Credential="), fault.AuthIncomplete},
		{"short signature", replaceAuth("Signature=", "Signature=0"), fault.AuthIncomplete},
		{"huge header", replaceAuth("Signature=", strings.Repeat(" ", maxAuthorization)+"Signature="), fault.AuthIncomplete},
		{"other access key", replaceAuth("AKIDEXAMPLE", "AKIDEXAMPL3"), ""}, // not signed: finding the key is the caller's part
		{"no spaces", func(r *http.Request) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
		}, ""},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, fault.AuthIncomplete},
		{"date twice", setHeader("X-Amz-Date", "20260102T030405Z", "20260102T030405Z"), fault.AuthIncomplete},
		{"date in another form", setHeader("X-Amz-Date", "2026-01-02T03:04:05Z"), fault.AuthIncomplete},
		{"date with a fraction", setHeader("X-Amz-Date", "20260102T030405.1Z"), fault.AuthIncomplete},
		{"date a second later", setHeader("X-Amz-Date", "20260102T030406Z"), fault.AuthSignature},
		{"date of another day", setHeader("X-Amz-Date", "20260103T000000Z"), fault.AuthSignature},
		{"date unsigned", replaceAuth(";x-amz-date", ""), fault.AuthSignature},
		{"token", setHeader("X-Amz-Security-Token", "other"), fault.AuthSignature},
		{"token twice", setHeader("X-Amz-Security-Token", "a", "b"), fault.AuthIncomplete},
		{"token gone", func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }, fault.AuthSignature},
		{"token huge", setHeader("X-Amz-Security-Token", strings.Repeat("x", maxToken+1)), fault.AuthIncomplete},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := unsignedRequest(t)
			signRequest(t, r, false)
			c.change(r)
			if got := outcome(r, testBody, testTime); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRefusedPresigned(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*http.Request)
		want   string
	}{
		{"Authorization too", setHeader("Authorization", "AWS4-HMAC-SHA256 x"), fault.AuthIncomplete},
		{"signature twice", addQuery("&X-Amz-Signature=x"), fault.AuthIncomplete},
		{"token twice", addQuery("&X-Amz-Security-Token=x"), fault.AuthIncomplete},
		{"expiry twice", addQuery("&X-Amz-Expires=1"), fault.AuthIncomplete},
		{"other algorithm", replaceAuth("X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256"), fault.AuthIncomplete},
		{"no expiry", replaceAuth("X-Amz-Expires=3600", "b2=2"), fault.AuthSignature},
		{"expiry of zero", replaceAuth("X-Amz-Expires=3600", "X-Amz-Expires=0"), fault.AuthIncomplete},
		{"negative expiry", replaceAuth("X-Amz-Expires=3600", "X-Amz-Expires=-1"), fault.AuthIncomplete},
		{"expiry above a week", replaceAuth("X-Amz-Expires=3600", "X-Amz-Expires=604801"), fault.AuthIncomplete},
		{"expiry of overflowing size", replaceAuth("X-Amz-Expires=3600", "X-Amz-Expires=99999999999999999999"), fault.AuthIncomplete},
		{"expiry prolonged", replaceAuth("X-Amz-Expires=3600", "X-Amz-Expires=604800"), fault.AuthSignature},
		{"other access key", replaceAuth("AKIDEXAMPLE", "AKIDEXAMPL3"), fault.AuthSignature},
		{"date missing", replaceAuth("X-Amz-Date=20260102T030405Z", "Date=20260102T030405Z"), fault.AuthIncomplete},
		{"date a second later", replaceAuth("X-Amz-Date=20260102T030405Z", "X-Amz-Date=20260102T030406Z"), fault.AuthSignature},
		{"token", replaceAuth("X-Amz-Security-Token="+testKey.SessionToken, "X-Amz-Security-Token=x"), fault.AuthSignature},
		{"unsigned payload stated afterwards", addQuery("&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"), fault.AuthSignature},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := unsignedRequest(t)
			signRequest(t, r, true)
			c.change(r)
			if got := outcome(r, testBody, testTime); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOneBit turns every bit of the Authorization header, the token and the body. No such request may pass.
func TestOneBit(t *testing.T) {
	t.Parallel()
	good := unsignedRequest(t)
	signRequest(t, good, false)
	keyAt := strings.Index(good.Header.Get("Authorization"), "AKIDEXAMPLE")
	for _, name := range []string{"Authorization", "X-Amz-Security-Token", "X-Amz-Date", "X-Amz-Target", "Content-Type"} {
		value := good.Header.Get(name)
		for i := range len(value) * 8 {
			if at := i / 8; name == "Authorization" && at >= keyAt && at < keyAt+len("AKIDEXAMPLE") {
				continue // which key signed is not part of what is signed
			}
			r := good.Clone(t.Context())
			changed := []byte(value)
			changed[i/8] ^= 1 << (i % 8)
			r.Header.Set(name, string(changed))
			if strings.Join(strings.Fields(string(changed)), "") == strings.Join(strings.Fields(value), "") {
				continue // a space that became a tab means the same
			}
			if got := outcome(r, testBody, testTime); got == "" {
				t.Errorf("accepted with bit %d of %s turned: %q", i, name, changed)
			}
		}
	}
	for i := range len(testBody) * 8 {
		body := slices.Clone(testBody)
		body[i/8] ^= 1 << (i % 8)
		if got := outcome(good, body, testTime); got != fault.AuthSignature {
			t.Errorf("bit %d of the body turned: %q", i, got)
		}
	}
}

func TestTimeWindow(t *testing.T) {
	t.Parallel()
	cases := []struct {
		after             time.Duration
		header, presigned string
	}{
		{-5*time.Minute - time.Second, fault.AuthSkew, fault.AuthSkew},
		{-5 * time.Minute, "", ""},
		{0, "", ""},
		{5 * time.Minute, "", ""},
		{5*time.Minute + time.Second, fault.AuthSkew, ""},
		{time.Hour, fault.AuthSkew, ""},
		{time.Hour + time.Second, fault.AuthSkew, fault.AuthSkew},
	}
	for _, c := range cases {
		for presigned, want := range map[bool]string{false: c.header, true: c.presigned} {
			r := unsignedRequest(t)
			signRequest(t, r, presigned)
			if got := outcome(r, testBody, testTime.Add(c.after)); got != want {
				t.Errorf("presigned=%t, %v after signing: got %q, want %q", presigned, c.after, got, want)
			}
		}
	}
}
