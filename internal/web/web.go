// Package web is what people see: sign-in, device approval, consent, and the access portal, as server-rendered pages without
// script under a strict content security policy. It decides nothing about who may do what: it asks login and session.
package web

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/emergency"
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
	// Found makes the first administrator, for a founding link, and returns the link with which they go on. nil: nobody can.
	Found func(ctx context.Context, token string, who Founder, from session.Origin) (credential.Secret, error)
	// Emergency opens what was prepared for emergencies; nil: nothing is.
	Emergency *emergency.Service
	Record    func(*audit.Event) // takes the events of successful reads; nil: they are not recorded
	Log       *slog.Logger

	pages *template.Template
}

// Handler returns the pages' routes. It is made once.
func (s *Server) Handler() http.Handler {
	s.pages = template.Must(template.ParseFS(templateFiles, "templates/*.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/{file}", s.static)
	mux.HandleFunc("GET /{$}", s.start)
	mux.HandleFunc("GET /start", s.start)
	mux.HandleFunc("GET /start/{$}", s.start)
	mux.HandleFunc("GET /signin", s.dispatch)
	mux.HandleFunc("POST /signin/username", s.giveUserName)
	mux.HandleFunc("POST /signin/password", s.givePassword)
	mux.HandleFunc("POST /signin/new-password", s.changePassword)
	mux.HandleFunc("POST /signin/restart", s.restart)
	mux.HandleFunc("POST /signin/passkey/start", s.startPasskey)
	mux.HandleFunc("POST /signin/passkey/options", s.passkeyOptions)
	mux.HandleFunc("POST /signin/passkey", s.givePasskey)
	mux.HandleFunc("POST /signin/code", s.giveCode)
	mux.HandleFunc("GET /signin/app", s.newApp)
	mux.HandleFunc("POST /signin/app", s.registerApp)
	mux.HandleFunc("POST /signin/mail-code/send", s.sendMailCode)
	mux.HandleFunc("POST /signin/mail-code", s.giveMailCode)
	mux.HandleFunc("GET /signin/forgot", s.forgot)
	mux.HandleFunc("POST /signin/forgot", s.sendForgot)
	mux.HandleFunc("GET /link/{token}", s.link)
	mux.HandleFunc("POST /link/{token}", s.followLink)
	mux.HandleFunc("POST /signout", s.signOut)
	mux.HandleFunc("GET /account", s.account)
	mux.HandleFunc("GET /confirm", s.confirm)
	mux.HandleFunc("POST /account/{what}", s.changeAccount)
	mux.HandleFunc("GET /portal", s.portal)
	mux.HandleFunc("GET /portal/account/{account}", s.portalAccount)
	mux.HandleFunc("POST /portal/credentials", s.credentials)
	mux.HandleFunc("GET /device", s.device)
	mux.HandleFunc("POST /device", s.decideDevice)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /authorize", s.decideAuthorize)
	mux.HandleFunc("GET /emergency", s.emergency)
	mux.HandleFunc("POST /emergency/{what}", s.changeEmergency)
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(s.foreign))
	return s.guard(sameOrigin.Handler(s.readable(s.known(mux))))
}

// start is the portal's own start page. A HEAD is an AWS CLI asking where the start URL leads (wire-protocols §8.1).
func (s *Server) start(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		http.Redirect(w, r, s.StartURL, http.StatusFound)
		return
	}
	http.Redirect(w, r, "/portal", http.StatusFound)
}

// static serves the style sheet and the mark; there is no list of them.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	file := "static/" + r.PathValue("file")
	if st, err := fs.Stat(staticFiles, file); err != nil || st.IsDir() {
		s.notFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	http.ServeFileFS(w, r, staticFiles, file)
}

// from is the browser at the other end.
func from(r *http.Request) session.Origin {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr
	}
	return session.Origin{IP: ip, UserAgent: clip(r.UserAgent(), 512)}
}

// clip bounds what a client says of itself, and leaves out what is no text.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
