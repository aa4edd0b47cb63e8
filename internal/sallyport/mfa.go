package sallyport

import (
	"context"
	"errors"
	"fmt"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/login"
	"sallyport/internal/store"
)

// ListMfaDevices lists a user's devices, oldest first.
func (s *Service) ListMfaDevices(_ context.Context, c *endpoint.Call, in *api.ListMfaDevicesRequest) (*api.ListMfaDevicesResponse, error) {
	if _, err := s.user(c, in.UserId); err != nil {
		return nil, err
	}
	rows, next, err := devices(c, in.UserId, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListMfaDevicesResponse{MfaDevices: rows, NextToken: next}, nil
}

// ListMyMfaDevices lists the caller's devices, oldest first.
func (*Service) ListMyMfaDevices(_ context.Context, c *endpoint.Call, in *api.ListMyMfaDevicesRequest) (*api.ListMyMfaDevicesResponse, error) {
	rows, next, err := devices(c, c.Caller.UserID, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &api.ListMyMfaDevicesResponse{MfaDevices: rows, NextToken: next}, nil
}

func devices(c *endpoint.Call, userID string, most *int32, token *string) ([]api.MfaDevice, *string, error) {
	q, err := c.Page(most, token, userID)
	if err != nil {
		return nil, nil, err
	}
	all, err := login.Factors(c.Tx, userID)
	if err != nil {
		return nil, nil, err
	}
	rows, next := paged(all, q, func(f store.Factor) string { return f.ID })
	return mapped(rows, deviceOut), c.NextToken(next, userID), nil
}

func deviceOut(f store.Factor) api.MfaDevice {
	d := api.MfaDevice{DeviceId: f.ID, Name: f.Name, Type: api.MfaDeviceType(f.Kind), CreatedAt: f.CreatedAt, LastUsedAt: when(f.UsedAt)}
	if f.Kind == store.Passkey {
		d.Synced = &f.Synced
	}
	return d
}

// RenameMfaDevice gives a user's device another name.
func (s *Service) RenameMfaDevice(_ context.Context, c *endpoint.Call, in *api.RenameMfaDeviceRequest) (*api.RenameMfaDeviceResponse, error) {
	if _, err := s.user(c, in.UserId); err != nil {
		return nil, err
	}
	_, err := login.RenameFactor(c.Tx, in.UserId, in.DeviceId, in.Name)
	return &api.RenameMfaDeviceResponse{}, err
}

// RenameMyMfaDevice gives one of the caller's devices another name.
func (*Service) RenameMyMfaDevice(_ context.Context, c *endpoint.Call, in *api.RenameMyMfaDeviceRequest) (*api.RenameMyMfaDeviceResponse, error) {
	_, err := login.RenameFactor(c.Tx, c.Caller.UserID, in.DeviceId, in.Name)
	return &api.RenameMyMfaDeviceResponse{}, err
}

// DeleteMfaDevice takes a device from a user, and ends their sessions.
func (s *Service) DeleteMfaDevice(_ context.Context, c *endpoint.Call, in *api.DeleteMfaDeviceRequest) (*api.DeleteMfaDeviceResponse, error) {
	if _, err := s.user(c, in.UserId); err != nil {
		return nil, err
	}
	if err := s.mayOpen(c.Tx, c, in.UserId); err != nil {
		return nil, err
	}
	_, err := s.Login.RemoveFactor(c.Tx, in.UserId, in.DeviceId, "", c.Caller.ARN)
	return &api.DeleteMfaDeviceResponse{}, err
}

// DeleteMyMfaDevice takes a device from the caller, who has proved a factor a short while ago. All of their sessions end but the
// one in which they do it.
func (s *Service) DeleteMyMfaDevice(_ context.Context, c *endpoint.Call, in *api.DeleteMyMfaDeviceRequest) (*api.DeleteMyMfaDeviceResponse, error) {
	if err := s.fresh(c); err != nil {
		return nil, err
	}
	_, err := s.Login.RemoveFactor(c.Tx, c.Caller.UserID, in.DeviceId, root(c), c.Caller.UserID)
	return &api.DeleteMyMfaDeviceResponse{}, err
}

// fresh refuses a person who has not proved a factor a short while ago in the portal session of the call.
func (s *Service) fresh(c *endpoint.Call) error {
	p, err := c.Tx.Session(root(c))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("load portal session: %w", err)
	}
	fresh := false
	if err == nil && p.UserID == c.Caller.UserID && p.Live(c.Tx.Now()) {
		if fresh, err = s.Login.Fresh(c.Tx, p); err != nil {
			return err
		}
	}
	if fresh {
		return nil
	}
	return fault.Deniedf("To remove a device, confirm first that it is you: open %s/account, confirm there, and try again within a few minutes.", s.Sessions.URLs.Portal).
		WithReason(string(api.AccessDeniedExceptionReasonFreshFactorRequired))
}
