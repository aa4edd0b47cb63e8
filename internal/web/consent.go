package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// consentPage asks whether a client may act for the person. Everything that the client says of itself is marked unverified.
type consentPage struct {
	UserName   string
	ClientName string
	Scopes     []string
	UserCode   string // device flow: to be compared with what the device shows
	From       string // where the request was made
	Agent      string
	When       string
	Here       string // where the approver is
	Redirect   string // code flow: the loopback address that gets the answer
	Action     string
}

// device asks for a user code, then for consent. Consent is asked every time.
func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	code := r.URL.Query().Get("user_code")
	if code == "" {
		s.render(w, r, http.StatusOK, "device.html", problemPage{})
		return
	}
	d, err := s.Sessions.PendingDevice(p.Session, code, from(r))
	if f := fault.As(err); f != nil {
		s.render(w, r, http.StatusOK, "device.html", problemPage{Message: f.Message})
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "consent.html", consentPage{
		UserName: p.UserName, ClientName: d.ClientName, Scopes: d.Scopes, UserCode: d.UserCode,
		From: d.Origin.IP, Agent: d.Origin.UserAgent, When: d.StartedAt.Format(time.RFC1123), Here: from(r).IP, Action: "/device",
	})
}

func (s *Server) decideDevice(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	code, approve := r.PostFormValue("user_code"), r.PostFormValue("decision") == "approve"
	decide := s.Sessions.DenyDevice
	if approve {
		decide = s.Sessions.ApproveDevice
	}
	err := s.DB.Update(r.Context(), func(tx *store.Tx) error { return decide(tx, p.Session, code, from(r)) })
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "decided.html", approve)
}

// authorize is the authorization endpoint of RFC 6749 §4.1 with PKCE (RFC 7636), in the AWS CLI's dialect (case S28).
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	req, ok := s.authorizeRequest(w, r)
	if !ok {
		return
	}
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Security-Policy", policy("'self' "+origin(req.RedirectURI)))
	s.render(w, r, http.StatusOK, "consent.html", consentPage{
		UserName: p.UserName, ClientName: req.ClientName, Scopes: req.Scopes, Here: from(r).IP,
		Redirect: origin(req.RedirectURI), Action: r.URL.RequestURI(),
	})
}

// decideAuthorize is posted to the same address: the request is read and checked again, so the form carries nothing.
func (s *Server) decideAuthorize(w http.ResponseWriter, r *http.Request) {
	req, ok := s.authorizeRequest(w, r)
	if !ok {
		return
	}
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	if r.PostFormValue("decision") != "approve" {
		http.Redirect(w, r, req.Deny().Location(), http.StatusSeeOther)
		return
	}
	var to string
	err := s.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		to, err = s.Sessions.GrantCode(tx, p.Session, req)
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// authorizeRequest checks the query. What is wrong with the client or its address is told here, anything else to the client.
func (s *Server) authorizeRequest(w http.ResponseWriter, r *http.Request) (session.AuthorizeRequest, bool) {
	req, err := s.Sessions.CheckAuthorize(r.URL.Query())
	var back *session.RedirectError
	switch {
	case errors.As(err, &back):
		http.Redirect(w, r, back.Location(), http.StatusSeeOther)
	case err != nil:
		s.fail(w, r, err)
	}
	return req, err == nil
}

func origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
