package sallyport

import (
	"context"
	"fmt"
	"time"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// changeOfStepUps is what changes when the demands of permission sets do.
const changeOfStepUps = "setting:step-up"

// ListPermissionSetStepUps lists the permission sets that demand a recent second factor.
func (s *Service) ListPermissionSetStepUps(_ context.Context, c *endpoint.Call, in *api.ListPermissionSetStepUpsRequest) (*api.ListPermissionSetStepUpsResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.StepUps(i.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list step-ups: %w", err)
	}
	return &api.ListPermissionSetStepUpsResponse{PermissionSetStepUps: mapped(rows, stepUpOut), NextToken: c.NextToken(next, in.InstanceArn)}, nil
}

func stepUpOut(u store.StepUp) api.PermissionSetStepUp {
	return api.PermissionSetStepUp{PermissionSetArn: u.Set.ARN(), MaxMfaAgeMinutes: count(int64(u.MaxAge / time.Minute))}
}

// PutPermissionSetStepUp says how old a second factor may be when a permission set's credentials are asked for.
func (s *Service) PutPermissionSetStepUp(_ context.Context, c *endpoint.Call, in *api.PutPermissionSetStepUpRequest) (*api.PutPermissionSetStepUpResponse, error) {
	i, set, err := s.touch(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if _, err := access.PermissionSet(c.Tx, i, set); fault.KindOf(err) == fault.NotFound {
		return nil, fault.Missing(typeSet, set.ARN())
	} else if err != nil {
		return nil, err
	}
	if err := c.Tx.PutStepUp(store.StepUp{Set: set, MaxAge: time.Duration(in.MaxMfaAgeMinutes) * time.Minute}); err != nil {
		return nil, fmt.Errorf("store step-up: %w", err)
	}
	return &api.PutPermissionSetStepUpResponse{}, c.Tx.Changed(changeOfStepUps)
}

// DeletePermissionSetStepUp takes away what a permission set demands of the second factor, even of one that is gone.
func (s *Service) DeletePermissionSetStepUp(_ context.Context, c *endpoint.Call, in *api.DeletePermissionSetStepUpRequest) (*api.DeletePermissionSetStepUpResponse, error) {
	_, set, err := s.touch(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	if err := c.Tx.DeleteStepUp(set); err != nil {
		return nil, missing(err, typeSet, set.ARN(), "delete step-up")
	}
	return &api.DeletePermissionSetStepUpResponse{}, c.Tx.Changed(changeOfStepUps)
}

// instance is the instance that a request names, which must be the one that is served here.
func (s *Service) instance(c *endpoint.Call, instanceARN string) (store.Instance, error) {
	return s.instanceIn(c.Tx, instanceARN)
}

func (s *Service) instanceIn(tx *store.Tx, instanceARN string) (store.Instance, error) {
	id, err := arn.ParseInstance(instanceARN)
	if err != nil {
		return store.Instance{}, err
	}
	if id != s.Instance {
		return store.Instance{}, fault.Missing("Instance", instanceARN)
	}
	return access.Instance(tx, id)
}

// touch is the instance and the permission set that a request wants to change, if the caller may: a delegated administrator may
// not where the permission set stands in the management account.
func (s *Service) touch(c *endpoint.Call, instanceARN, setARN string) (store.Instance, arn.PermissionSet, error) {
	i, set, err := s.named(c, instanceARN, setARN)
	if err != nil {
		return i, set, err
	}
	return i, set, access.MayTouch(c.Tx, i, c.Caller.Account, set, "")
}

// named is the instance and the permission set that a request names.
func (s *Service) named(c *endpoint.Call, instanceARN, setARN string) (store.Instance, arn.PermissionSet, error) {
	i, err := s.instance(c, instanceARN)
	if err != nil {
		return i, arn.PermissionSet{}, err
	}
	set, err := arn.ParsePermissionSet(setARN)
	if err != nil {
		return i, set, err
	}
	if set.Instance != i.ID {
		return i, set, fault.Missing(typeSet, setARN)
	}
	return i, set, nil
}
