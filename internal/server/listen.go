package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/acme/autocert"

	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/fault"
)

// front is where requests come in. TLS, if it is ended here, has its certificate from files or by ACME.
type front struct {
	cfg   *config.Config
	log   *slog.Logger
	main  net.Listener
	plain net.Listener      // --http-listen; nil: none
	pair  *certificate      // nil: not from files
	acme  *autocert.Manager // nil: not by ACME

	silent silent
}

// listen takes the ports before anything is opened: a port that is in use should not leave a half-made world behind, and
// neither should a certificate that cannot be used. `dev` learns its URL from the port that it got.
func listen(cfg *config.Config) (*front, error) {
	check := cfg.Complete
	if cfg.Dev {
		check = cfg.CheckListen
	}
	if err := check(); err != nil {
		return nil, err
	}
	f := &front{cfg: cfg, log: logger(cfg.LogLevel)}
	if err := f.open(); err != nil {
		f.close()
		return nil, err
	}
	if cfg.Dev {
		host, _, _ := net.SplitHostPort(cfg.Listen)
		_, port, _ := net.SplitHostPort(f.main.Addr().String())
		cfg.Listen, cfg.URL = net.JoinHostPort(host, port), "http://localhost:"+port // passkeys refuse IP addresses
	}
	return f, nil
}

func (f *front) open() (err error) {
	if f.main, err = listenOn(f.cfg.Listen); err != nil {
		return err
	}
	if f.cfg.HTTPListen != "" {
		if f.plain, err = listenOn(f.cfg.HTTPListen); err != nil {
			return err
		}
	}
	switch {
	case f.cfg.ACME:
		f.acme, err = newACME(f.cfg)
	case f.cfg.TLSCert != "":
		f.pair = &certificate{certFile: f.cfg.TLSCert, keyFile: f.cfg.TLSKey, clock: clock.System{}, log: f.log}
		err = f.pair.load()
	}
	return err
}

func listenOn(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.Invalidf("The address %s is in use by another program: stop it, or choose another with --listen.", address)
	case err != nil:
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return nil, fault.Invalidf("Cannot listen on %s: %v.", address, err)
	}
	return l, nil
}

func (f *front) close() {
	for _, l := range []net.Listener{f.main, f.plain} {
		if l != nil {
			l.Close()
		}
	}
}

// tls is how TLS is ended here; nil: it is not.
func (f *front) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case f.acme != nil:
		c.GetCertificate, c.NextProtos = f.acme.GetCertificate, f.acme.TLSConfig().NextProtos // RFC 8737 §3: its own protocol
	case f.pair != nil:
		c.GetCertificate = f.pair.get
	default:
		return nil
	}
	return c
}

// servers are the HTTP servers of the listeners, the main one first. The values bound what a client can hold.
func (f *front) servers(h http.Handler) []*http.Server {
	server := func(h http.Handler) *http.Server {
		return &http.Server{
			Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
			IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(quiet{f.log.Handler()}, slog.LevelError),
			ConnState: f.silent.note,
		}
	}
	main := server(h)
	main.TLSConfig = f.tls()
	if f.plain == nil {
		return []*http.Server{main}
	}
	var redirect http.Handler = http.HandlerFunc(f.redirect)
	if f.acme != nil {
		challenges := f.acme.HTTPHandler(redirect)
		redirect = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if host, _, err := net.SplitHostPort(r.Host); err == nil { // a private authority may ask at another port than 80
				r.Host = host
			}
			challenges.ServeHTTP(w, r)
		})
	}
	return []*http.Server{main, server(redirect)}
}

// serve answers on the listeners until they close.
func (f *front) serve(servers []*http.Server) <-chan error {
	failed := make(chan error, len(servers))
	go func() {
		if servers[0].TLSConfig == nil {
			failed <- servers[0].Serve(f.main)
			return
		}
		failed <- servers[0].ServeTLS(f.main, "", "") // with HTTP/2
	}()
	if f.plain != nil {
		go func() { failed <- servers[1].Serve(f.plain) }()
	}
	return failed
}

// redirect leads a browser from plain HTTP to the public URL. What else comes in the clear is not taken.
func (f *front) redirect(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, fmt.Sprintf("Plain HTTP is not answered here: use %s.", f.cfg.URL), http.StatusForbidden)
		return
	}
	http.Redirect(w, r, elsewhere(f.cfg.URL, r.URL), http.StatusFound)
}

// elsewhere is the same page at the public URL.
func elsewhere(base string, page *url.URL) string {
	uri := page.RequestURI()
	if !strings.HasPrefix(uri, "/") {
		uri = "/"
	}
	return base + uri
}
