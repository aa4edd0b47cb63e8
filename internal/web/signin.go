package web

import (
	"context"
	"errors"
	"net/http"

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
)

type signInPage struct {
	UserName string
	Problem  string
}

// signIn begins an attempt that leads back to where the person was going.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, next string) {
	id, err := s.Login.Begin(r.Context(), next)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	setCookie(w, attemptCookie, id)
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// dispatch shows the page of the attempt's next step, or ends the attempt in a session.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	id := cookie(r, attemptCookie)
	a, err := s.Login.Attempt(r.Context(), id)
	if err != nil {
		s.lost(w, r, err)
		return
	}
	data := signInPage{a.UserName, a.Problem}
	switch login.StepOf(a) {
	case login.AskUserName:
		s.render(w, r, http.StatusOK, "username.html", data)
	case login.AskPassword:
		s.render(w, r, http.StatusOK, "password.html", data)
	case login.AskNewPassword:
		s.render(w, r, http.StatusOK, "new-password.html", data)
	default:
		s.finish(w, r, id)
	}
}

// finish exchanges the attempt for a session. The session's id is new: nothing from before the sign-in is worth anything after it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, id string) {
	value, next, err := s.Login.Finish(r.Context(), id, from(r))
	if err != nil {
		s.lost(w, r, err)
		return
	}
	clearCookie(w, attemptCookie)
	setCookie(w, sessionCookie, string(value))
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// step runs one step of the browser's attempt and returns to the dispatcher.
func (s *Server) step(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, id string) error) {
	if err := do(r.Context(), cookie(r, attemptCookie)); err != nil {
		s.lost(w, r, err)
		return
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

func (s *Server) giveUserName(w http.ResponseWriter, r *http.Request) {
	s.step(w, r, func(ctx context.Context, id string) error {
		return s.Login.GiveUserName(ctx, id, r.PostFormValue("username"))
	})
}

func (s *Server) givePassword(w http.ResponseWriter, r *http.Request) {
	s.step(w, r, func(ctx context.Context, id string) error {
		return s.Login.GivePassword(ctx, id, r.PostFormValue("password"), from(r))
	})
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) {
	s.step(w, r, func(ctx context.Context, id string) error {
		return s.Login.ChangePassword(ctx, id, r.PostFormValue("new_password"), r.PostFormValue("confirm_password"))
	})
}

func (s *Server) restart(w http.ResponseWriter, r *http.Request) { s.step(w, r, s.Login.Restart) }

// lost begins again when the attempt is gone; other errors are shown.
func (s *Server) lost(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, login.ErrNoAttempt) {
		s.signIn(w, r, "/portal")
		return
	}
	s.fail(w, r, err)
}

// signOut ends the portal session and every CLI session under it.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	err := s.DB.Update(r.Context(), func(tx *store.Tx) error {
		p, err := s.Sessions.Portal(tx, cookie(r, sessionCookie))
		if err != nil {
			return nil // signed out already
		}
		if err := s.Sessions.End(tx, p.ID, p.UserID); err != nil {
			return err
		}
		return s.event("Logout", person{Session: p}, from(r), false).Store(tx)
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	clearCookie(w, sessionCookie)
	s.render(w, r, http.StatusOK, "signed-out.html", nil)
}

// event begins the record of what a person did on a page.
func (s *Server) event(name string, p person, from session.Origin, readOnly bool) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "IdentityCenterUser", AccountID: string(s.Login.Owner), CredentialID: p.ID,
			OnBehalfOf: &audit.OnBehalfOf{UserID: p.UserID, IdentityStoreARN: s.Login.Store.ARN(s.Login.Owner)}},
		EventSource: "sso.amazonaws.com", EventName: name, EventType: "AwsServiceEvent", ReadOnly: readOnly, AWSRegion: s.Login.Region,
		SourceIPAddress: from.IP, UserAgent: from.UserAgent, RequestID: arn.NewUUID(), RecipientAccountID: string(s.Login.Owner),
	}
}

// person is who is signed in in the browser.
type person struct {
	store.Session
	UserName string
}

// signedIn returns who is signed in, or begins a sign-in that leads back here and returns false.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request) (person, bool) {
	var p person
	err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		if p.Session, err = s.Sessions.Portal(tx, cookie(r, sessionCookie)); err != nil {
			return err
		}
		user, err := tx.User(p.UserID)
		p.UserName = user.UserName
		return err
	})
	if err == nil {
		return p, true
	}
	if fault.KindOf(err) != fault.Unauthenticated {
		s.fail(w, r, err)
		return p, false
	}
	next := "/portal" // a form that was posted after the session's end is not repeated by itself
	if r.Method == http.MethodGet {
		next = r.URL.RequestURI()
	}
	s.signIn(w, r, next)
	return p, false
}

func setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func clearCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true})
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}
