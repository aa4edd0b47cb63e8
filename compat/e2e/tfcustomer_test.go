package e2e

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfCustomer is aws_ssoadmin_customer_managed_policy_attachment. Nothing changes in place.
type tfCustomer struct {
	tfNode[tfPolicyRef]
	of *tfSet
}

// tfPolicyRef refers to a policy that each account has its own of.
type tfPolicyRef struct{ Name, Path string }

func (c tfPolicyRef) in() *admintypes.CustomerManagedPolicyReference {
	return &admintypes.CustomerManagedPolicyReference{Name: &c.Name, Path: &c.Path}
}

func (r *tfCustomer) create(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.AttachCustomerManagedPolicyReferenceToPermissionSet(ctx, &ssoadmin.AttachCustomerManagedPolicyReferenceToPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, CustomerManagedPolicyReference: r.want.in(),
	})
	if err != nil {
		return err
	}
	want := r.want
	r.is = &want
	if err := p.provision(ctx, r.of.arn); err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfCustomer) read(ctx context.Context, p *tfProvider) error {
	found := 0
	pages := ssoadmin.NewListCustomerManagedPolicyReferencesInPermissionSetPaginator(p.admin, &ssoadmin.ListCustomerManagedPolicyReferencesInPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return gone[*admintypes.ResourceNotFoundException](err)
		}
		for _, c := range page.CustomerManagedPolicyReferences {
			if (tfPolicyRef{aws.ToString(c.Name), aws.ToString(c.Path)}) == *r.is {
				found++
			}
		}
	}
	return single(found)
}

func (r *tfCustomer) update(ctx context.Context, p *tfProvider) error {
	if err := r.delete(ctx, p); err != nil {
		return err
	}
	return r.create(ctx, p)
}

func (r *tfCustomer) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DetachCustomerManagedPolicyReferenceFromPermissionSet(ctx, &ssoadmin.DetachCustomerManagedPolicyReferenceFromPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, CustomerManagedPolicyReference: r.is.in(),
	})
	if isA[*admintypes.ResourceNotFoundException](err) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.provision(ctx, r.of.arn)
}
