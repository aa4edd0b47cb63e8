package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// The cookies. The prefix makes browsers insist on Secure, this host and the root path.
const (
	attemptCookie = "__Host-sallyport-signin"
	sessionCookie = "__Host-sallyport-session"
	knownCookie   = "__Host-sallyport-known" // says that somebody has signed in here before: see login
	trustCookie   = "__Host-sallyport-trust" // says that a person trusts this browser: see login
)

// person is who is signed in in the browser.
type person struct {
	store.Session
	UserName string
}

// who is who is signed in in the browser; an Unauthenticated fault when nobody is.
func (s *Server) who(r *http.Request) (p person, err error) {
	err = s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		if p.Session, err = s.Sessions.Portal(tx, cookie(r, sessionCookie)); err != nil {
			return err
		}
		user, err := tx.User(p.UserID)
		p.UserName = user.UserName
		return err
	})
	if err == nil && session.Stale(p.Session, s.DB.Now()) {
		err = s.DB.Update(r.Context(), func(tx *store.Tx) error { return tx.SessionSeen(p.ID) })
	}
	return p, err
}

// signedIn returns who is signed in, or begins a sign-in that leads back here and returns false.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request) (person, bool) {
	p, err := s.who(r)
	switch {
	case err == nil:
		return p, true
	case fault.KindOf(err) == fault.Unauthenticated:
		http.Redirect(w, r, signInAt(back(r)), http.StatusSeeOther)
	default:
		s.fail(w, r, err)
	}
	return p, false
}

// back is where a person goes on after signing in: the page that they asked for, or the one whose form they have sent. A
// form is not sent again by itself.
func back(r *http.Request) string {
	switch {
	case r.URL.Path == "/portal/credentials":
		return "/portal"
	case strings.HasPrefix(r.URL.Path, "/account/"):
		return "/account"
	}
	return r.URL.RequestURI()
}

// signInAt is the address of a sign-in that leads on to next.
func signInAt(next string) string { return "/signin?next=" + url.QueryEscape(next) }

// browser is what a request tells of its browser.
func browser(r *http.Request) login.Browser {
	return login.Browser{Origin: from(r), Known: cookie(r, knownCookie), Trust: cookie(r, trustCookie)}
}

// event begins the record of what a person did on a page.
func (s *Server) event(name string, p person, from session.Origin, readOnly bool) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{
			Type: "IdentityCenterUser", AccountID: string(s.Login.Owner), CredentialID: p.ID,
			OnBehalfOf: &audit.OnBehalfOf{UserID: p.UserID, IdentityStoreARN: s.Login.Store.ARN(s.Login.Owner)},
		},
		EventSource: "sso.amazonaws.com", EventName: name, EventType: "AwsServiceEvent", ReadOnly: readOnly, AWSRegion: s.Login.Region,
		SourceIPAddress: from.IP, UserAgent: from.UserAgent, RequestID: arn.NewUUID(), RecipientAccountID: string(s.Login.Owner),
	}
}

// setCookie sets a cookie for a while; 0: until the browser is closed. What it stands for has an expiry of its own.
func setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func clearCookie(w http.ResponseWriter, name string) { setCookie(w, name, "", -time.Second) }

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
