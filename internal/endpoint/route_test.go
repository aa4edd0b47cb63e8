package endpoint_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestUnknownOperations: who asks for what is not there is told on the wire that they speak (wire-protocols §3).
func TestUnknownOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	target := func(value string) *http.Request {
		r := w.target("", "{}")
		r.Header.Set("X-Amz-Target", value)
		return r
	}
	for _, tc := range []struct {
		name    string
		request *http.Request
		status  int
		code    string
		content string
	}{
		{"operation", target("SWBExternalService.Nothing"), 400, "UnknownOperationException", "application/x-amz-json-1.1"},
		{"service", target("SWBInternalService.ListInstances"), 400, "UnknownOperationException", "application/x-amz-json-1.1"},
		{"no dot", target("ListInstances"), 400, "UnknownOperationException", "application/x-amz-json-1.1"},
		{"dot at the end", target("SWBExternalService.ListInstances."), 400, "UnknownOperationException", "application/x-amz-json-1.1"},
		{"nothing but dots", target("..."), 400, "UnknownOperationException", "application/x-amz-json-1.1"},
		{"no operation", target("SWBExternalService."), 400, "UnknownOperationException", "application/x-amz-json-1.1"},
		{"action", w.action("Action=Nothing&Version=2011-06-15"), 400, "InvalidAction", "text/xml"},
		{"version", w.action("Action=GetCallerIdentity&Version=2010-05-08"), 400, "InvalidAction", "text/xml"},
		{"no version", w.action("Action=GetCallerIdentity"), 400, "InvalidAction", "text/xml"},
		{"no action", w.action(""), 400, "InvalidAction", "text/xml"},
		{"action twice", w.action("Action=Nothing&Action=GetCallerIdentity&Version=2011-06-15"), 400, "InvalidAction", "text/xml"},
		{"action in the query string", w.request("GET", "/?Action=Nothing&Version=2011-06-15", ""), 400, "InvalidAction", "text/xml"},
		{"no form", w.action("%zz"), 400, "MalformedInput", "text/xml"},
		{"path", w.request("GET", "/assignment/nothing", ""), 404, "UnknownOperationException", "application/json"},
		{"method", w.request("POST", "/assignment/accounts", ""), 404, "UnknownOperationException", "application/json"},
		{"slash at the end", w.request("GET", "/assignment/accounts/", ""), 404, "UnknownOperationException", "application/json"},
	} {
		a := w.send(tc.request)
		if a.status != tc.status || a.code != tc.code || a.header.Get("Content-Type") != tc.content {
			t.Errorf("%s: %d %s %s, want %d %s %s", tc.name, a.status, a.code, a.header.Get("Content-Type"), tc.status, tc.code, tc.content)
		}
		if len(a.header.Get("X-Amzn-Requestid")) != 36 {
			t.Errorf("%s has no request id", tc.name)
		}
	}
	if len(w.events()) > 0 {
		t.Error("noise is on record")
	}
}

// TestServes tells API calls from pages (wire-protocols §2). What is not an API's goes to the pages.
func TestServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for request, want := range map[string]bool{
		"POST /":                                 true,
		"GET /?Action=GetCallerIdentity":         true,
		"GET /":                                  false,
		"HEAD /":                                 false,
		"HEAD /?Action=GetCallerIdentity":        false,
		"OPTIONS /":                              false,
		"PUT /?Action=GetCallerIdentity":         false,
		"DELETE /":                               false,
		"GET /assignment/accounts":               true,
		"GET /assignment/accounts/":              false,
		"HEAD /assignment/accounts":              false,
		"OPTIONS /assignment/accounts":           false,
		"POST /assignment/accounts":              false,
		"GET /federation/credentials":            true,
		"POST /logout":                           true,
		"GET /logout":                            false,
		"POST /token":                            true,
		"POST /token?aws_iam=t":                  true,
		"GET /token":                             false,
		"POST /client/register":                  true,
		"POST /device_authorization":             true,
		"GET /authorize":                         false,
		"GET /portal":                            false,
		"POST /signin/password":                  false,
		"GET /start?Action=GetCallerIdentity":    false,
		"POST /portal?Action=GetCallerIdentity":  false,
		"GET //assignment/accounts":              false,
		"GET /assignment/../assignment/accounts": false,
	} {
		method, path, _ := strings.Cut(request, " ")
		if got := w.api.Serves(httptest.NewRequest(method, path, nil)); got != want {
			t.Errorf("%s is served: %v", request, got)
		}
	}
}
