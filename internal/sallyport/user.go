package sallyport

import (
	"context"
	"fmt"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/page"
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

// mayOpen refuses a delegated administrator whatever would open a door to somebody who has access to the management account:
// with a password, a link or one device less they could come in there as that person. To close a door is not refused.
func (s *Service) mayOpen(tx *store.Tx, c *endpoint.Call, userID string) error {
	if c.Caller.Account == s.Owner {
		return nil
	}
	there, _, err := tx.AssignmentsOf(s.Instance, store.PrincipalUser, userID, s.Owner, page.Query{Limit: 1})
	if err != nil {
		return fmt.Errorf("look for access to management account: %w", err)
	}
	if len(there) > 0 {
		return fault.Deniedf("A delegated administrator cannot manage how this user signs in: they have access to the management account %s.", s.Owner)
	}
	return nil
}

// EnableUser lets a disabled user sign in again.
func (s *Service) EnableUser(_ context.Context, c *endpoint.Call, in *api.EnableUserRequest) (*api.EnableUserResponse, error) {
	if err := s.mayOpen(c.Tx, c, in.UserId); err != nil {
		return nil, err
	}
	return &api.EnableUserResponse{}, s.Login.Enable(c.Tx, in.UserId, c.Caller.ARN)
}

// DisableUser keeps a user out and ends all that they hold.
func (s *Service) DisableUser(_ context.Context, c *endpoint.Call, in *api.DisableUserRequest) (*api.DisableUserResponse, error) {
	return &api.DisableUserResponse{}, s.Login.Disable(c.Tx, in.UserId, c.Caller.ARN)
}

// UnlockUser takes the locks off that wrong passwords and codes have put on a user.
func (s *Service) UnlockUser(_ context.Context, c *endpoint.Call, in *api.UnlockUserRequest) (*api.UnlockUserResponse, error) {
	if err := s.mayOpen(c.Tx, c, in.UserId); err != nil {
		return nil, err
	}
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
		if err := s.mayOpen(tx, c, in.UserId); err != nil {
			return err
		}
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
	if err := s.mayOpen(c.Tx, c, in.UserId); err != nil {
		return nil, err
	}
	d, err := s.Login.Invite(c.Tx, in.UserId, in.Delivery == api.DeliveryEmail)
	if err != nil {
		return nil, err
	}
	link, sentTo := deliveryOut(d)
	return &api.InviteUserResponse{ExpiresAt: d.ExpiresAt, Link: link, SentTo: sentTo}, nil
}

// ResetUserPassword makes a link by which a user chooses another password.
func (s *Service) ResetUserPassword(_ context.Context, c *endpoint.Call, in *api.ResetUserPasswordRequest) (*api.ResetUserPasswordResponse, error) {
	if err := s.mayOpen(c.Tx, c, in.UserId); err != nil {
		return nil, err
	}
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
