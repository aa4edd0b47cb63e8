package e2e

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfInline is aws_ssoadmin_permission_set_inline_policy. Its configuration is the policy, normalized.
type tfInline struct {
	tfNode[string]
	of *tfSet
}

// normalized is JSON with its members in order and without white space, the form in which the provider keeps, sends and compares it.
func normalized(document string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		return "", fmt.Errorf("policy is not JSON: %w", err)
	}
	text, err := json.Marshal(v)
	return string(text), err
}

func (r *tfInline) create(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.PutInlinePolicyToPermissionSet(ctx, &ssoadmin.PutInlinePolicyToPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn, InlinePolicy: &r.want,
	})
	if err != nil {
		return err
	}
	if err := p.provision(ctx, r.of.arn); err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfInline) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.GetInlinePolicyForPermissionSet(ctx, &ssoadmin.GetInlinePolicyForPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &r.of.arn,
	})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	if aws.ToString(out.InlinePolicy) == "" {
		return errGone
	}
	policy, err := normalized(*out.InlinePolicy)
	if err != nil {
		return err
	}
	return r.set(policy)
}

func (r *tfInline) update(ctx context.Context, p *tfProvider) error { return r.create(ctx, p) }

func (r *tfInline) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeleteInlinePolicyFromPermissionSet(ctx, &ssoadmin.DeleteInlinePolicyFromPermissionSetInput{
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
