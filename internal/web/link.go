package web

import (
	"net/http"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// forgotPage asks for a user name, or says that a link is on its way if there is such a user.
type forgotPage struct {
	Sent    bool
	Problem string
}

func (s *Server) forgot(w http.ResponseWriter, r *http.Request) {
	if !s.Login.Mail.Configured() {
		s.problem(w, r, http.StatusNotFound, "No mail can be sent here. Ask your administrator for a new password.")
		return
	}
	s.render(w, r, http.StatusOK, "forgot.html", forgotPage{})
}

// sendForgot answers the same whoever it is.
func (s *Server) sendForgot(w http.ResponseWriter, r *http.Request) {
	err := s.Login.ForgotPassword(r.Context(), r.PostFormValue("username"), browser(r))
	if f := fault.As(err); f != nil && f.Kind == fault.Invalid {
		s.render(w, r, http.StatusUnprocessableEntity, "forgot.html", forgotPage{Problem: f.Message})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "forgot.html", forgotPage{Sent: true})
}

// Founder is what the first administrator says of themselves.
type Founder struct{ UserName, GivenName, FamilyName, Email string }

// linkPage says what a link does. Opening it does nothing: programs that check mail open links.
type linkPage struct {
	Purpose store.LinkPurpose
	Action  string
	Founder
	Problem string
}

var linkPages = map[store.LinkPurpose]string{
	store.Invitation: "link.html", store.Reset: "link.html", store.Disowning: "disown.html", store.Founding: "founding.html",
}

func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	l, err := s.linkOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, linkPages[l.Purpose], linkPage{Purpose: l.Purpose, Action: r.URL.Path})
}

func (s *Server) linkOf(r *http.Request) (l store.Link, err error) {
	err = s.DB.View(r.Context(), func(tx *store.Tx) error {
		l, err = s.Login.LinkOf(tx, r.PathValue("token"))
		return err
	})
	return l, err
}

// followLink does what the link is for.
func (s *Server) followLink(w http.ResponseWriter, r *http.Request) {
	l, err := s.linkOf(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	token := r.PathValue("token")
	switch l.Purpose {
	case store.Founding:
		s.found(w, r, token)
	case store.Disowning:
		err := s.DB.Update(r.Context(), func(tx *store.Tx) error { return s.Login.FollowDisowning(tx, token, browser(r)) })
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.disowned(w, r)
	default:
		id, err := s.Login.FollowLink(r.Context(), token, cookie(r, attemptCookie), browser(r))
		if fault.As(err) != nil {
			s.fail(w, r, err)
			return
		}
		clearCookie(w, sessionCookie) // whoever is signed in here need not be who the link is for
		s.goOn(w, r, id, err)
	}
}

// disowned says that everything has ended, in a browser that may have been signed in.
func (s *Server) disowned(w http.ResponseWriter, r *http.Request) {
	clearCookie(w, sessionCookie)
	clearCookie(w, attemptCookie)
	s.render(w, r, http.StatusOK, "disowned.html", nil)
}

// found makes the first administrator, who goes on as somebody who is invited.
func (s *Server) found(w http.ResponseWriter, r *http.Request, token string) {
	who := Founder{r.PostFormValue("username"), r.PostFormValue("given_name"), r.PostFormValue("family_name"), r.PostFormValue("email")}
	next, err := s.Found(r.Context(), token, who, from(r))
	if f := fault.As(err); f != nil && f.Kind != fault.Internal && f.Kind != fault.Expired {
		s.render(w, r, http.StatusUnprocessableEntity, "founding.html", linkPage{store.Founding, r.URL.Path, who, f.Message})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, string(next), http.StatusSeeOther)
}
