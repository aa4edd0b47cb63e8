package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"sallyport/internal/audit"
	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/page"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// shown bounds the sessions and the notices on a person's account page.
const shown = 50

// accountPage is a person's own account: what they sign in with, where they are signed in, what happened lately.
type accountPage struct {
	UserName string
	Devices  []store.Factor
	Sessions []store.Session
	Notices  []store.Notice
	Current  string // session of this browser
	MayAdd   bool
	MayEdit  bool
	Problem  string
}

// Is says whether a session is that of this browser, or was approved in it.
func (p accountPage) Is(s store.Session) bool { return s.ID == p.Current }

// Day writes a time for people.
func (accountPage) Day(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2 January 2006, 15:04 UTC")
}

// What says what a notice tells of.
func (accountPage) What(n store.Notice) string {
	switch n.Kind {
	case store.DeviceAdded:
		return "A device was registered: " + n.Detail
	case store.ClientApproved:
		return "A program was allowed to act for you: " + n.Detail
	}
	return "Your password was changed"
}

func (s *Server) account(w http.ResponseWriter, r *http.Request) {
	if p, ok := s.signedIn(w, r); ok {
		s.showAccount(w, r, p, http.StatusOK, "")
	}
}

func (s *Server) showAccount(w http.ResponseWriter, r *http.Request, p person, status int, problem string) {
	data := accountPage{UserName: p.UserName, Current: p.ID, Problem: problem}
	err := s.DB.View(r.Context(), func(tx *store.Tx) (err error) {
		in, err := setting.Load(tx)
		if err != nil {
			return err
		}
		if data.Devices, err = login.Factors(tx, p.UserID); err != nil {
			return err
		}
		data.MayEdit = in.MFASelfService
		data.MayAdd = in.MFASelfService && (len(data.Devices) > 0 || in.MFAFirstDevice == setting.Password)
		if data.Sessions, _, err = tx.SessionsOf(p.UserID, false, page.Query{Limit: shown}); err != nil {
			return err
		}
		data.Notices, _, err = tx.Notices(p.UserID, page.Query{Limit: shown})
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.render(w, r, status, "my-account.html", data)
}

// changeAccount does what a form of the account page asks for.
func (s *Server) changeAccount(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	switch r.PathValue("what") {
	case "confirm":
		s.begin(w, r, p, login.Confirm{Next: r.PostFormValue("next")})
	case "add-device":
		s.begin(w, r, p, login.Confirm{Next: "/account", WantsDevice: true})
	case "password":
		s.begin(w, r, p, login.Confirm{Next: "/account", NewPassword: true})
	case "rename-device", "remove-device":
		s.editDevice(w, r, p)
	case "end-session", "end-others", "end-all":
		s.endSessions(w, r, p)
	case "disown":
		err := s.DB.Update(r.Context(), func(tx *store.Tx) error { return s.Login.Disown(tx, p.UserID, r.PostFormValue("notice"), browser(r)) })
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.disowned(w, r)
	default:
		s.notFound(w, r)
	}
}

// begin begins a confirmation.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, p person, want login.Confirm) {
	var err error
	if want.WantsDevice {
		err = s.DB.View(r.Context(), func(tx *store.Tx) error { return mayManage(tx, p) })
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	id, err := s.Login.ClaimToConfirm(r.Context(), p.Session, want)
	s.goOn(w, r, id, err)
}

// mayManage refuses people who may not manage their devices, or have none and may not register the first one here.
func mayManage(tx *store.Tx, p person) error {
	in, err := setting.Load(tx)
	if err != nil {
		return err
	}
	all, err := login.Factors(tx, p.UserID)
	switch {
	case err != nil:
		return err
	case !in.MFASelfService:
		return fault.Deniedf("Your organization manages devices for you. Ask your administrator.")
	case len(all) == 0 && in.MFAFirstDevice != setting.Password:
		return fault.Deniedf("A first device is registered with an invitation. Ask your administrator for one.")
	}
	return nil
}

// editDevice renames or removes a device. To remove one, a factor must have been proved a short while ago.
func (s *Server) editDevice(w http.ResponseWriter, r *http.Request, p person) {
	id, remove, fresh := r.PostFormValue("device"), r.PathValue("what") == "remove-device", true
	err := s.DB.Update(r.Context(), func(tx *store.Tx) (err error) {
		if err = mayManage(tx, p); err != nil {
			return err
		}
		var f store.Factor
		name := "UpdateMfaDeviceForUser"
		if remove {
			if fresh, err = s.Login.Fresh(tx, p.Session); err != nil || !fresh {
				return err
			}
			name = "DeleteMfaDeviceForUser"
			f, err = s.Login.RemoveFactor(tx, p.UserID, id, p.ID, p.UserID)
		} else {
			f, err = login.RenameFactor(tx, p.UserID, id, r.PostFormValue("name"))
		}
		if err != nil {
			return err
		}
		e := s.event(name, p, from(r), false)
		e.EventSource = "sso-directory.amazonaws.com"
		e.ServiceEventDetails = map[string]any{"mfa_device_id": f.ID, "mfa_device_name": f.Name}
		return e.Store(tx)
	})
	switch {
	case err != nil:
		status, message := s.explain(r, err)
		s.showAccount(w, r, p, status, message)
	case !fresh:
		s.begin(w, r, p, login.Confirm{Next: "/account"})
	default:
		http.Redirect(w, r, "/account", http.StatusSeeOther)
	}
}

// endSessions ends one of the person's sessions, all but this one, or all.
func (s *Server) endSessions(w http.ResponseWriter, r *http.Request, p person) {
	what := r.PathValue("what")
	err := s.DB.Update(r.Context(), func(tx *store.Tx) error {
		e := s.event("EndSession", p, from(r), false)
		if what == "end-session" {
			return s.endSession(tx, r.PostFormValue("session"), p, e)
		}
		keep := p.ID
		if what == "end-all" {
			keep = ""
		}
		n, err := s.Sessions.EndOthersOf(tx, p.UserID, keep, p.UserID)
		if err != nil {
			return err
		}
		e.ServiceEventDetails = map[string]any{"ended": n}
		return e.Store(tx)
	})
	switch {
	case err != nil:
		s.fail(w, r, err)
		return
	case what == "end-all":
		s.signedOut(w, r, true)
		return
	}
	http.Redirect(w, r, "/account", http.StatusSeeOther)
}

// endSession ends one session of the person's own; another's is none that is there.
func (s *Server) endSession(tx *store.Tx, id string, p person, e *audit.Event) error {
	of, err := tx.Session(id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load session: %w", err)
	}
	if err != nil || of.UserID != p.UserID {
		return fault.Newf(fault.NotFound, "There is no such session. It may have ended.")
	}
	if err := s.Sessions.End(tx, id, p.UserID); err != nil {
		return err
	}
	e.ServiceEventDetails = map[string]any{"session_id": id}
	return e.Store(tx)
}

// confirmPage leads to proving a factor again, and then on. Role is what it is for; "": a command says.
type confirmPage struct{ UserName, Role, Next string }

// confirm is where people go whose command line was told that their second factor is too old.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request) {
	if p, ok := s.signedIn(w, r); ok {
		s.render(w, r, http.StatusOK, "confirm.html", confirmPage{p.UserName, "", "/portal"})
	}
}

// signOutPage says what signing out would stop.
type signOutPage struct {
	UserName string
	Roles    int64
}

// signOut ends the portal session and every CLI session under it, after a word when role credentials in use would stop. It
// says so only when that is so.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	var ask signOutPage
	ended := false
	err := s.DB.Update(r.Context(), func(tx *store.Tx) error {
		p, err := s.Sessions.Portal(tx, cookie(r, sessionCookie))
		if err != nil && fault.KindOf(err) != fault.Unauthenticated {
			return err
		}
		if p.ID == "" || !p.EndedAt.IsZero() {
			return nil // signed out already
		}
		in, err := setting.Load(tx)
		if err != nil {
			return err
		}
		if ask.Roles, err = tx.RolesInUse(p.ID); err != nil {
			return fmt.Errorf("count roles in use: %w", err)
		}
		if ask.Roles > 0 && in.SignOutEndsRoles && r.PostFormValue("sure") != "yes" {
			u, err := tx.User(p.UserID)
			ask.UserName = u.UserName
			return err
		}
		ask.UserName, ended = "", in.SignOutEndsRoles
		if err := s.Sessions.SignOut(tx, p.ID, p.UserID); err != nil {
			return err
		}
		return s.event("Logout", person{Session: p}, from(r), false).Store(tx)
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if ask.UserName != "" {
		s.render(w, r, http.StatusOK, "sign-out.html", ask)
		return
	}
	s.signedOut(w, r, ended)
}

// signedOut says that the session of this browser has ended; roles: and what was given out under it.
func (s *Server) signedOut(w http.ResponseWriter, r *http.Request, roles bool) {
	clearCookie(w, sessionCookie)
	clearCookie(w, attemptCookie)
	s.render(w, r, http.StatusOK, "signed-out.html", roles)
}
