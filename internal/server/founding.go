package server

import (
	"context"
	"fmt"
	"io"
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/credential"
	"sallyport/internal/directory"
	"sallyport/internal/quota"
	"sallyport/internal/session"
	"sallyport/internal/store"
	"sallyport/internal/web"
)

// The names that the first administrator's access goes by.
const (
	adminSet   = "AdministratorAccess"
	adminGroup = "Administrators"
	byFounding = "sso.amazonaws.com"
)

// metaFounded says that the first administrator has been made.
const metaFounded = "world.founded"

// foundingLink prints the link that invites the first administrator, until there is one. Each start makes a new one.
func (s *Server) foundingLink(ctx context.Context, out io.Writer) error {
	var link credential.Secret
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		link = ""
		if _, err := tx.Meta(metaFounded); err == nil {
			return nil
		}
		link, _, err = s.login.FoundingLink(tx)
		return err
	})
	if err == nil && link != "" {
		fmt.Fprintf(out, "There is no administrator yet. Become the first one, with this link, which works once and for a week:\n  %s\n", string(link))
	}
	return err
}

// makeFirst makes the first administrator: a person in a group that has AdministratorAccess in the management account. It
// returns the link of their invitation.
func (s *Server) makeFirst(ctx context.Context, token string, who web.Founder, from session.Origin) (link credential.Secret, err error) {
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		l, err := s.login.LinkOf(tx, token)
		if err != nil {
			return err
		}
		if err := tx.DeleteLink(l.Hash); err != nil {
			return fmt.Errorf("spend link: %w", err)
		}
		cause := store.Cause{Event: arn.NewTimeUUID(tx.Now()), By: byFounding}
		tx.Because(cause)
		u, err := directory.CreateUser(tx, founder(s.instance.StoreID, who), byFounding)
		if err != nil {
			return err
		}
		if err := s.grantAll(tx, u); err != nil {
			return err
		}
		d, err := s.login.Invite(tx, u.ID, false)
		if err != nil {
			return err
		}
		link = d.Link
		if err := tx.SetMeta(metaFounded, u.ID); err != nil {
			return err
		}
		e := s.foundingEvent(u, from)
		e.EventID = cause.Event
		return e.Store(tx)
	})
	return link, err
}

func founder(id arn.StoreID, who web.Founder) store.User {
	u := store.User{
		StoreID: id, UserName: strings.TrimSpace(who.UserName), DisplayName: strings.TrimSpace(who.GivenName + " " + who.FamilyName),
		UserAttrs: store.UserAttrs{Name: store.Name{GivenName: strings.TrimSpace(who.GivenName), FamilyName: strings.TrimSpace(who.FamilyName)}},
	}
	if mail := strings.TrimSpace(who.Email); mail != "" {
		u.Emails = []store.TypedValue{{Value: mail, Type: "work", Primary: true}}
	}
	return u
}

// grantAll lets the user be an administrator of the management account.
func (s *Server) grantAll(tx *store.Tx, u store.User) error {
	g, err := directory.CreateGroup(tx, store.Group{StoreID: s.instance.StoreID, DisplayName: adminGroup}, byFounding)
	if err != nil {
		return err
	}
	if _, err := directory.AddMember(tx, s.instance.StoreID, g.ID, u.ID, byFounding); err != nil {
		return err
	}
	set, err := access.CreatePermissionSet(tx, s.instance, store.PermissionSet{Name: adminSet, Description: "Everything, for administrators"})
	if err != nil {
		return err
	}
	if err := access.AttachManagedPolicy(tx, set, administrator, quota.Limits{}); err != nil {
		return err
	}
	_, err = access.BeginAssignment(tx, store.Assignment{
		Account: s.instance.Owner, Set: set.PermissionSet, PrincipalType: store.PrincipalGroup, PrincipalID: g.ID,
	})
	return err
}

func (s *Server) foundingEvent(u store.User, from session.Origin) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "Unknown", AccountID: string(s.instance.Owner)}, EventSource: "sallyport", EventName: "CreateFirstAdministrator",
		EventType: "AwsServiceEvent", AWSRegion: s.instance.Region, SourceIPAddress: from.IP, UserAgent: from.UserAgent, RequestID: arn.NewUUID(),
		RecipientAccountID: string(s.instance.Owner), ServiceEventDetails: map[string]any{"user_id": u.ID, "user_name": u.UserName},
	}
}
