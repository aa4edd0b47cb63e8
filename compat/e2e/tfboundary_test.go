package e2e

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfBoundary is aws_ssoadmin_permissions_boundary_attachment. Nothing changes in place.
type tfBoundary struct {
	tfNode[tfBoundaryConfig]
	of *tfSet
}

type tfBoundaryConfig struct {
	Managed  string // ARN; "": Customer
	Customer tfPolicyRef
}

func (r *tfBoundary) create(ctx context.Context, p *tfProvider) error {
	b := &admintypes.PermissionsBoundary{ManagedPolicyArn: optional(r.want.Managed)}
	if r.want.Managed == "" {
		b.CustomerManagedPolicyReference = r.want.Customer.in()
	}
	_, err := p.admin.PutPermissionsBoundaryToPermissionSet(ctx, &ssoadmin.PutPermissionsBoundaryToPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, PermissionsBoundary: b,
	})
	if err != nil {
		return err
	}
	if err := p.provision(ctx, r.of.arn); err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfBoundary) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.GetPermissionsBoundaryForPermissionSet(ctx, &ssoadmin.GetPermissionsBoundaryForPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn,
	})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	b := out.PermissionsBoundary
	switch {
	case b == nil:
		return errGone
	case b.ManagedPolicyArn != nil:
		return r.set(tfBoundaryConfig{Managed: *b.ManagedPolicyArn})
	case b.CustomerManagedPolicyReference != nil:
		c := b.CustomerManagedPolicyReference
		return r.set(tfBoundaryConfig{Customer: tfPolicyRef{aws.ToString(c.Name), aws.ToString(c.Path)}})
	}
	return r.set(tfBoundaryConfig{})
}

func (r *tfBoundary) update(ctx context.Context, p *tfProvider) error {
	if err := r.delete(ctx, p); err != nil {
		return err
	}
	return r.create(ctx, p)
}

func (r *tfBoundary) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeletePermissionsBoundaryFromPermissionSet(ctx, &ssoadmin.DeletePermissionsBoundaryFromPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn,
	})
	if isA[*admintypes.ResourceNotFoundException](err) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.provision(ctx, r.of.arn)
}
