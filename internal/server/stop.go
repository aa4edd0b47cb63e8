package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// drainTime is how long a stop waits for requests in progress. All of a stop is done within 10 s.
const drainTime = 5 * time.Second

// silentTime is how long a stop waits for a request on a connection that has not brought one yet: one may be on its way, behind a
// TLS handshake at that. It is some round trips around the world.
const (
	silentTime = 500 * time.Millisecond
	silentLook = 5 * time.Millisecond
)

// silent holds the connections that have not brought a request yet. Clients under load open more than they come to use, and
// [http.Server.Shutdown] would wait 5 s for each of these, or 10 s for the preface of HTTP/2.
type silent struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

// note is told of every change of a connection's state. The first one after StateNew comes with a whole head of a request, with
// HTTP/2 with the preface, or with the end.
func (s *silent) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != http.StateNew {
		delete(s.conns, c)
		return
	}
	if s.conns == nil {
		s.conns = map[net.Conn]bool{}
	}
	s.conns[c] = true
}

func (s *silent) any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) > 0
}

func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// stop takes no new connections, answers what comes on those that are open, and waits for the requests in progress until ctx ends:
// then it tells that some were left. Connections with HTTP/2 are given the second that net/http takes to tell their clients.
// Shutdown comes late, since from then on net/http answers no request that it has not begun with. What serving ended with is in ended.
func (f *front) stop(ctx context.Context, servers []*http.Server, ended <-chan error) error {
	f.close()
	for range servers {
		<-ended // all connections are known now
	}
	for _, web := range servers {
		web.SetKeepAlivesEnabled(false) // the next answer is a connection's last
	}
	soon, cancel := context.WithTimeout(ctx, silentTime)
	defer cancel()
	for f.silent.any() && pause(soon, silentLook) {
	}
	f.silent.close()
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i, web := range servers {
		wg.Go(func() { errs[i] = web.Shutdown(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
