package e2e

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	"github.com/google/go-cmp/cmp"
)

// tfApplication is aws_ssoadmin_application. Its visibility in the portal does not change.
type tfApplication struct {
	tfNode[tfApplicationConfig]
	arn string
}

type tfApplicationConfig struct {
	Instance, Provider, Name, Description, Status string
	Portal                                        *tfPortal
	Tags                                          map[string]string
}

// tfPortal has the portal options. The provider leaves them out when there are no sign-in options.
type tfPortal struct{ Visibility, Origin, URL string }

func (o *tfPortal) signIn() *admintypes.SignInOptions {
	return &admintypes.SignInOptions{Origin: admintypes.SignInOrigin(o.Origin), ApplicationUrl: optional(o.URL)}
}

func (r *tfApplication) create(ctx context.Context, p *tfProvider) error {
	in := &ssoadmin.CreateApplicationInput{
		InstanceArn: &p.instance, ApplicationProviderArn: &r.want.Provider, Name: &r.want.Name, Description: optional(r.want.Description),
		Status: admintypes.ApplicationStatus(r.want.Status), Tags: tagsIn(r.want.Tags),
	}
	if o := r.want.Portal; o != nil {
		in.PortalOptions = &admintypes.PortalOptions{Visibility: admintypes.ApplicationVisibility(o.Visibility), SignInOptions: o.signIn()}
	}
	out, err := p.admin.CreateApplication(ctx, in)
	if err != nil {
		return err
	}
	r.arn = *out.ApplicationArn
	return r.read(ctx, p)
}

func (r *tfApplication) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.DescribeApplication(ctx, &ssoadmin.DescribeApplicationInput{ApplicationArn: &r.arn})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	tags, err := p.tags(ctx, r.arn)
	if err != nil {
		return err
	}
	is := tfApplicationConfig{
		Instance: aws.ToString(out.InstanceArn), Provider: aws.ToString(out.ApplicationProviderArn), Name: aws.ToString(out.Name),
		Description: aws.ToString(out.Description), Status: string(out.Status), Tags: tags,
	}
	if o := out.PortalOptions; o != nil && o.SignInOptions != nil {
		is.Portal = &tfPortal{string(o.Visibility), string(o.SignInOptions.Origin), aws.ToString(o.SignInOptions.ApplicationUrl)}
	}
	return r.set(is)
}

func (r *tfApplication) update(ctx context.Context, p *tfProvider) error {
	is, want := *r.is, r.want
	if is.Name != want.Name || is.Description != want.Description || is.Status != want.Status || !cmp.Equal(is.Portal, want.Portal) {
		in := &ssoadmin.UpdateApplicationInput{
			ApplicationArn: &r.arn, Name: &want.Name, Description: optional(want.Description), Status: admintypes.ApplicationStatus(want.Status),
		}
		if o := want.Portal; o != nil {
			in.PortalOptions = &admintypes.UpdateApplicationPortalOptions{SignInOptions: o.signIn()}
		}
		if _, err := p.admin.UpdateApplication(ctx, in); err != nil {
			return err
		}
	}
	return p.retag(ctx, r.arn, is.Tags, want.Tags)
}

func (r *tfApplication) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeleteApplication(ctx, &ssoadmin.DeleteApplicationInput{ApplicationArn: &r.arn})
	return unlessGone[*admintypes.ResourceNotFoundException](err)
}
