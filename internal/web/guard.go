package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxForm bounds what a form may post.
const maxForm = 64 << 10

// guard sets the headers of every answer, bounds bodies, and brings browsers to the one host that cookies belong to.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy("'self'"))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
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

// scripted is added to the policy of a page that asks for a passkey: browsers hand those to a script only.
const scripted = "; script-src 'self'; connect-src 'self'"

// formAction is where the forms of a consent page may lead. The grammar of sources has no IPv6 addresses (CSP 3 §2.3.1),
// and browsers skip one that is there; so for a client that listens on [::1] the page allows what a source can say of it.
func formAction(redirect *url.URL) string {
	if strings.HasPrefix(redirect.Host, "[") {
		return "'self' " + redirect.Scheme + ":"
	}
	return "'self' " + redirect.Scheme + "://" + redirect.Host
}

// foreign answers a form that another site's page has sent.
func (s *Server) foreign(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusForbidden, "This was sent from a page of another site, and nothing was done. Go to the access portal and start there.")
}

// readable reads forms, once and bounded, and refuses what no browser sends and no database takes: values that are no text.
func (s *Server) readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, message := 0, ""
		var large *http.MaxBytesError
		switch err := readForm(r); {
		case errors.As(err, &large):
			status, message = http.StatusRequestEntityTooLarge, "The form is too large."
		case errors.Is(err, errMedia):
			status, message = http.StatusUnsupportedMediaType, "This is not a form of ours."
		case err != nil || !text(r.URL.Query()) || !text(r.PostForm):
			status, message = http.StatusBadRequest, "The address or the form cannot be read. Go to the access portal and start there."
		}
		if status != 0 {
			s.problem(w, r, status, message)
			return
		}
		next.ServeHTTP(w, r)
	})
}

var errMedia = errors.New("web: not a form")

func readForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if t := r.Header.Get("Content-Type"); t != "" {
		if media, _, err := mime.ParseMediaType(t); err != nil || media != "application/x-www-form-urlencoded" {
			return errMedia
		}
	}
	return r.ParseForm()
}

// text says that all values are UTF-8 without NUL, which PostgreSQL refuses.
func text(values url.Values) bool {
	for _, vs := range values {
		for _, v := range vs {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return false
			}
		}
	}
	return true
}

// known passes on what the mux knows; what it does not know gets a page, and a wrong method the right ones.
func (s *Server) known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			other := *r
			other.Method = method
			if _, pattern := mux.Handler(&other); pattern != "" {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 {
			s.notFound(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.problem(w, r, http.StatusMethodNotAllowed, "This address is not for that. Go to the access portal and start there.")
	})
}
