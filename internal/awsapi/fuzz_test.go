package awsapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/probe"
	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/awsapi/sts"
	"sallyport/internal/fault"
)

// consider holds what must be true of every answer of the decoder: an input or a fault; never an internal error; what was read
// can be written to the audit record and sent again.
func consider(t *testing.T, s *awsapi.Service, o *awsapi.OperationMeta, in any, err error) {
	t.Helper()
	switch fault.KindOf(err) {
	case fault.Malformed:
		if in != nil {
			t.Fatal("an input beside a malformed request")
		}
		return
	case fault.Invalid:
	case fault.Internal:
		if err != nil {
			t.Fatalf("internal error: %v", err)
		}
	}
	o.RequestParameters(in)
	o.ResourceARNs(in, nil)
	if s.Protocol == awsapi.REST {
		return // a header of any bytes is not one that net/http would send
	}
	if _, err := s.NewRequest(t.Context(), "https://example.com", o, in); err != nil {
		t.Fatal(err)
	}
}

func seeds(f *testing.F, s *awsapi.Service) {
	for i, o := range s.Operations {
		p, err := probe.Minimal(s, o, "https://example.com")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), string(p.Body), p.Request.URL.RawQuery, "token")
	}
}

func fuzz(f *testing.F, s *awsapi.Service) {
	seeds(f, s)
	f.Add(uint8(0), `{"a":{"a":[1,2.5e3,null,true,"\ud800"]}}`, "a=%", "")
	f.Add(uint8(0), `a.member.1.b=c&a.member.1=&a=&.=&=`, "=&;&a", "\x00")
	f.Fuzz(func(t *testing.T, op uint8, body, query, token string) {
		o := s.Operations[int(op)%len(s.Operations)]
		r := httptest.NewRequest(o.Method, o.Path, nil)
		r.URL = &url.URL{Path: o.Path, RawQuery: query}
		r.Header["X-Amz-Sso_bearer_token"] = []string{token}
		_, _ = s.OperationName(r, []byte(body))
		in, err := s.DecodeRequest(o, r, []byte(body))
		consider(t, s, o, in, err)
	})
}

// FuzzReadResult: an answer from anywhere is an output or an error, on every protocol.
func FuzzReadResult(f *testing.F) {
	for i, s := range services {
		for j, o := range s.Operations {
			w := httptest.NewRecorder()
			s.WriteResult(w, o, o.NewOut(), requestID)
			f.Add(uint8(i), uint8(j), uint16(200), w.Body.String())
		}
		w := httptest.NewRecorder()
		s.WriteError(w, fault.Invalidf("m"), requestID)
		f.Add(uint8(i), uint8(0), uint16(400), w.Body.String())
	}
	f.Fuzz(func(t *testing.T, service, op uint8, status uint16, body string) {
		s := services[int(service)%len(services)]
		o := s.Operations[int(op)%len(s.Operations)]
		out, err := s.ReadResult(o, &http.Response{StatusCode: int(status), Header: http.Header{}}, []byte(body))
		if (out == nil) == (err == nil) {
			t.Fatalf("%v, %v", out, err)
		}
	})
}

func FuzzDecodeAWSJSON(f *testing.F)       { fuzz(f, &ssoadmin.Info) }
func FuzzDecodeIdentityStore(f *testing.F) { fuzz(f, &identitystore.Info) }
func FuzzDecodeSallyport(f *testing.F)     { fuzz(f, &sallyport.Info) }
func FuzzDecodePortal(f *testing.F)        { fuzz(f, &sso.Info) }
func FuzzDecodeOIDC(f *testing.F)          { fuzz(f, &ssooidc.Info) }
func FuzzDecodeQuery(f *testing.F)         { fuzz(f, &sts.Info) }
