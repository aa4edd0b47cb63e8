package e2e

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfSet is aws_ssoadmin_permission_set.
type tfSet struct {
	tfNode[tfSetConfig]
	arn string
}

type tfSetConfig struct {
	Name, Description, RelayState, SessionDuration string
	Tags                                           map[string]string
}

func (r *tfSet) create(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{
		InstanceArn: &p.instance, Name: &r.want.Name, Tags: tagsIn(r.want.Tags), Description: optional(r.want.Description),
		RelayState: optional(r.want.RelayState), SessionDuration: optional(r.want.SessionDuration),
	})
	if err != nil {
		return err
	}
	r.arn = *out.PermissionSet.PermissionSetArn
	return r.read(ctx, p)
}

func (r *tfSet) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.DescribePermissionSet(ctx, &ssoadmin.DescribePermissionSetInput{InstanceArn: &p.instance, PermissionSetArn: &r.arn})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	tags, err := p.tags(ctx, r.arn)
	if err != nil {
		return err
	}
	s := out.PermissionSet
	return r.set(tfSetConfig{
		Name: aws.ToString(s.Name), Description: aws.ToString(s.Description), RelayState: aws.ToString(s.RelayState),
		SessionDuration: aws.ToString(s.SessionDuration), Tags: tags,
	})
}

// update sends all members that are configured, since on AWS an update without a relay state takes it away (#17411).
func (r *tfSet) update(ctx context.Context, p *tfProvider) error {
	is, want := *r.is, r.want
	if is.Description != want.Description || is.RelayState != want.RelayState || is.SessionDuration != want.SessionDuration {
		_, err := p.admin.UpdatePermissionSet(ctx, &ssoadmin.UpdatePermissionSetInput{
			InstanceArn: &p.instance, PermissionSetArn: &r.arn, Description: optional(want.Description),
			RelayState: optional(want.RelayState), SessionDuration: optional(want.SessionDuration),
		})
		if err != nil {
			return err
		}
		if err := p.provision(ctx, r.arn); err != nil {
			return err
		}
	}
	if err := p.retag(ctx, r.arn, is.Tags, want.Tags); err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfSet) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeletePermissionSet(ctx, &ssoadmin.DeletePermissionSetInput{InstanceArn: &p.instance, PermissionSetArn: &r.arn})
	return unlessGone[*admintypes.ResourceNotFoundException](err)
}
