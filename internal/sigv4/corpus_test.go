package sigv4

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/fault"
)

// recorded is a request signed by somebody else's code: see testdata/README.md.
type recorded struct {
	Name            string      `json:"name"`
	Service         string      `json:"service"`
	Region          string      `json:"region"`
	AccessKeyID     string      `json:"access_key_id"`
	SecretAccessKey string      `json:"secret_access_key"`
	SessionToken    string      `json:"session_token"`
	Method          string      `json:"method"`
	URL             string      `json:"url"`
	Headers         [][2]string `json:"headers"`
	Body            string      `json:"body"`
}

// request is what a server makes of the recorded bytes.
func (c recorded) request(t testing.TB) *http.Request {
	t.Helper()
	_, rest, _ := strings.Cut(c.URL, "://")
	host, target, _ := strings.Cut(rest, "/")
	var b strings.Builder
	fmt.Fprintf(&b, "%s /%s HTTP/1.1\r\nHost: %s\r\n", c.Method, target, host)
	length := false
	for _, h := range c.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
		length = length || strings.EqualFold(h[0], "Content-Length")
	}
	if !length {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(c.Body))
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(b.String() + "\r\n" + c.Body)))
	if err != nil {
		t.Fatalf("read recorded request: %v", err)
	}
	return r
}

func readCorpus(t testing.TB, name string) []recorded {
	t.Helper()
	var corpus struct{ Cases []recorded }
	readJSON(t, name, &corpus)
	if len(corpus.Cases) == 0 {
		t.Fatalf("%s holds no cases", name)
	}
	return corpus.Cases
}

func readJSON(t testing.TB, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestClients verifies what botocore and the SDKs for Go and JavaScript sign.
func TestClients(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"botocore.json", "gosdk.json", "javascript.json"} {
		for i, c := range readCorpus(t, file) {
			t.Run(fmt.Sprintf("%s/%d %s", file, i, c.Name), func(t *testing.T) {
				t.Parallel()
				r := c.request(t)
				sig, err := Parse(r)
				if err != nil {
					t.Fatal(err)
				}
				if sig.AccessKeyID != c.AccessKeyID || sig.SessionToken != c.SessionToken {
					t.Errorf("signer is %q with token %q", sig.AccessKeyID, sig.SessionToken)
				}
				v := &Verifier{Service: c.Service, Regions: []string{c.Region}}
				if err := v.Verify(r, []byte(c.Body), sig, c.SecretAccessKey, sig.Time); err != nil {
					t.Errorf("%v\n%s", err, canonicalText(t, r, sig, c.Body))
				}
			})
		}
	}
}

func canonicalText(t *testing.T, r *http.Request, sig Signature, body string) string {
	t.Helper()
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := payloadHash(r, []byte(body), sig, query)
	if err != nil {
		t.Fatal(err)
	}
	return string(canonicalRequest(r, sig.Scope.Service, sig.headers, query, payload))
}

// suiteCase is one case of AWS's own suite, signed in the header and in the query string.
type suiteCase struct {
	Name    string
	Context struct {
		Credentials struct {
			AccessKeyID     string `json:"access_key_id"`
			SecretAccessKey string `json:"secret_access_key"`
			Token           string
		}
		Region, Service string
	}
	Header, Query vectors
}

type vectors struct {
	CanonicalRequest string `json:"canonical_request"`
	StringToSign     string `json:"string_to_sign"`
	Signature        string
	SignedRequest    string `json:"signed_request"`
}

// refusedOfSuite are cases whose signature is right by the book and which we refuse on purpose: a parameter given twice,
// whose order is not signed, and a token that is added after signing, which some AWS services want.
var refusedOfSuite = map[string]bool{
	"get-vanilla-query-order-value/header": true,
	"get-vanilla-query-order-value/query":  true,
	"post-sts-header-after/header":         true,
	"post-sts-header-after/query":          true,
}

func TestSuite(t *testing.T) {
	t.Parallel()
	var cases []suiteCase
	readJSON(t, "awssuite.json", &cases)
	if len(cases) != 31 {
		t.Fatalf("the suite has %d cases, not 31", len(cases))
	}
	for _, c := range cases {
		for kind, want := range map[string]vectors{"header": c.Header, "query": c.Query} {
			t.Run(c.Name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				checkVectors(t, c, want, refusedOfSuite[c.Name+"/"+kind])
			})
		}
	}
}

func checkVectors(t *testing.T, c suiteCase, want vectors, refused bool) {
	r, body := suiteRequest(t, want.SignedRequest)
	sig, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if sig.value != strings.TrimSpace(want.Signature) {
		t.Errorf("parsed signature %s", sig.value)
	}
	v := &Verifier{Service: c.Context.Service, Regions: []string{c.Context.Region}}
	err = v.Verify(r, body, sig, c.Context.Credentials.SecretAccessKey, sig.Time)
	if refused {
		if f := fault.As(err); f == nil || f.Reason != fault.AuthSignature {
			t.Errorf("not refused: %v", err)
		}
		return
	}
	canonical := canonicalText(t, r, sig, string(body))
	if diff := cmp.Diff(want.CanonicalRequest, canonical); diff != "" {
		t.Errorf("canonical request (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.StringToSign, string(stringToSign(sig, []byte(canonical)))); diff != "" {
		t.Errorf("string to sign (-want +got):\n%s", diff)
	}
	if err != nil {
		t.Error(err)
	}
}

// suiteRequest reads the suite's requests, some of which have a raw space in their path, which net/http refuses.
func suiteRequest(t *testing.T, text string) (*http.Request, []byte) {
	t.Helper()
	line, rest, _ := strings.Cut(text, "\n")
	method, target, _ := strings.Cut(strings.TrimSuffix(line, " HTTP/1.1"), " ")
	if !strings.Contains(rest, "\n\n") {
		rest += "\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " / HTTP/1.1\n" + rest)))
	if err != nil {
		t.Fatalf("read %q: %v", text, err)
	}
	path, query, _ := strings.Cut(target, "?")
	r.RequestURI, r.URL = target, &url.URL{Path: path, RawQuery: query}
	_, body, _ := strings.Cut(rest, "\n\n")
	if r.ContentLength > 0 {
		read, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = string(read)
	}
	return r, []byte(body)
}
