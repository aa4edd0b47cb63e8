package endpoint_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"time"

	"sallyport/internal/sigv4"
)

// answer is what came back, with what clients look at first.
type answer struct {
	status  int
	header  http.Header
	body    string
	code    string
	message string
}

// send sends a request as it is.
func (w *world) send(r *http.Request) answer {
	w.t.Helper()
	res, err := w.web.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(b)}
	a.code, a.message = coded(res.Header, b)
	return a
}

// coded reads the code and the message of an error on each of the wires.
func coded(h http.Header, body []byte) (code, message string) {
	var j struct {
		Type        string `json:"__type"`
		Message     string
		Description string `json:"error_description"`
	}
	var x struct {
		Code    string `xml:"Error>Code"`
		Message string `xml:"Error>Message"`
	}
	if xml.Unmarshal(body, &x) == nil {
		return x.Code, x.Message
	}
	_ = json.Unmarshal(body, &j) // an answer that is no error has neither
	if c := h.Get("X-Amzn-Errortype"); c != j.Type {
		return "header " + c + ", body " + j.Type, ""
	}
	return j.Type, j.Message + j.Description
}

func (w *world) request(method, path, body string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.web.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// target is an awsJson request, unsigned.
func (w *world) target(operation, body string) *http.Request {
	r := w.request(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "SWBExternalService."+operation)
	return r
}

// action is a Query request, unsigned.
func (w *world) action(form string) *http.Request {
	r := w.request(http.MethodPost, "/", form)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

const whoAmI = "Action=GetCallerIdentity&Version=2011-06-15"

// sign signs a request for a service with one of the keys, at the world's time.
func (w *world) sign(r *http.Request, key, service string) *http.Request {
	return w.signAs(r, sigv4.Credentials{AccessKeyID: key, SecretAccessKey: secret}, region, service, w.clock.Now())
}

func (w *world) signAs(r *http.Request, c sigv4.Credentials, region, service string, now time.Time) *http.Request {
	w.t.Helper()
	body, err := r.GetBody()
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := sigv4.Sign(r, b, c, region, service, now); err != nil {
		w.t.Fatal(err)
	}
	return r
}

// list and create are the signed calls of the two operations that are there.
func (w *world) list(key, body string) answer {
	w.t.Helper()
	return w.send(w.sign(w.target("ListPermissionSets", body), key, "sso"))
}

func (w *world) create(key, name string) answer {
	w.t.Helper()
	return w.send(w.sign(w.target("CreatePermissionSet", `{"InstanceArn":"`+instance+`","Name":"`+name+`"}`), key, "sso"))
}

const listInput = `{"InstanceArn":"` + instance + `"}`
