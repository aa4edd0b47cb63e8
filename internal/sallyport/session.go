package sallyport

import (
	"context"
	"errors"
	"fmt"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// ListSessions lists the sessions of a user, or of all.
func (s *Service) ListSessions(_ context.Context, c *endpoint.Call, in *api.ListSessionsRequest) (*api.ListSessionsResponse, error) {
	ended := in.IncludeEnded != nil && *in.IncludeEnded
	user := ""
	if in.UserId != nil {
		user = *in.UserId
		if _, err := s.user(c, user); err != nil {
			return nil, err
		}
	}
	filter := []string{user, fmt.Sprint(ended)}
	q, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err != nil {
		return nil, err
	}
	var rows []store.Session
	var next page.Key
	switch {
	case user != "":
		rows, next, err = c.Tx.SessionsOf(user, ended, q)
	case ended:
		rows, next, err = c.Tx.Sessions(q)
	default:
		rows, next, err = c.Tx.LiveSessions(q)
	}
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	out, err := sessionsOut(c, rows)
	if err != nil {
		return nil, err
	}
	return &api.ListSessionsResponse{Sessions: out, NextToken: c.NextToken(next, filter...)}, nil
}

// ListMySessions lists the caller's sessions.
func (*Service) ListMySessions(_ context.Context, c *endpoint.Call, in *api.ListMySessionsRequest) (*api.ListMySessionsResponse, error) {
	ended := in.IncludeEnded != nil && *in.IncludeEnded
	q, err := c.Page(in.MaxResults, in.NextToken, fmt.Sprint(ended))
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.SessionsOf(c.Caller.UserID, ended, q)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	out, err := sessionsOut(c, rows)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Current = new(out[i].SessionId == c.Caller.SessionID)
	}
	return &api.ListMySessionsResponse{Sessions: out, NextToken: c.NextToken(next, fmt.Sprint(ended))}, nil
}

func sessionsOut(c *endpoint.Call, rows []store.Session) ([]api.Session, error) {
	names := map[string]string{} // of users; one who was deleted has none any more
	out := make([]api.Session, len(rows))
	for i, r := range rows {
		if _, known := names[r.UserID]; !known {
			u, err := c.Tx.User(r.UserID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, fmt.Errorf("load user of session: %w", err)
			}
			names[r.UserID] = u.UserName
		}
		out[i] = sessionOut(r, names[r.UserID])
		if !r.EndedAt.IsZero() && !r.KeepsRoles { // whoever ended it has stopped them
			continue
		}
		n, err := c.Tx.RolesInUse(r.ID)
		if err != nil {
			return nil, fmt.Errorf("count roles in use: %w", err)
		}
		out[i].RolesInUse = count(n)
	}
	return out, nil
}

func sessionOut(r store.Session, userName string) api.Session {
	kind := api.SessionKindPortal
	if r.ParentID != "" {
		kind = api.SessionKindClient
	}
	return api.Session{
		SessionId: r.ID, ParentSessionId: optional(r.ParentID), Kind: kind, UserId: r.UserID, UserName: userName, ClientName: optional(r.ClientName),
		IpAddress: r.IP, UserAgent: r.UserAgent, CreatedAt: r.CreatedAt, LastUsedAt: r.SeenAt, ExpiresAt: r.ExpiresAt, EndedAt: when(r.EndedAt), MfaAt: when(r.MFAAt),
	}
}

// EndSession ends a session, with what hangs on it. Ending one that is over changes nothing.
func (s *Service) EndSession(_ context.Context, c *endpoint.Call, in *api.EndSessionRequest) (*api.EndSessionResponse, error) {
	if _, err := c.Tx.Session(in.SessionId); err != nil {
		return nil, missing(err, typeSession, in.SessionId, "load session")
	}
	return &api.EndSessionResponse{}, s.Sessions.End(c.Tx, in.SessionId, c.Caller.ARN)
}

// EndMySession ends one of the caller's sessions.
func (s *Service) EndMySession(_ context.Context, c *endpoint.Call, in *api.EndMySessionRequest) (*api.EndMySessionResponse, error) {
	p, err := c.Tx.Session(in.SessionId)
	if err != nil {
		return nil, missing(err, typeSession, in.SessionId, "load session")
	}
	if p.UserID != c.Caller.UserID {
		return nil, fault.Missing(typeSession, in.SessionId)
	}
	return &api.EndMySessionResponse{}, s.Sessions.End(c.Tx, p.ID, c.Caller.UserID)
}

// EndUserSessions ends all sessions of a user.
func (s *Service) EndUserSessions(_ context.Context, c *endpoint.Call, in *api.EndUserSessionsRequest) (*api.EndUserSessionsResponse, error) {
	if _, err := s.user(c, in.UserId); err != nil {
		return nil, err
	}
	n, err := s.Sessions.EndAllOf(c.Tx, in.UserId, c.Caller.ARN)
	return &api.EndUserSessionsResponse{Ended: count(n)}, err
}

// EndMyOtherSessions ends the caller's sessions but for the portal session of the call and what was approved in it.
func (s *Service) EndMyOtherSessions(_ context.Context, c *endpoint.Call, _ *api.EndMyOtherSessionsRequest) (*api.EndMyOtherSessionsResponse, error) {
	n, err := s.Sessions.EndOthersOf(c.Tx, c.Caller.UserID, root(c), c.Caller.UserID)
	return &api.EndMyOtherSessionsResponse{Ended: count(n)}, err
}

// EndAllSessions ends every session there is, the caller's own too.
func (s *Service) EndAllSessions(_ context.Context, c *endpoint.Call, _ *api.EndAllSessionsRequest) (*api.EndAllSessionsResponse, error) {
	n, err := s.Sessions.EndEverything(c.Tx, c.Caller.ARN)
	return &api.EndAllSessionsResponse{Ended: count(n)}, err
}
