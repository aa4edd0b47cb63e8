package sallyport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/emergency"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// ownEmergencies refuses a delegated administrator: who says how an emergency is met gives access to every account.
func (s *Service) ownEmergencies(c *endpoint.Call) error {
	if c.Caller.Account == s.Owner {
		return nil
	}
	return fault.Deniedf("Emergency accesses are managed from the management account %s alone.", s.Owner)
}

// PrepareEmergencyAccess seals an access for emergencies.
func (s *Service) PrepareEmergencyAccess(_ context.Context, c *endpoint.Call, in *api.PrepareEmergencyAccessRequest) (*api.PrepareEmergencyAccessResponse, error) {
	if err := s.ownEmergencies(c); err != nil {
		return nil, err
	}
	_, set, err := s.named(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	p := plan(in.AccountIds, in.OpenerIds, in.ApproverIds, in.AlarmAddresses, in.Description, in.DurationMinutes)
	if p.Name, p.Set = in.Name, set; in.OfflineCodes != nil {
		p.Codes = int(*in.OfflineCodes)
	}
	e, codes, err := s.Emergency.Prepare(c.Tx, p, c.Caller.ARN, c.Limits)
	if err != nil {
		return nil, err
	}
	return &api.PrepareEmergencyAccessResponse{EmergencyAccess: emergencyOut(e), Codes: codes}, nil
}

func plan(accounts, openers, approvers, alarm []string, description *string, minutes *int32) emergency.Plan {
	p := emergency.Plan{
		Accounts: mapped(accounts, func(id string) arn.AccountID { return arn.AccountID(id) }), Openers: openers, Approvers: approvers, Alarm: alarm,
		Description: value(description),
	}
	if minutes != nil {
		p.Duration = time.Duration(*minutes) * time.Minute
	}
	return p
}

// UpdateEmergencyAccess changes an access, and binds its people to the passkeys that they have now.
func (s *Service) UpdateEmergencyAccess(_ context.Context, c *endpoint.Call, in *api.UpdateEmergencyAccessRequest) (*api.UpdateEmergencyAccessResponse, error) {
	if err := s.ownEmergencies(c); err != nil {
		return nil, err
	}
	p := plan(in.AccountIds, in.OpenerIds, in.ApproverIds, in.AlarmAddresses, in.Description, in.DurationMinutes)
	e, err := s.Emergency.Change(c.Tx, in.AccessId, p, c.Limits)
	if err != nil {
		return nil, err
	}
	return &api.UpdateEmergencyAccessResponse{EmergencyAccess: emergencyOut(e)}, nil
}

// DeleteEmergencyAccess removes an access.
func (s *Service) DeleteEmergencyAccess(_ context.Context, c *endpoint.Call, in *api.DeleteEmergencyAccessRequest) (*api.DeleteEmergencyAccessResponse, error) {
	if err := s.ownEmergencies(c); err != nil {
		return nil, err
	}
	return &api.DeleteEmergencyAccessResponse{}, s.Emergency.Delete(c.Tx, in.AccessId, c.Caller.ARN)
}

// CreateEmergencyCodes makes codes in place of those that there were.
func (s *Service) CreateEmergencyCodes(_ context.Context, c *endpoint.Call, in *api.CreateEmergencyCodesRequest) (*api.CreateEmergencyCodesResponse, error) {
	if err := s.ownEmergencies(c); err != nil {
		return nil, err
	}
	e, err := emergency.Access(c.Tx, in.AccessId)
	if err != nil {
		return nil, err
	}
	codes, err := s.Emergency.NewCodes(c.Tx, e, int(in.Count))
	return &api.CreateEmergencyCodesResponse{Codes: codes}, err
}

// TestEmergencyAccess goes the whole way of an opening in a transaction that is undone. It is Direct because of that.
func (s *Service) TestEmergencyAccess(ctx context.Context, c *endpoint.Call, in *api.TestEmergencyAccessRequest) (*api.TestEmergencyAccessResponse, error) {
	if err := s.ownEmergencies(c); err != nil {
		return nil, err
	}
	failures, err := s.Emergency.Test(ctx, in.AccessId)
	if err != nil {
		return nil, err
	}
	out := &api.TestEmergencyAccessResponse{Failures: append([]string{}, failures...)}
	err = c.DB.Update(ctx, func(tx *store.Tx) error {
		e := *c.Event // anew for every try
		e.ResponseElements = responseElements("TestEmergencyAccess", out)
		return e.Store(tx)
	})
	return out, wrap(err, "record test")
}

// ListEmergencyAccesses lists the accesses, by name.
func (*Service) ListEmergencyAccesses(_ context.Context, c *endpoint.Call, in *api.ListEmergencyAccessesRequest) (*api.ListEmergencyAccessesResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.EmergencyAccesses(q)
	if err != nil {
		return nil, fmt.Errorf("list emergency accesses: %w", err)
	}
	return &api.ListEmergencyAccessesResponse{EmergencyAccesses: mapped(rows, emergencyOut), NextToken: c.NextToken(next)}, nil
}

// DescribeEmergencyAccess tells all of an access.
func (s *Service) DescribeEmergencyAccess(_ context.Context, c *endpoint.Call, in *api.DescribeEmergencyAccessRequest) (*api.DescribeEmergencyAccessResponse, error) {
	e, err := emergency.Access(c.Tx, in.AccessId)
	if err != nil {
		return nil, err
	}
	out := &api.DescribeEmergencyAccessResponse{EmergencyAccess: emergencyOut(e), Accounts: []api.EmergencyAccount{}, People: []api.EmergencyPerson{}}
	left, err := c.Tx.EmergencyCodesLeft(e.ID)
	if err != nil {
		return nil, fmt.Errorf("count codes: %w", err)
	}
	out.CodesLeft = count(int64(left))
	accounts, err := emergency.Accounts(c.Tx, e)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		out.Accounts = append(out.Accounts, api.EmergencyAccount{AccountId: string(a.ID), Problem: optional(a.Problem)})
	}
	people, err := c.Tx.EmergencyPeople(e.ID)
	if err != nil {
		return nil, fmt.Errorf("list people of emergency access: %w", err)
	}
	for _, p := range people { // as few as an access may have
		u, err := c.Tx.User(p.UserID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("load user: %w", err)
		}
		problem, err := s.Emergency.Problem(c.Tx, p)
		if err != nil {
			return nil, err
		}
		out.People = append(out.People, api.EmergencyPerson{
			UserId: p.UserID, UserName: optional(u.UserName), Opens: p.Opens, Approves: p.Approves, Passkeys: count(int64(len(p.Passkeys))), Problem: optional(problem),
		})
	}
	return out, nil
}

func emergencyOut(e store.EmergencyAccess) api.EmergencyAccess {
	return api.EmergencyAccess{
		AccessId: e.ID, Name: e.Name, Description: optional(e.Description), PermissionSetArn: e.Set.ARN(), DurationMinutes: count(int64(e.Duration / time.Minute)),
		OfflineCodes: &e.ByCode, AlarmAddresses: e.Alarm, CreatedAt: e.CreatedAt, TestedAt: when(e.TestedAt), Failures: e.Failures,
	}
}
