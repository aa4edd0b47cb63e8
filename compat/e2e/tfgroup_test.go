package e2e

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storedoc "github.com/aws/aws-sdk-go-v2/service/identitystore/document"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfGroup is aws_identitystore_group. Its name does not change.
type tfGroup struct {
	tfNode[tfGroupConfig]
	id string
}

type tfGroupConfig struct{ DisplayName, Description, Store string }

func (r *tfGroup) principal() (admintypes.PrincipalType, string) {
	return admintypes.PrincipalTypeGroup, r.id
}

func (r *tfGroup) create(ctx context.Context, p *tfProvider) error {
	out, err := p.people.CreateGroup(ctx, &identitystore.CreateGroupInput{
		IdentityStoreId: &p.store, DisplayName: &r.want.DisplayName, Description: optional(r.want.Description),
	})
	if err != nil {
		return err
	}
	r.id = *out.GroupId
	return r.read(ctx, p)
}

func (r *tfGroup) read(ctx context.Context, p *tfProvider) error {
	out, err := p.people.DescribeGroup(ctx, &identitystore.DescribeGroupInput{IdentityStoreId: &p.store, GroupId: &r.id})
	if err != nil {
		return gone[*identitytypes.ResourceNotFoundException](err)
	}
	return r.set(tfGroupConfig{aws.ToString(out.DisplayName), aws.ToString(out.Description), aws.ToString(out.IdentityStoreId)})
}

func (r *tfGroup) update(ctx context.Context, p *tfProvider) error {
	_, err := p.people.UpdateGroup(ctx, &identitystore.UpdateGroupInput{
		IdentityStoreId: &p.store, GroupId: &r.id, Operations: []identitytypes.AttributeOperation{
			{AttributePath: aws.String("description"), AttributeValue: storedoc.NewLazyDocument(r.want.Description)},
		},
	})
	if err != nil {
		return err
	}
	return r.read(ctx, p)
}

func (r *tfGroup) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.people.DeleteGroup(ctx, &identitystore.DeleteGroupInput{IdentityStoreId: &p.store, GroupId: &r.id})
	return unlessGone[*identitytypes.ResourceNotFoundException](err)
}
