package web

import (
	"errors"
	"net/http"

	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/store"
)

// signInPage is a step of the sign-in.
type signInPage struct {
	Next     string // where the person is going, until there is an attempt to hold it
	UserName string
	Problem  string
}

// dispatch shows the page of the attempt's next step, or ends the attempt in a session. Until somebody says who they are
// there is no attempt: where they are going is in the address, and opening pages leaves nothing behind.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	id, next := cookie(r, attemptCookie), r.URL.Query().Get("next")
	a, err := s.Login.Attempt(r.Context(), id)
	if next != "" || errors.Is(err, login.ErrNoAttempt) {
		s.askUserName(w, r, http.StatusOK, signInPage{Next: login.Local(next)})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	data := signInPage{UserName: a.UserName, Problem: a.Problem}
	switch login.StepOf(a) {
	case login.AskPassword:
		s.render(w, r, http.StatusOK, "password.html", data)
	case login.AskNewPassword:
		s.render(w, r, http.StatusOK, "new-password.html", data)
	default:
		s.finish(w, r, id)
	}
}

// askUserName begins a sign-in. Who is signed in already goes on: to become somebody else they sign out first.
func (s *Server) askUserName(w http.ResponseWriter, r *http.Request, status int, data signInPage) {
	if _, err := s.who(r); err == nil {
		http.Redirect(w, r, data.Next, http.StatusSeeOther)
		return
	}
	s.render(w, r, status, "username.html", data)
}

func (s *Server) giveUserName(w http.ResponseWriter, r *http.Request) {
	data := signInPage{Next: login.Local(r.PostFormValue("next"))}
	if _, err := s.who(r); err == nil {
		http.Redirect(w, r, data.Next, http.StatusSeeOther)
		return
	}
	id, err := s.Login.Claim(r.Context(), cookie(r, attemptCookie), data.Next, r.PostFormValue("username"), browser(r))
	if f := fault.As(err); f != nil && f.Kind == fault.Invalid {
		data.Problem = f.Message
		s.render(w, r, http.StatusUnprocessableEntity, "username.html", data)
		return
	}
	s.goOn(w, r, id, err)
}

func (s *Server) givePassword(w http.ResponseWriter, r *http.Request) {
	id, err := s.Login.GivePassword(r.Context(), cookie(r, attemptCookie), r.PostFormValue("password"), browser(r))
	s.goOn(w, r, id, err)
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) {
	id := cookie(r, attemptCookie)
	err := s.Login.ChangePassword(r.Context(), id, r.PostFormValue("new_password"), r.PostFormValue("confirm_password"), browser(r))
	s.goOn(w, r, id, err)
}

// goOn returns to the dispatcher after a step, with the id that the attempt has now.
func (s *Server) goOn(w http.ResponseWriter, r *http.Request, id string, err error) {
	if err != nil {
		s.lost(w, r, err)
		return
	}
	if id != cookie(r, attemptCookie) {
		setCookie(w, attemptCookie, id, 0)
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// restart gives the attempt up, for somebody else to sign in and go where it would have led.
func (s *Server) restart(w http.ResponseWriter, r *http.Request) {
	next, err := s.Login.Restart(r.Context(), cookie(r, attemptCookie))
	if err != nil {
		s.lost(w, r, err)
		return
	}
	clearCookie(w, attemptCookie)
	http.Redirect(w, r, signInAt(next), http.StatusSeeOther)
}

// lost begins again when the attempt is gone; other errors are shown.
func (s *Server) lost(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, login.ErrNoAttempt) {
		s.fail(w, r, err)
		return
	}
	clearCookie(w, attemptCookie)
	s.askUserName(w, r, http.StatusOK, signInPage{Next: login.Local(""), Problem: "This sign-in is over: it took too long, or was finished or begun anew in another window. Start again."})
}

// finish exchanges the attempt for a session. The session's id is new: nothing from before the sign-in is worth anything after it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, id string) {
	in, err := s.Login.Finish(r.Context(), id, browser(r))
	if err != nil {
		s.lost(w, r, err)
		return
	}
	clearCookie(w, attemptCookie)
	setCookie(w, sessionCookie, string(in.Cookie), 0)
	setCookie(w, knownCookie, in.Known, login.KnownLife)
	http.Redirect(w, r, in.Next, http.StatusSeeOther)
}

// signOut ends the portal session and every CLI session under it. It says so only when that is so.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	err := s.DB.Update(r.Context(), func(tx *store.Tx) error {
		p, err := s.Sessions.Portal(tx, cookie(r, sessionCookie))
		if err != nil && fault.KindOf(err) != fault.Unauthenticated {
			return err
		}
		if p.ID == "" || !p.EndedAt.IsZero() {
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
	clearCookie(w, attemptCookie)
	s.render(w, r, http.StatusOK, "signed-out.html", nil)
}
