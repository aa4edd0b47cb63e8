package web

import (
	"fmt"
	"net/http"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/vend"
)

// perPage is how many accounts or roles a page shows.
const perPage = 50

type portalPage struct {
	UserName string
	Accounts []store.Account
	Account  store.Account // of portalAccount
	Roles    []store.PermissionSet
	After    string // of the next page
}

// portal lists the accounts that the person can reach.
func (s *Server) portal(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	data := portalPage{UserName: p.UserName}
	err := s.DB.View(r.Context(), func(tx *store.Tx) error {
		rows, next, err := access.Accounts(tx, p.UserID, p.ID, query(r))
		data.Accounts, data.After = rows, last(next)
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.recordRead(s.event("ListAccounts", p, from(r), true))
	s.render(w, r, http.StatusOK, "portal.html", data)
}

// portalAccount lists the person's roles in one account. An account that they cannot reach looks like one that is not there.
func (s *Server) portalAccount(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	data := portalPage{UserName: p.UserName}
	id, err := arn.ParseAccountID(r.PathValue("account"))
	if err != nil {
		s.notFound(w, r)
		return
	}
	event := s.event("ListAccountRoles", p, from(r), true)
	event.ServiceEventDetails = map[string]any{"account_id": id}
	err = s.DB.View(r.Context(), func(tx *store.Tx) error {
		rows, next, err := access.Roles(tx, p.UserID, p.ID, id, query(r))
		if err != nil || len(rows) == 0 {
			return err
		}
		data.Roles, data.After = rows, last(next)
		data.Account, err = tx.Account(id)
		return err
	})
	switch {
	case err != nil:
		s.fail(w, r, err)
	case len(data.Roles) == 0:
		if err := s.recordDenied(r, event, vend.NoAccess()); fault.KindOf(err) != fault.Denied {
			s.fail(w, r, err)
			return
		}
		s.notFound(w, r)
	default:
		s.recordRead(event)
		s.render(w, r, http.StatusOK, "account.html", data)
	}
}

func (s *Server) recordRead(e *audit.Event) {
	if s.Record != nil {
		s.Record(e)
	}
}

// credentialsPage shows role credentials. The secrets are revealed here, and only here.
type credentialsPage struct {
	UserName, Role, Region string
	Account                arn.AccountID
	ID, Secret, Token      string
	Until                  time.Time
	Portal                 string
}

// credentials vends role credentials and shows them to copy. It is a POST, so that no link makes new ones.
func (s *Server) credentials(w http.ResponseWriter, r *http.Request) {
	p, ok := s.signedIn(w, r)
	if !ok {
		return
	}
	account, err := arn.ParseAccountID(r.PostFormValue("account"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	role := r.PostFormValue("role")
	who := credential.Caller{Kind: credential.Bearer, UserID: p.UserID, UserName: p.UserName, SessionID: p.ID, SessionEnds: p.ExpiresAt, MFATime: p.MFAAt}
	event := s.event("GetRoleCredentials", p, from(r), true)
	c, err := s.Vendor.RoleCredentials(r.Context(), who, account, role, event)
	if err != nil {
		err = s.recordDenied(r, event, err)
		if f := fault.As(err); f != nil && f.Reason == vend.StepUp {
			s.render(w, r, http.StatusForbidden, "confirm.html", confirmPage{p.UserName, role, "/portal/account/" + string(account)})
			return
		}
		s.fail(w, r, err)
		return
	}
	s.render(w, r, http.StatusOK, "credentials.html", credentialsPage{
		UserName: p.UserName, Role: role, Account: account, Region: s.Login.Region, Until: c.Expiration, Portal: s.Sessions.URLs.Portal,
		ID: c.AccessKeyID, Secret: string(c.SecretAccessKey), Token: string(c.SessionToken),
	})
}

// recordDenied records that a person was refused something, and returns why. When that cannot be recorded they are told so.
func (s *Server) recordDenied(r *http.Request, e *audit.Event, cause error) error {
	f := fault.As(cause)
	if f == nil || f.Kind != fault.Denied {
		return cause
	}
	e.ErrorCode, e.ErrorMessage = "ForbiddenException", f.Message
	if err := s.DB.Update(r.Context(), func(tx *store.Tx) error { return e.Store(tx) }); err != nil {
		return fmt.Errorf("record denial: %w", err)
	}
	return cause
}

func query(r *http.Request) page.Query {
	q := page.Query{Limit: perPage}
	if after := r.URL.Query().Get("after"); after != "" {
		q.After = page.Key{clip(after, 256)}
	}
	return q
}

func last(k page.Key) string {
	if len(k) == 0 {
		return ""
	}
	return k[0]
}
