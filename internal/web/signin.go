package web

import (
	"errors"
	"net/http"

	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// signInPage is a step of the sign-in.
type signInPage struct {
	login.Position
	Next     string // where the person is going, until there is an attempt to hold it
	UserName string
	Problem  string
	Rules    string // of passwords
	Passkey  bool   // signing in by passkey alone is possible
	Forgot   bool   // links to choose another password are sent by mail
	Sent     bool   // a code is under way
}

// Confirming says whether the person is signed in and proves a factor again.
func (p signInPage) Confirming() bool { return p.Entry == store.ByConfirmation }

// stepPages are the pages of the steps that have one of their own.
var stepPages = map[login.Step]string{
	login.AskPassword: "password.html", login.AskPasskey: "passkey.html", login.AskMFA: "mfa.html", login.AskDevice: "add-device.html",
	login.AskMailCode: "mail-code.html", login.Blocked: "blocked.html", login.AskNewPassword: "new-password.html",
}

// dispatch shows the page of the attempt's next step, or ends the attempt in a session. Until somebody says who they are
// there is no attempt: where they are going is in the address, and opening pages leaves nothing behind.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) {
	id, next := cookie(r, attemptCookie), r.URL.Query().Get("next")
	p, err := s.Login.Where(r.Context(), id)
	if next != "" || errors.Is(err, login.ErrNoAttempt) {
		s.askUserName(w, r, http.StatusOK, signInPage{Next: login.Local(next)})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if p.Step == login.Done {
		s.finish(w, r, id)
		return
	}
	s.renderStep(w, r, stepPages[p.Step], signInPage{
		Position: p, UserName: p.UserName, Problem: p.Problem, Rules: login.Rules(p.Settings), Sent: s.Login.MailCodeSent(p), Forgot: s.Login.Mail.Configured(),
	})
}

// renderStep shows a step. Only the pages that ask for a passkey may run our one script.
func (s *Server) renderStep(w http.ResponseWriter, r *http.Request, page string, data signInPage) {
	if page == "passkey.html" || page == "mfa.html" && data.HasPasskey() || page == "add-device.html" && data.Settings.PasskeysAllowed() {
		w.Header().Set("Content-Security-Policy", policy("'self'")+scripted)
	}
	s.render(w, r, http.StatusOK, page, data)
}

// askUserName begins a sign-in. Who is signed in already goes on: to become somebody else they sign out first.
func (s *Server) askUserName(w http.ResponseWriter, r *http.Request, status int, data signInPage) {
	if _, err := s.who(r); err == nil {
		http.Redirect(w, r, data.Next, http.StatusSeeOther)
		return
	}
	s.userName(w, r, status, data)
}

// userName shows the first page, with the ways in that there are.
func (s *Server) userName(w http.ResponseWriter, r *http.Request, status int, data signInPage) {
	err := s.DB.View(r.Context(), func(tx *store.Tx) error {
		in, err := setting.Load(tx)
		data.Passkey, data.Forgot = in.PasskeySignIn && in.PasskeysAllowed(), s.Login.Mail.Configured()
		return err
	})
	if err != nil {
		s.fail(w, r, err)
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
		s.userName(w, r, http.StatusUnprocessableEntity, data)
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
	id, err := s.Login.ChangePassword(r.Context(), id, r.PostFormValue("new_password"), r.PostFormValue("confirm_password"), browser(r))
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

// finish exchanges the attempt for a session. The session's cookie is new: nothing from before the sign-in is worth anything after it.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, id string) {
	in, err := s.Login.Finish(r.Context(), id, browser(r))
	if err != nil {
		s.lost(w, r, err)
		return
	}
	clearCookie(w, attemptCookie)
	setCookie(w, sessionCookie, string(in.Cookie), 0)
	if in.Known != "" {
		setCookie(w, knownCookie, in.Known, login.KnownLife)
	}
	if in.Trust != "" {
		setCookie(w, trustCookie, in.Trust, login.KnownLife)
	}
	http.Redirect(w, r, in.Next, http.StatusSeeOther)
}
