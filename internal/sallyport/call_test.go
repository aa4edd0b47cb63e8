package sallyport_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"sallyport/internal/awsapi"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// call calls an operation: in is a pointer to its request. The error is what a client sees.
func call[Out, In any](w *world, in *In) (*Out, error) {
	w.t.Helper()
	name := strings.TrimSuffix(fmt.Sprintf("%T", *in), "Request")
	out, _, err := w.send(name[strings.LastIndexByte(name, '.')+1:], in)
	if err != nil {
		return nil, err
	}
	return out.(*Out), nil
}

// must is call for what has to succeed.
func must[Out, In any](w *world, in *In) *Out {
	w.t.Helper()
	out, err := call[Out](w, in)
	if err != nil {
		w.t.Fatalf("%T: %v", *in, err)
	}
	return out
}

// fails calls an operation that has to fail with the exception.
func fails[In any](w *world, in *In, code string) (message string, fields map[string]any) {
	w.t.Helper()
	name := strings.TrimSuffix(fmt.Sprintf("%T", *in), "Request")
	_, body, err := w.send(name[strings.LastIndexByte(name, '.')+1:], in)
	var e *awsapi.ResponseError
	if !errors.As(err, &e) || e.Code != code {
		w.t.Fatalf("%T: got %v, want %s", *in, err, code)
	}
	if err := json.Unmarshal(body, &fields); err != nil {
		w.t.Fatal(err)
	}
	return e.Message, fields
}

func (w *world) send(operation string, in any) (out any, body []byte, err error) {
	w.t.Helper()
	meta := metaOf(operation)
	if meta == nil {
		w.t.Fatalf("no operation %s", operation)
	}
	r, err := api.Info.NewRequest(w.t.Context(), "http://sallyport.test", meta, in)
	if err != nil {
		w.t.Fatal(err)
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.bearer != "" {
		r.Header.Set("x-amz-sso_bearer_token", w.bearer)
	} else if err := sigv4.Sign(r, sent, w.caller, region, api.Info.SigningName, w.clock.Now()); err != nil {
		w.t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, r.URL.String(), bytes.NewReader(sent))
	req.Header, req.Host, req.RequestURI = r.Header, r.URL.Host, r.URL.RequestURI()
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, req)
	out, err = api.Info.ReadResult(meta, rec.Result(), rec.Body.Bytes())
	return out, rec.Body.Bytes(), err
}

func metaOf(operation string) *awsapi.OperationMeta {
	for _, o := range api.Info.Operations {
		if o.Name == operation {
			return o
		}
	}
	return nil
}

// events are the records of an operation so far, oldest first. What the recorder still holds is written first.
func (w *world) events(name string) (events []map[string]any) {
	w.t.Helper()
	over, stop := context.WithCancel(context.Background())
	stop()
	w.api.Recorder.Run(over)
	err := w.db.View(context.Background(), func(tx *store.Tx) error {
		sealed, err := tx.AuditLog(0, 10_000)
		for _, s := range sealed {
			var e map[string]any
			if err := json.Unmarshal(s.JSON, &e); err != nil {
				return err
			}
			if e["eventName"] == name {
				e["text"] = string(s.JSON)
				events = append(events, e)
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return events
}
