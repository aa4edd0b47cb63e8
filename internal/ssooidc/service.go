// Package ssooidc implements the SSO OIDC API: AWS's JSON dialect of client registration (RFC 7591), device authorization
// (RFC 8628) and the token endpoint. It translates between that wire and package session, which has the rules.
//
// The three operations are open to anyone. All are Direct: two touch no database at all, and CreateToken must keep what it
// has used up even when it refuses.
package ssooidc

import (
	"context"
	"fmt"
	"time"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/session"
)

// Service implements the API.
type Service struct {
	api.Unimplemented[*endpoint.Call]
	Sessions *session.Service
	Owner    arn.AccountID // of the instance: events name it
	StoreID  arn.StoreID
}

// RegisterClient makes a client id and its secret.
func (s *Service) RegisterClient(_ context.Context, c *endpoint.Call, in *api.RegisterClientRequest) (*api.RegisterClientResponse, error) {
	if in.EntitledApplicationArn != nil {
		return nil, fault.Invalidf("Applications cannot be entitled yet: leave entitledApplicationArn out.").WithReason("invalid_request")
	}
	r, err := s.Sessions.Register(session.Registration{
		Name: in.ClientName, Type: in.ClientType, Scopes: in.Scopes, RedirectURIs: in.RedirectUris,
		GrantTypes: in.GrantTypes, IssuerURL: value(in.IssuerUrl),
	}, origin(c))
	if err != nil {
		return nil, err
	}
	return &api.RegisterClientResponse{
		ClientId: &r.ID, ClientSecret: ptr(string(r.Secret)),
		ClientIdIssuedAt: ptr(r.IssuedAt.Unix()), ClientSecretExpiresAt: ptr(r.ExpiresAt.Unix()),
		AuthorizationEndpoint: ptr(s.Sessions.URLs.Portal + "/authorize"), TokenEndpoint: ptr(s.Sessions.URLs.Portal + "/token"),
	}, nil
}

// StartDeviceAuthorization makes a device code and the user code that stands for it.
func (s *Service) StartDeviceAuthorization(_ context.Context, c *endpoint.Call, in *api.StartDeviceAuthorizationRequest) (*api.StartDeviceAuthorizationResponse, error) {
	d, err := s.Sessions.StartDevice(in.ClientId, in.ClientSecret, in.StartUrl, origin(c))
	if err != nil {
		return nil, err
	}
	return &api.StartDeviceAuthorizationResponse{
		DeviceCode: ptr(string(d.DeviceCode)), UserCode: &d.UserCode,
		VerificationUri: &d.VerificationURI, VerificationUriComplete: &d.VerificationURIComplete,
		ExpiresIn: seconds(d.ExpiresIn), Interval: seconds(d.Interval),
	}, nil
}

func origin(c *endpoint.Call) session.Origin {
	return session.Origin{IP: c.Source.IP, UserAgent: c.Source.UserAgent}
}

func seconds(d time.Duration) *int32 { return ptr(int32(d / time.Second)) }

func ptr[T any](v T) *T { return &v }

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func wrap(err error, doing string) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
