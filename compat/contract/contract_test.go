package contract

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

const requestID = "__RequestId__"

// TestRequests: what a client sends is routed, decoded and encoded again. The fixtures' values are names, which break
// patterns; Decode gives the input beside the violations.
func TestRequests(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		for _, f := range fixtures(t, s.module, "request_snapshot", ".request.snap", s.requests) {
			t.Run(s.module+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				method, target, _ := strings.Cut(f.first, " ")
				r := httptest.NewRequest(method, target, nil)
				r.Header = f.header
				name, err := s.info.OperationName(r, f.body)
				if err != nil || name != f.name {
					t.Fatalf("OperationName = %q, %v", name, err)
				}
				op := operation(t, s.info, name)
				in, err := s.info.DecodeRequest(op, r, f.body)
				if err != nil && (fault.KindOf(err) != fault.Invalid || in == nil) {
					t.Fatalf("DecodeRequest: %v", err)
				}
				again, err := s.info.NewRequest(t.Context(), "https://example.com", op, in)
				if err != nil {
					t.Fatal(err)
				}
				compareRequests(t, s.info.Protocol, f, again)
			})
		}
	}
}

func compareRequests(t *testing.T, protocol awsapi.Protocol, want fixture, got *http.Request) {
	t.Helper()
	method, target, _ := strings.Cut(want.first, " ")
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != method || got.URL.Path != u.Path {
		t.Errorf("%s %s, want %s %s", got.Method, got.URL.Path, method, u.Path)
	}
	if diff := cmp.Diff(u.Query(), got.URL.Query()); diff != "" {
		t.Errorf("query string (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.header, got.Header); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	compareBodies(t, protocol, want.body, body)
}

// TestResponses: what a server answers is decoded and written again.
func TestResponses(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		for _, f := range fixtures(t, s.module, "response_snapshot", ".response.snap", s.responses) {
			t.Run(s.module+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				op := operation(t, s.info, f.name)
				out, err := s.info.ReadResult(op, &http.Response{StatusCode: status(t, f), Header: f.header}, f.body)
				if err != nil {
					t.Fatal(err)
				}
				w := httptest.NewRecorder()
				s.info.WriteResult(w, op, out, requestID)
				if w.Code != status(t, f) {
					t.Errorf("status %d, want %s", w.Code, f.first)
				}
				if got := w.Header().Get("Content-Type"); s.info.Protocol != awsapi.Query && got != f.header.Get("Content-Type") {
					t.Errorf("Content-Type %q, want %q", got, f.header.Get("Content-Type"))
				}
				compareBodies(t, s.info.Protocol, f.body, w.Body.Bytes())
			})
		}
	}
}

func status(t *testing.T, f fixture) int {
	t.Helper()
	n, err := strconv.Atoi(f.first)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func compareBodies(t *testing.T, protocol awsapi.Protocol, want, got []byte) {
	t.Helper()
	if diff := cmp.Diff(parse(t, protocol, want), parse(t, protocol, got)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

// parse makes bodies comparable: JSON as values, forms as parameters, XML as sorted paths with their text.
func parse(t *testing.T, protocol awsapi.Protocol, body []byte) any {
	t.Helper()
	switch {
	case len(body) == 0:
		return nil
	case protocol != awsapi.Query:
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		return v
	case body[0] == '<':
		return xmlLeaves(t, body)
	}
	v, err := url.ParseQuery(string(body))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// xmlLeaves lists path=text of every leaf. The fixtures leave out ResponseMetadata, which servers send, and write an error's
// Message in lower case as the model has it, where servers and the SDK's own reader have a capital.
func xmlLeaves(t *testing.T, body []byte) []string {
	t.Helper()
	var leaves, stack []string
	dec := xml.NewDecoder(strings.NewReader(string(body)))
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch v := tok.(type) {
		case xml.StartElement:
			stack = append(stack, v.Name.Local)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			path := strings.Join(stack, "/")
			if !strings.HasSuffix(path, "RequestId") && !strings.HasSuffix(path, "Error/Type") {
				leaves = append(leaves, fmt.Sprintf("%s=%s", strings.Replace(path, "/message", "/Message", 1), v))
			}
		}
	}
	slices.Sort(leaves)
	return leaves
}
