package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"sallyport/internal/session"
	"sallyport/internal/store"
)

// consentPage asks whether a client may act for the person. Everything that the client says of itself is marked unverified.
type consentPage struct {
	UserName   string
	ClientName string
	UserCode   string // device flow: to be compared with what the device shows
	From       string // where the request was made
	Agent      string
	Started    time.Time
	Elsewhere  bool   // the request comes from another network than the approver
	Here       string // where the approver is
	Redirect   string // code flow: the loopback address that gets the answer
	Action     string
}

// When is when the request was made, in words.
func (p consentPage) When() string { return p.Started.UTC().Format("15:04:05 UTC on 2 January 2006") }

// codePage asks for a user code.
type codePage struct{ UserName, Problem string }

// device asks for a user code, then for consent. Consent is asked every time.
func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	code := r.URL.Query().Get("user_code")
	if code == "" {
		s.render(w, r, http.StatusOK, "device.html", codePage{UserName: p.UserName})
		return
	}
	d, err := s.pendingDevice(r, p, code)
	if err != nil {
		s.failDevice(w, r, p, err)
		return
	}
	here := from(r)
	s.render(w, r, http.StatusOK, "consent.html", consentPage{
		UserName: p.UserName, ClientName: d.ClientName, UserCode: d.UserCode, From: d.IP, Agent: d.UserAgent, Started: d.StartedAt,
		Elsewhere: d.Network() != here.Network(), Here: here.IP, Action: "/device",
	})
}

func (s *Server) decideDevice(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	approve, here := r.PostFormValue("decision") == "approve", from(r)
	decide := s.Sessions.DenyDevice
	if approve {
		decide = s.Sessions.ApproveDevice
	}
	d, err := s.pendingDevice(r, p, r.PostFormValue("user_code"))
	if err == nil {
		err = s.DB.Update(r.Context(), func(tx *store.Tx) error {
			if err := decide(tx, p.Session, d.UserCode, here); err != nil {
				return err
			}
			return s.recordDecision(tx, p, here, decision{d.ClientName, d.ClientKey, "device code", approve})
		})
	}
	if err != nil {
		s.failDevice(w, r, p, err)
		return
	}
	s.render(w, r, http.StatusOK, "decided.html", approve)
}

// pendingDevice is the undecided request that a user code stands for.
func (s *Server) pendingDevice(r *http.Request, p person, userCode string) (d session.DeviceRequest, err error) {
	err = s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		d, err = s.Sessions.PendingDevice(tx, p.Session, userCode, from(r))
		return err
	})
	return d, err
}

// failDevice shows what is wrong with a user code where another one can be entered.
func (s *Server) failDevice(w http.ResponseWriter, r *http.Request, p person, err error) {
	status, message := s.explain(r, err)
	s.render(w, r, status, "device.html", codePage{p.UserName, message})
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
	redirect, err := url.Parse(req.RedirectURI)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Security-Policy", policy(formAction(redirect)))
	s.render(w, r, http.StatusOK, "consent.html", consentPage{
		UserName: p.UserName, ClientName: req.ClientName, Here: from(r).IP, Redirect: redirect.Host, Action: r.URL.RequestURI(),
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
	approve := r.PostFormValue("decision") == "approve"
	var to string
	err := s.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		if to = req.Deny().Location(); approve {
			if to, err = s.Sessions.GrantCode(tx, p.Session, req); err != nil {
				return err
			}
		}
		return s.recordDecision(tx, p, from(r), decision{req.ClientName, req.ClientKey, "authorization code", approve})
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

// decision is what a person has decided about a client.
type decision struct {
	client, key, grant string
	approved           bool
}

// recordDecision records what a person has decided about a client, and tells them of one that is new. AWS has no event of that
// name that is known; who may act for a person is too much to leave to the client's own events.
func (s *Server) recordDecision(tx *store.Tx, p person, from session.Origin, d decision) error {
	e := s.event("AuthorizeClient", p, from, false)
	e.ServiceEventDetails = map[string]any{"client_name": d.client, "grant": d.grant, "approved": d.approved}
	if !d.approved {
		e.ErrorCode, e.ErrorMessage = "AccessDenied", "The person did not allow it."
		return e.Store(tx)
	}
	known, err := session.Knows(tx, d.key, p.UserID)
	if err == nil && !known {
		err = s.Login.Notify(tx, store.Notice{UserID: p.UserID, Kind: store.ClientApproved, Detail: d.client, Subject: d.key, IP: from.IP})
	}
	if err != nil {
		return err
	}
	return e.Store(tx)
}
