package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// receiver takes what a server sends, in this process.
type receiver struct {
	url    string
	events atomic.Int64 // of the sinks' batches: what their header says
	mu     sync.Mutex
	alerts map[string]time.Time // when the alert came, by the name of the permission set that it is about
	server *http.Server
}

func receive() (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/", alerts: map[string]time.Time{}}
	r.server = &http.Server{Handler: http.HandlerFunc(r.take), ReadHeaderTimeout: maxWait}
	go func() { _ = r.server.Serve(l) }() // it ends when it is closed
	return r, nil
}

func (r *receiver) take(w http.ResponseWriter, req *http.Request) {
	came := time.Now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if n, err := strconv.Atoi(req.Header.Get("X-Sallyport-Events")); err == nil {
		r.events.Add(int64(n))
		return
	}
	var a struct {
		Event struct {
			Detail struct {
				RequestParameters struct{ Name string }
			}
		}
	}
	if json.Unmarshal(body, &a) == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.alerts[a.Event.Detail.RequestParameters.Name] = came
	}
}

// alert is when the alert about a permission set came; zero: it has not.
func (r *receiver) alert(name string) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alerts[name]
}
