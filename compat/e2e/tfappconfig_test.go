package e2e

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfAppConfig is aws_ssoadmin_application_assignment_configuration. Its configuration is whether an assignment is required.
type tfAppConfig struct {
	tfNode[bool]
	of *tfApplication
}

func (r *tfAppConfig) put(ctx context.Context, p *tfProvider, required bool) error {
	_, err := p.admin.PutApplicationAssignmentConfiguration(ctx, &ssoadmin.PutApplicationAssignmentConfigurationInput{
		ApplicationArn: &r.of.arn, AssignmentRequired: &required,
	})
	return err
}

func (r *tfAppConfig) create(ctx context.Context, p *tfProvider) error {
	if err := r.put(ctx, p, r.want); err != nil {
		return err
	}
	return r.set(r.want)
}

func (r *tfAppConfig) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.GetApplicationAssignmentConfiguration(ctx, &ssoadmin.GetApplicationAssignmentConfigurationInput{ApplicationArn: &r.of.arn})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	return r.set(aws.ToBool(out.AssignmentRequired))
}

func (r *tfAppConfig) update(ctx context.Context, p *tfProvider) error { return r.create(ctx, p) }

// delete goes back to what applications begin with.
func (r *tfAppConfig) delete(ctx context.Context, p *tfProvider) error {
	return unlessGone[*admintypes.ResourceNotFoundException](r.put(ctx, p, true))
}
