package endpoint_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzServeHTTP: whatever arrives unsigned is answered as somebody's mistake, on one of the wires, and leaves no record.
func FuzzServeHTTP(f *testing.F) {
	w := newWorld(f)
	f.Add("POST", "/", "SWBExternalService.ListPermissionSets", "", listInput)
	f.Add("POST", "/", "SWBExternalService.", "AWS4-HMAC-SHA256 Credential=A/20261102/us-east-1/sso/aws4_request, SignedHeaders=host, Signature="+strings.Repeat("0", 64), "{")
	f.Add("POST", "/", "", "", whoAmI)
	f.Add("GET", "/?"+whoAmI+"&X-Amz-Signature=x", "", "", "")
	f.Add("GET", "/assignment/accounts?max_result=1", "", "Bearer x", "")
	f.Add("POST", "/token?aws_iam=t", "", "", `{"clientId":"a"}`)
	f.Add("POST", "/client/register", "", "", `{"clientName":"\u0000"}`)
	f.Fuzz(func(t *testing.T, method, uri, target, authorization, body string) {
		u, err := url.ParseRequestURI(uri)
		if err != nil {
			t.Skip("no server gets such an address")
		}
		r := &http.Request{
			Method: method, URL: u, RequestURI: uri, Host: "localhost", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: "192.0.2.1:1",
			Header: http.Header{"X-Amz-Target": {target}, "Authorization": {authorization}}, Body: http.NoBody,
		}
		if body != "" {
			r.Body = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)).Body
		}
		w.t = t
		w.api.Serves(r)
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r.WithContext(t.Context()))
		if rec.Code < 400 || rec.Code >= 500 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		if len(w.events()) > 0 {
			t.Error("recorded")
		}
	})
}
