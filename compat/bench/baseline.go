package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/store"
)

// What a baseline is made of, in its folder: a real answer, and the audit row of the call that got it.
const (
	answerFile = "answer.json"
	eventFile  = "event.json"
)

// baselines serves, in a process of its own, what the measurements are held against: a bare handler that returns the same
// bytes, and one that group-commits a row of the same size before it does. It prints their address and runs until it is
// killed.
func baselines(dir string) error {
	body, err := os.ReadFile(filepath.Join(dir, answerFile))
	if err != nil {
		return err
	}
	row, err := os.ReadFile(filepath.Join(dir, eventFile))
	if err != nil {
		return err
	}
	db, err := store.Open(context.Background(), filepath.Join(dir, "baseline.db"), clock.System{})
	if err != nil {
		return err
	}
	bare := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body) // the generator is gone if this fails
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/bare", bare)
	mux.HandleFunc("/commit", func(w http.ResponseWriter, r *http.Request) {
		now := db.Now()
		if err := db.AppendEvents(r.Context(), store.Event{ID: arn.NewTimeUUID(now), At: now, JSON: row}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		bare(w, r)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("ready", l.Addr())
	return http.Serve(l, mux)
}
