package web

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"

	"sallyport/internal/login"
	"sallyport/internal/qr"
)

// startPasskey begins a sign-in in which a passkey tells who it is.
func (s *Server) startPasskey(w http.ResponseWriter, r *http.Request) {
	next := login.Local(r.PostFormValue("next"))
	if _, err := s.who(r); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	id, err := s.Login.ClaimByPasskey(r.Context(), cookie(r, attemptCookie), next, browser(r))
	s.goOn(w, r, id, err)
}

// passkeyOptions answers our script, in JSON: what WebAuthn is to be asked, or what is wrong.
func (s *Server) passkeyOptions(w http.ResponseWriter, r *http.Request) {
	options, err := s.Login.PasskeyOptions(r.Context(), cookie(r, attemptCookie))
	status := http.StatusOK
	if err != nil {
		var message string
		if status, message = http.StatusGone, "This sign-in is over. Reload the page."; !errors.Is(err, login.ErrNoAttempt) {
			status, message = s.explain(r, err)
		}
		options, _ = json.Marshal(map[string]string{"message": message}) // a string
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(options) // the browser may be gone
}

func (s *Server) givePasskey(w http.ResponseWriter, r *http.Request) {
	id, err := s.Login.GivePasskey(r.Context(), cookie(r, attemptCookie), r.PostFormValue("response"), r.PostFormValue("name"), trusts(r), browser(r))
	s.goOn(w, r, id, err)
}

func (s *Server) giveCode(w http.ResponseWriter, r *http.Request) {
	id, err := s.Login.GiveCode(r.Context(), cookie(r, attemptCookie), clip(r.PostFormValue("code"), 32), trusts(r), browser(r))
	s.goOn(w, r, id, err)
}

// trusts says whether the person ticked that they trust this browser.
func trusts(r *http.Request) bool { return r.PostFormValue("trust") == "yes" }

// appPage shows the secret of an authenticator app that is being registered.
type appPage struct {
	signInPage
	login.App
	QR template.HTML
}

// newApp shows the secret to scan or to type.
func (s *Server) newApp(w http.ResponseWriter, r *http.Request) {
	id := cookie(r, attemptCookie)
	p, err := s.Login.Where(r.Context(), id)
	if err != nil || p.Step != login.AskDevice {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return
	}
	data := appPage{signInPage: signInPage{Position: p, UserName: p.UserName, Problem: p.Problem}}
	if data.App, err = s.Login.NewApp(r.Context(), id); err == nil {
		data.QR, err = qr.SVG(data.URI, "QR code of the secret")
	}
	if err != nil {
		s.lost(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "add-app.html", data)
}

// registerApp goes back to the secret when the code was wrong.
func (s *Server) registerApp(w http.ResponseWriter, r *http.Request) {
	was := cookie(r, attemptCookie)
	id, err := s.Login.RegisterApp(r.Context(), was, clip(r.PostFormValue("code"), 32), r.PostFormValue("name"), browser(r))
	if err == nil && id == was {
		http.Redirect(w, r, "/signin/app", http.StatusSeeOther)
		return
	}
	s.goOn(w, r, id, err)
}

func (s *Server) sendMailCode(w http.ResponseWriter, r *http.Request) {
	id := cookie(r, attemptCookie)
	s.goOn(w, r, id, s.Login.SendMailCode(r.Context(), id))
}

func (s *Server) giveMailCode(w http.ResponseWriter, r *http.Request) {
	id, err := s.Login.GiveMailCode(r.Context(), cookie(r, attemptCookie), clip(r.PostFormValue("code"), 32), trusts(r), browser(r))
	s.goOn(w, r, id, err)
}
