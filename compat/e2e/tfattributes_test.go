package e2e

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfAttributes is aws_ssoadmin_instance_access_control_attributes. Its configuration is the sources by key.
type tfAttributes struct{ tfNode[map[string]string] }

func (r *tfAttributes) in() *admintypes.InstanceAccessControlAttributeConfiguration {
	c := &admintypes.InstanceAccessControlAttributeConfiguration{AccessControlAttributes: []admintypes.AccessControlAttribute{}}
	for key, source := range r.want {
		c.AccessControlAttributes = append(c.AccessControlAttributes, admintypes.AccessControlAttribute{
			Key: aws.String(key), Value: &admintypes.AccessControlAttributeValue{Source: []string{source}},
		})
	}
	return c
}

func (r *tfAttributes) create(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.CreateInstanceAccessControlAttributeConfiguration(ctx, &ssoadmin.CreateInstanceAccessControlAttributeConfigurationInput{
		InstanceArn: &p.instance, InstanceAccessControlAttributeConfiguration: r.in(),
	})
	if err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfAttributes) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.DescribeInstanceAccessControlAttributeConfiguration(ctx, &ssoadmin.DescribeInstanceAccessControlAttributeConfigurationInput{
		InstanceArn: &p.instance,
	})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	c := out.InstanceAccessControlAttributeConfiguration
	if c == nil || len(c.AccessControlAttributes) == 0 {
		return errGone
	}
	is := map[string]string{}
	for _, a := range c.AccessControlAttributes {
		if len(a.Value.Source) != 1 {
			return fmt.Errorf("attribute %s has the sources %q", aws.ToString(a.Key), a.Value.Source)
		}
		is[*a.Key] = a.Value.Source[0]
	}
	return r.set(is)
}

func (r *tfAttributes) update(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.UpdateInstanceAccessControlAttributeConfiguration(ctx, &ssoadmin.UpdateInstanceAccessControlAttributeConfigurationInput{
		InstanceArn: &p.instance, InstanceAccessControlAttributeConfiguration: r.in(),
	})
	if err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfAttributes) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeleteInstanceAccessControlAttributeConfiguration(ctx, &ssoadmin.DeleteInstanceAccessControlAttributeConfigurationInput{
		InstanceArn: &p.instance,
	})
	return err
}
