package e2e

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	identitytypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
)

// tfMembership is aws_identitystore_group_membership. Nothing about it changes.
type tfMembership struct {
	tfNode[tfMembershipConfig]
	of  *tfGroup
	who *tfUser
	id  string
}

// tfMembershipConfig has ids, which are known once what they are of is there.
type tfMembershipConfig struct{ Group, Member, Store string }

func (r *tfMembership) create(ctx context.Context, p *tfProvider) error {
	r.want = tfMembershipConfig{r.of.id, r.who.id, p.store}
	out, err := p.people.CreateGroupMembership(ctx, &identitystore.CreateGroupMembershipInput{
		IdentityStoreId: &p.store, GroupId: &r.of.id, MemberId: &identitytypes.MemberIdMemberUserId{Value: r.who.id},
	})
	if err != nil {
		return err
	}
	r.id = *out.MembershipId
	return r.read(ctx, p)
}

func (r *tfMembership) read(ctx context.Context, p *tfProvider) error {
	out, err := p.people.DescribeGroupMembership(ctx, &identitystore.DescribeGroupMembershipInput{IdentityStoreId: &p.store, MembershipId: &r.id})
	if err != nil {
		return gone[*identitytypes.ResourceNotFoundException](err)
	}
	member, ok := out.MemberId.(*identitytypes.MemberIdMemberUserId)
	if !ok {
		return fmt.Errorf("unsupported group member type: %T", out.MemberId)
	}
	return r.set(tfMembershipConfig{aws.ToString(out.GroupId), member.Value, aws.ToString(out.IdentityStoreId)})
}

func (r *tfMembership) update(context.Context, *tfProvider) error {
	return fmt.Errorf("membership has changed from %+v to %+v", r.want, *r.is)
}

func (r *tfMembership) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.people.DeleteGroupMembership(ctx, &identitystore.DeleteGroupMembershipInput{IdentityStoreId: &p.store, MembershipId: &r.id})
	return unlessGone[*identitytypes.ResourceNotFoundException](err)
}
