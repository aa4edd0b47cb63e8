package e2e

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfAppAssignment is aws_ssoadmin_application_assignment. Nothing about it changes.
type tfAppAssignment struct {
	tfNode[tfAppAssignmentConfig]
	of *tfApplication
	to tfPrincipal
}

// tfAppAssignmentConfig has ids, which are known once what they are of is there.
type tfAppAssignmentConfig struct {
	Application, ID string
	Kind            admintypes.PrincipalType
}

func (r *tfAppAssignment) create(ctx context.Context, p *tfProvider) error {
	kind, id := r.to.principal()
	_, err := p.admin.CreateApplicationAssignment(ctx, &ssoadmin.CreateApplicationAssignmentInput{
		ApplicationArn: &r.of.arn, PrincipalId: &id, PrincipalType: kind,
	})
	if err != nil {
		return err
	}
	r.want = tfAppAssignmentConfig{r.of.arn, id, kind}
	return r.set(r.want)
}

func (r *tfAppAssignment) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.DescribeApplicationAssignment(ctx, &ssoadmin.DescribeApplicationAssignmentInput{
		ApplicationArn: &r.is.Application, PrincipalId: &r.is.ID, PrincipalType: r.is.Kind,
	})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	return r.set(tfAppAssignmentConfig{aws.ToString(out.ApplicationArn), aws.ToString(out.PrincipalId), out.PrincipalType})
}

func (r *tfAppAssignment) update(context.Context, *tfProvider) error {
	return fmt.Errorf("assignment has changed from %+v to %+v", r.want, *r.is)
}

func (r *tfAppAssignment) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeleteApplicationAssignment(ctx, &ssoadmin.DeleteApplicationAssignmentInput{
		ApplicationArn: &r.is.Application, PrincipalId: &r.is.ID, PrincipalType: r.is.Kind,
	})
	return unlessGone[*admintypes.ResourceNotFoundException](err)
}
