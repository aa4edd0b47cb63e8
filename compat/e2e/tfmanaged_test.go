package e2e

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfManaged is aws_ssoadmin_managed_policy_attachment. Its configuration is the policy's ARN; nothing changes in place.
type tfManaged struct {
	tfNode[string]
	of *tfSet
}

// find looks a policy up among those attached.
func (r *tfManaged) find(ctx context.Context, p *tfProvider, policy string) error {
	found := 0
	pages := ssoadmin.NewListManagedPoliciesInPermissionSetPaginator(p.admin, &ssoadmin.ListManagedPoliciesInPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return gone[*admintypes.ResourceNotFoundException](err)
		}
		for _, a := range page.AttachedManagedPolicies {
			if aws.ToString(a.Arn) == policy {
				found++
			}
		}
	}
	return single(found)
}

// single is what the provider makes of a list in which it looked for one: none is not found, more are too many.
func single(found int) error {
	switch found {
	case 0:
		return errGone
	case 1:
		return nil
	}
	return fmt.Errorf("too many results: wanted 1, got %d", found)
}

func (r *tfManaged) create(ctx context.Context, p *tfProvider) error {
	if err := r.find(ctx, p, r.want); err == nil {
		return errors.New("already attached")
	} else if !errors.Is(err, errGone) {
		return err
	}
	_, err := p.admin.AttachManagedPolicyToPermissionSet(ctx, &ssoadmin.AttachManagedPolicyToPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, ManagedPolicyArn: &r.want,
	})
	if err != nil {
		return err
	}
	r.is = aws.String(r.want)
	if err := p.provision(ctx, r.of.arn); err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfManaged) read(ctx context.Context, p *tfProvider) error { return r.find(ctx, p, *r.is) }

func (r *tfManaged) update(ctx context.Context, p *tfProvider) error {
	if err := r.delete(ctx, p); err != nil {
		return err
	}
	return r.create(ctx, p)
}

func (r *tfManaged) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DetachManagedPolicyFromPermissionSet(ctx, &ssoadmin.DetachManagedPolicyFromPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, ManagedPolicyArn: r.is,
	})
	if isA[*admintypes.ResourceNotFoundException](err) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.provision(ctx, r.of.arn)
}
