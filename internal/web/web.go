// Package web is what people see: sign-in, device approval, consent, and the access portal, as server-rendered pages without
// script under a strict content security policy. It decides nothing about who may do what: it asks login and session.
package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/vend"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Server serves the pages.
type Server struct {
	DB       *store.DB
	Login    *login.Service
	Sessions *session.Service
	Vendor   *vend.Vendor
	Instance arn.Instance
	URL      *url.URL // the public URL: pages live on its host alone, because cookies do
	StartURL string   // AWS-shaped; HEAD on the start page redirects there (case S26)
	Log      *slog.Logger

	pages *template.Template
}

// maxForm bounds what a form may post.
const maxForm = 64 << 10

// Handler returns the pages' routes. It is made once.
func (s *Server) Handler() http.Handler {
	s.pages = template.Must(template.ParseFS(templateFiles, "templates/*.html"))
	static, _ := fs.Sub(staticFiles, "static") // the folder is embedded
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static/", cached(http.FileServerFS(static))))
	mux.HandleFunc("GET /{$}", s.start)
	mux.HandleFunc("GET /start", s.start)
	mux.HandleFunc("GET /start/{$}", s.start)
	mux.HandleFunc("GET /signin", s.dispatch)
	mux.HandleFunc("POST /signin/username", s.giveUserName)
	mux.HandleFunc("POST /signin/password", s.givePassword)
	mux.HandleFunc("POST /signin/new-password", s.changePassword)
	mux.HandleFunc("POST /signin/restart", s.restart)
	mux.HandleFunc("POST /signout", s.signOut)
	mux.HandleFunc("GET /portal", s.portal)
	mux.HandleFunc("GET /portal/account/{account}", s.portalAccount)
	mux.HandleFunc("POST /portal/credentials", s.credentials)
	mux.HandleFunc("GET /device", s.device)
	mux.HandleFunc("POST /device", s.decideDevice)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /authorize", s.decideAuthorize)
	mux.HandleFunc("/", s.notFound)
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard sets the headers of every page, bounds bodies, and brings browsers to the one host that cookies belong to.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy("'self'"))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Method == http.MethodGet && r.Host != s.URL.Host {
			http.Redirect(w, r, s.URL.Scheme+"://"+s.URL.Host+r.URL.RequestURI(), http.StatusFound)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// policy is the content security policy of a page whose forms may lead to the given sources. Browsers hold a form's
// redirects against form-action too, so a consent page names the client's loopback address there.
func policy(formAction string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action " + formAction
}

func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		next.ServeHTTP(w, r)
	})
}

// start is the portal's own start page. A HEAD is an AWS CLI asking where the start URL leads (wire-protocols §8.1).
func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		http.Redirect(w, r, s.StartURL, http.StatusFound)
		return
	}
	http.Redirect(w, r, "/portal", http.StatusFound)
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusNotFound, "There is no such page.")
}

// render writes a page. A page that fails to render is an internal error, and nothing of it is sent.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, page string, data any) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, page, data); err != nil {
		s.Log.ErrorContext(r.Context(), "page failed", "page", page, "error", err)
		http.Error(w, "Something went wrong on our side. Try again.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the browser may be gone
}

type problemPage struct{ Title, Message string }

func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, message string) {
	s.render(w, r, status, "problem.html", problemPage{http.StatusText(status), message})
}

// fail shows an error: a fault by its message, anything else as ours.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := fault.As(err)
	if f == nil || f.Kind == fault.Internal {
		s.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
		s.problem(w, r, http.StatusInternalServerError, "Something went wrong on our side. Try again.")
		return
	}
	status := map[fault.Kind]int{fault.Denied: http.StatusForbidden, fault.NotFound: http.StatusNotFound, fault.Throttled: http.StatusTooManyRequests}[f.Kind]
	if status == 0 {
		status = http.StatusBadRequest
	}
	s.problem(w, r, status, f.Message)
}

// from is the browser at the other end.
func from(r *http.Request) session.Origin {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	return session.Origin{IP: ip, UserAgent: clip(r.UserAgent(), 512)}
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
