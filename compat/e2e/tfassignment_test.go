package e2e

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfAssignment is aws_ssoadmin_account_assignment. Its configuration is the account; nothing changes in place.
type tfAssignment struct {
	tfNode[string]
	of *tfSet
	to tfPrincipal
}

// tfPrincipal is a user or a group.
type tfPrincipal interface {
	tfResource
	principal() (kind admintypes.PrincipalType, id string)
}

// awaited is how patient the provider is with assignments.
var awaited = tfWait{delay: 10 * time.Second, least: 5 * time.Second, timeout: 5 * time.Minute}

// find looks an assignment up among those of its permission set and account.
func (r *tfAssignment) find(ctx context.Context, p *tfProvider, account string) error {
	kind, id := r.to.principal()
	found := 0
	pages := ssoadmin.NewListAccountAssignmentsPaginator(p.admin, &ssoadmin.ListAccountAssignmentsInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, AccountId: &account,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return gone[*admintypes.ResourceNotFoundException](err)
		}
		for _, a := range page.AccountAssignments {
			if a.PrincipalType != kind || aws.ToString(a.PrincipalId) != id {
				continue
			}
			if aws.ToString(a.PermissionSetArn) != r.of.arn || aws.ToString(a.AccountId) != account {
				return fmt.Errorf("assignment of %s in %s is listed for another permission set or account", *a.PermissionSetArn, *a.AccountId)
			}
			found++
		}
	}
	return single(found)
}

// create looks first: CreateAccountAssignment does not say that there is one already.
func (r *tfAssignment) create(ctx context.Context, p *tfProvider) error {
	if err := r.find(ctx, p, r.want); err == nil {
		return errors.New("already exists")
	} else if !errors.Is(err, errGone) {
		return err
	}
	kind, id := r.to.principal()
	out, err := p.admin.CreateAccountAssignment(ctx, &ssoadmin.CreateAccountAssignmentInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, PrincipalType: kind, PrincipalId: &id,
		TargetType: admintypes.TargetTypeAwsAccount, TargetId: &r.want,
	})
	if err != nil {
		return err
	}
	err = awaited.await(ctx, func(ctx context.Context) (admintypes.StatusValues, string, error) {
		out, err := p.admin.DescribeAccountAssignmentCreationStatus(ctx, &ssoadmin.DescribeAccountAssignmentCreationStatusInput{
			InstanceArn: &p.instance, AccountAssignmentCreationRequestId: out.AccountAssignmentCreationStatus.RequestId,
		})
		if err != nil {
			return "", "", gone[*admintypes.ResourceNotFoundException](err)
		}
		return out.AccountAssignmentCreationStatus.Status, aws.ToString(out.AccountAssignmentCreationStatus.FailureReason), nil
	})
	if err != nil {
		return fmt.Errorf("wait for creation: %w", err)
	}
	r.is = aws.String(r.want)
	return r.read(ctx, p)
}

func (r *tfAssignment) read(ctx context.Context, p *tfProvider) error { return r.find(ctx, p, *r.is) }

func (r *tfAssignment) update(ctx context.Context, p *tfProvider) error {
	if err := r.delete(ctx, p); err != nil {
		return err
	}
	return r.create(ctx, p)
}

func (r *tfAssignment) delete(ctx context.Context, p *tfProvider) error {
	kind, id := r.to.principal()
	out, err := p.admin.DeleteAccountAssignment(ctx, &ssoadmin.DeleteAccountAssignmentInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, PrincipalType: kind, PrincipalId: &id,
		TargetType: admintypes.TargetTypeAwsAccount, TargetId: r.is,
	})
	if isA[*admintypes.ResourceNotFoundException](err) {
		return nil
	}
	if err != nil {
		return err
	}
	err = awaited.await(ctx, func(ctx context.Context) (admintypes.StatusValues, string, error) {
		out, err := p.admin.DescribeAccountAssignmentDeletionStatus(ctx, &ssoadmin.DescribeAccountAssignmentDeletionStatusInput{
			InstanceArn: &p.instance, AccountAssignmentDeletionRequestId: out.AccountAssignmentDeletionStatus.RequestId,
		})
		if err != nil {
			return "", "", gone[*admintypes.ResourceNotFoundException](err)
		}
		return out.AccountAssignmentDeletionStatus.Status, aws.ToString(out.AccountAssignmentDeletionStatus.FailureReason), nil
	})
	if err != nil {
		return fmt.Errorf("wait for deletion: %w", err)
	}
	return nil
}
