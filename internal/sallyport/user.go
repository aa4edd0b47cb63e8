package sallyport

import (
	"context"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/login"
	"sallyport/internal/store"
)

// DescribeUserSignIn tells what is known of how a user signs in.
func (s *Service) DescribeUserSignIn(_ context.Context, c *endpoint.Call, in *api.DescribeUserSignInRequest) (*api.DescribeUserSignInResponse, error) {
	st, err := s.Login.StateOf(c.Tx, in.UserId)
	if err != nil {
		return nil, err
	}
	out := &api.DescribeUserSignInResponse{
		UserId: st.User.ID, UserName: st.User.UserName, UserStatus: api.UserStatus(st.User.Status), PasswordStatus: api.PasswordStatusNone,
		MfaDeviceCount: count(int64(st.Devices)), FailedAttempts: count(st.Failures), LastSignInAt: when(st.SignedInAt),
		PendingInvitationExpiresAt: when(st.InvitedUntil),
	}
	if st.Password.PHC != "" {
		out.PasswordStatus, out.PasswordChangedAt = api.PasswordStatusSet, when(st.Password.ChangedAt)
	}
	if st.Password.OneTime {
		out.PasswordStatus = api.PasswordStatusOneTime
	}
	if st.LockedUntil.After(c.Tx.Now()) {
		out.LockedUntil = when(st.LockedUntil)
	}
	return out, nil
}

// EnableUser lets a disabled user sign in again.
func (s *Service) EnableUser(_ context.Context, c *endpoint.Call, in *api.EnableUserRequest) (*api.EnableUserResponse, error) {
	return &api.EnableUserResponse{}, s.Login.Enable(c.Tx, in.UserId, c.Caller.ARN)
}

// DisableUser keeps a user out and ends all that they hold.
func (s *Service) DisableUser(_ context.Context, c *endpoint.Call, in *api.DisableUserRequest) (*api.DisableUserResponse, error) {
	return &api.DisableUserResponse{}, s.Login.Disable(c.Tx, in.UserId, c.Caller.ARN)
}

// UnlockUser takes the locks off that wrong passwords and codes have put on a user.
func (s *Service) UnlockUser(_ context.Context, c *endpoint.Call, in *api.UnlockUserRequest) (*api.UnlockUserResponse, error) {
	return &api.UnlockUserResponse{}, s.Login.Unlock(c.Tx, in.UserId)
}

// CreateOneTimePassword gives a user a password that works once. It is Direct: hashing takes longer than a transaction may, and
// would keep all others waiting.
func (s *Service) CreateOneTimePassword(ctx context.Context, c *endpoint.Call, in *api.CreateOneTimePasswordRequest) (out *api.CreateOneTimePasswordResponse, err error) {
	made, err := s.Login.NewOneTime(ctx)
	if err != nil {
		return nil, err
	}
	err = c.DB.Update(ctx, func(tx *store.Tx) error {
		expires, err := s.Login.GiveOneTime(tx, in.UserId, made)
		if err != nil {
			return err
		}
		out = &api.CreateOneTimePasswordResponse{OneTimePassword: made.Password, ExpiresAt: expires}
		e := *c.Event // anew for every try
		e.ResponseElements = responseElements("CreateOneTimePassword", out)
		return e.Store(tx)
	})
	if err != nil {
		return nil, wrap(err, "give one-time password")
	}
	return out, nil
}

// InviteUser makes a link by which a new user chooses a password and registers a device.
func (s *Service) InviteUser(_ context.Context, c *endpoint.Call, in *api.InviteUserRequest) (*api.InviteUserResponse, error) {
	d, err := s.Login.Invite(c.Tx, in.UserId, in.Delivery == api.DeliveryEmail)
	if err != nil {
		return nil, err
	}
	link, sentTo := deliveryOut(d)
	return &api.InviteUserResponse{ExpiresAt: d.ExpiresAt, Link: link, SentTo: sentTo}, nil
}

// ResetUserPassword makes a link by which a user chooses another password.
func (s *Service) ResetUserPassword(_ context.Context, c *endpoint.Call, in *api.ResetUserPasswordRequest) (*api.ResetUserPasswordResponse, error) {
	d, err := s.Login.SendReset(c.Tx, in.UserId, in.Delivery == api.DeliveryEmail)
	if err != nil {
		return nil, err
	}
	link, sentTo := deliveryOut(d)
	return &api.ResetUserPasswordResponse{ExpiresAt: d.ExpiresAt, Link: link, SentTo: sentTo}, nil
}

func deliveryOut(d login.Delivery) (link, sentTo *string) {
	return optional(string(d.Link)), optional(d.SentTo)
}
