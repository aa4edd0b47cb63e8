package ssooidc

import (
	"context"

	"sallyport/internal/audit"
	api "sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// CreateToken exchanges a device code, an authorization code or a refresh token for an access token. A poll that finds
// nothing decided reads one row and writes none.
func (s *Service) CreateToken(ctx context.Context, c *endpoint.Call, in *api.CreateTokenRequest) (*api.CreateTokenResponse, error) {
	grant, err := s.Sessions.OpenGrant(session.TokenRequest{
		ClientID: in.ClientId, ClientSecret: in.ClientSecret, GrantType: in.GrantType,
		DeviceCode: value(in.DeviceCode), Code: value(in.Code), RedirectURI: value(in.RedirectUri),
		CodeVerifier: value(in.CodeVerifier), RefreshToken: value(in.RefreshToken),
	}, origin(c))
	if err != nil {
		return nil, err
	}
	err = c.DB.View(ctx, func(tx *store.Tx) error { return s.Sessions.Decided(tx, grant) })
	if err != nil {
		return nil, err
	}
	var out session.Outcome
	err = c.DB.Update(ctx, func(tx *store.Tx) (err error) {
		if out, err = s.Sessions.Redeem(tx, grant); err != nil || out.Session.ID == "" {
			return err
		}
		return s.record(tx, *c.Event, out)
	})
	if err != nil {
		return nil, wrap(err, "redeem grant")
	}
	if out.Refused != nil {
		return nil, out.Refused
	}
	t := &api.CreateTokenResponse{
		AccessToken: ptr(string(out.Token.Access)), TokenType: ptr("Bearer"), ExpiresIn: seconds(out.Token.ExpiresIn),
	}
	if out.Token.Refresh != "" {
		t.RefreshToken = ptr(string(out.Token.Refresh))
	}
	return t, nil
}

// record stores the event of a token given out, or of a session that ended because something of it was used twice
// (behaviour reference §10.5). Polls and refusals to strangers are no events: they could fill the disk (hard part 4).
func (s *Service) record(tx *store.Tx, e audit.Event, out session.Outcome) error {
	e.UserIdentity = endpoint.Identity(credential.Caller{
		Kind: credential.Bearer, UserID: out.Session.UserID, SessionID: out.Session.ID, ParentID: out.Session.ParentID,
	}, s.Owner, s.StoreID)
	e.Resources = []audit.Resource{{ARN: string(s.StoreID), AccountID: string(s.Owner), Type: "IdentityStoreId"}}
	if out.Refused != nil {
		e.ErrorCode, e.ErrorMessage = api.Info.Code(out.Refused)
		if out.Reused != "" {
			e.AdditionalEventData = map[string]any{"usedTwice": out.Reused} // alert rules look for it
		}
		return e.Store(tx)
	}
	shown := map[string]any{"accessToken": audit.Hidden, "tokenType": "Bearer", "expiresIn": int64(out.Token.ExpiresIn.Seconds())}
	if out.Token.Refresh != "" {
		shown["refreshToken"] = audit.Hidden
	}
	e.ResponseElements = shown
	return e.Store(tx)
}
