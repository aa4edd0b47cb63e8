package web

import (
	"net/http"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/emergency"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// emergencyPage is where emergency accesses are asked for, approved, closed and reviewed.
type emergencyPage struct {
	UserName string
	Session  string // of this browser
	emergency.Desk
	Problem string
}

// Clock writes a time of today for people, to the second: what is open ends then.
func (emergencyPage) Clock(t time.Time) string {
	return t.UTC().Format("15:04:05 UTC on 2 January 2006")
}

// emergencyDoor asks who is there.
type emergencyDoor struct{ UserName, Problem string }

// comer is who has signed in here for an emergency a short while ago; an Unauthenticated fault when nobody has.
func (s *Server) comer(tx *store.Tx, r *http.Request) (emergency.Person, error) {
	of, err := s.Sessions.Portal(tx, cookie(r, sessionCookie))
	if err != nil {
		return emergency.Person{}, err
	}
	return s.Emergency.Proved(tx, of, from(r))
}

// emergency shows what there is to do, or asks for a sign-in of its own: with a password and a passkey of this directory, whatever the
// one at hand was.
func (s *Server) emergency(w http.ResponseWriter, r *http.Request) {
	if s.Emergency == nil {
		s.notFound(w, r)
		return
	}
	s.showEmergency(w, r, http.StatusOK, "")
}

func (s *Server) showEmergency(w http.ResponseWriter, r *http.Request, status int, problem string) {
	data := emergencyPage{Problem: problem}
	err := s.DB.View(r.Context(), func(tx *store.Tx) error {
		p, err := s.comer(tx, r)
		if err != nil {
			return err
		}
		data.UserName, data.Session = p.User.UserName, p.Session.ID
		data.Desk, err = s.Emergency.Desk(tx, p)
		return err
	})
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		s.askEmergency(w, r, status, problem)
	case err != nil:
		s.fail(w, r, err)
	default:
		s.render(w, r, status, "emergency.html", data)
	}
}

func (s *Server) askEmergency(w http.ResponseWriter, r *http.Request, status int, problem string) {
	data := emergencyDoor{Problem: problem}
	if p, err := s.who(r); err == nil {
		data.UserName = p.UserName
	}
	s.render(w, r, status, "emergency-door.html", data)
}

// changeEmergency does what a form of the page asks for.
func (s *Server) changeEmergency(w http.ResponseWriter, r *http.Request) {
	what := r.PathValue("what")
	name := map[string]string{
		"request": "RequestEmergencyAccess", "answer": "OpenEmergencyAccess", "close": "CloseEmergencyAccess", "review": "CloseEmergencyReview",
	}[what]
	switch {
	case s.Emergency == nil || name == "" && what != "signin":
		s.notFound(w, r)
		return
	case what == "signin":
		id, err := s.Login.ClaimForEmergency(r.Context(), cookie(r, attemptCookie), "/emergency", r.PostFormValue("username"), browser(r))
		if f := fault.As(err); f != nil && f.Kind == fault.Invalid {
			s.askEmergency(w, r, http.StatusUnprocessableEntity, f.Message)
			return
		}
		s.goOn(w, r, id, err)
		return
	}
	var p emergency.Person
	problem := ""
	err := s.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		if p, err = s.comer(tx, r); err != nil {
			return err
		}
		problem, err = s.doEmergency(tx, r, p)
		return err
	})
	switch {
	case fault.KindOf(err) == fault.Unauthenticated:
		s.askEmergency(w, r, http.StatusForbidden, "That took too long, and nothing was done. Sign in again.")
	case err != nil:
		status, message := s.explain(r, s.recordDenied(r, s.deniedEmergency(name, p, r), err))
		s.showEmergency(w, r, status, message)
	case problem != "":
		s.showEmergency(w, r, http.StatusForbidden, problem)
	default:
		http.Redirect(w, r, "/emergency", http.StatusSeeOther)
	}
}

// doEmergency does it in one transaction, with its event. The problem is what a person is told though the transaction stands.
func (s *Server) doEmergency(tx *store.Tx, r *http.Request, p emergency.Person) (problem string, err error) {
	opening, why := clip(r.PostFormValue("opening"), 64), r.PostFormValue("reason")
	switch r.PathValue("what") {
	case "request":
		_, problem, err = s.Emergency.Ask(tx, p, clip(r.PostFormValue("access"), 64), why, clip(r.PostFormValue("code"), 64))
	case "answer":
		_, err = s.Emergency.Answer(tx, p, opening, r.PostFormValue("decision") == "approve")
	case "close":
		err = s.Emergency.Close(tx, p, opening)
	case "review":
		err = s.Emergency.Review(tx, p, opening, why)
	}
	return problem, err
}

// deniedEmergency begins the record of what a person was refused.
func (s *Server) deniedEmergency(name string, p emergency.Person, r *http.Request) *audit.Event {
	e := s.event(name, person{Session: p.Session}, from(r), false)
	e.EventSource = emergency.Source
	e.ServiceEventDetails = map[string]any{"emergency_opening_id": clip(r.PostFormValue("opening"), 64), "emergency_access_id": clip(r.PostFormValue("access"), 64)}
	return e
}
