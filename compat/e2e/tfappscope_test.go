package e2e

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfAppScope is aws_ssoadmin_application_access_scope. Nothing changes in place.
type tfAppScope struct {
	tfNode[tfScopeConfig]
	of *tfApplication
}

type tfScopeConfig struct {
	Scope   string
	Targets []string
}

func (r *tfAppScope) create(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.PutApplicationAccessScope(ctx, &ssoadmin.PutApplicationAccessScopeInput{
		ApplicationArn: &r.of.arn, Scope: &r.want.Scope, AuthorizedTargets: r.want.Targets,
	})
	if err != nil {
		return err
	}
	return r.set(r.want)
}

func (r *tfAppScope) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.GetApplicationAccessScope(ctx, &ssoadmin.GetApplicationAccessScopeInput{ApplicationArn: &r.of.arn, Scope: &r.is.Scope})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	return r.set(tfScopeConfig{aws.ToString(out.Scope), out.AuthorizedTargets})
}

func (r *tfAppScope) update(ctx context.Context, p *tfProvider) error {
	if err := r.delete(ctx, p); err != nil {
		return err
	}
	return r.create(ctx, p)
}

func (r *tfAppScope) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeleteApplicationAccessScope(ctx, &ssoadmin.DeleteApplicationAccessScopeInput{ApplicationArn: &r.of.arn, Scope: &r.is.Scope})
	return unlessGone[*admintypes.ResourceNotFoundException](err)
}
