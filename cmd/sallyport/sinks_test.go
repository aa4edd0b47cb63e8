package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// receive starts a receiver of events that checks signatures: receive NAME FILE SECRETFILE. $NAME is its address. Bodies are added to FILE;
// while there is a file refuse.txt, a body that has its text is answered with 422; while there is down.txt, everything with 503.
func receive(ts *testscript.TestScript, _ bool, args []string) {
	file, secret := ts.MkAbs(args[1]), strings.TrimSpace(ts.ReadFile(args[2]))
	refuse, down := ts.MkAbs("refuse.txt"), ts.MkAbs("down.txt")
	var mu sync.Mutex
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		t, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("X-Sallyport-Signature"), "t="), ",")
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(t + "." + string(body)))
		if _, gone := os.Stat(down); gone == nil {
			http.Error(w, "down for a while", http.StatusServiceUnavailable)
			return
		}
		if err != nil || r.Header.Get("X-Sallyport-Signature") != "t="+t+",v1="+hex.EncodeToString(m.Sum(nil)) {
			http.Error(w, "the signature is wrong", http.StatusUnauthorized)
			return
		}
		if text, err := os.ReadFile(refuse); err == nil && strings.Contains(string(body), strings.TrimSpace(string(text))) {
			http.Error(w, "I do not like that", http.StatusUnprocessableEntity)
			return
		}
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = fmt.Fprintf(f, "%s\n", body)
			_ = f.Close()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}
