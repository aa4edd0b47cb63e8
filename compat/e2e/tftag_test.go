package e2e

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// optional is how the provider sends a string: not at all when it is not configured.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func tagsIn(tags map[string]string) (out []admintypes.Tag) {
	for k, v := range tags {
		out = append(out, admintypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return out
}

// tags reads a resource's tags, page by page.
func (p *tfProvider) tags(ctx context.Context, arn string) (map[string]string, error) {
	tags := map[string]string{}
	pages := ssoadmin.NewListTagsForResourcePaginator(p.admin, &ssoadmin.ListTagsForResourceInput{InstanceArn: &p.instance, ResourceArn: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tags {
			tags[*t.Key] = aws.ToString(t.Value)
		}
	}
	return tags, nil
}

// retag makes a resource's tags what is wanted: first it takes some away, then it sets those that differ.
func (p *tfProvider) retag(ctx context.Context, arn string, is, want map[string]string) error {
	var removed []string
	for k := range is {
		if _, stays := want[k]; !stays {
			removed = append(removed, k)
		}
	}
	if len(removed) > 0 {
		slices.Sort(removed)
		if _, err := p.admin.UntagResource(ctx, &ssoadmin.UntagResourceInput{InstanceArn: &p.instance, ResourceArn: &arn, TagKeys: removed}); err != nil {
			return err
		}
	}
	changed := maps.Clone(want)
	maps.DeleteFunc(changed, func(k, v string) bool { had, ok := is[k]; return ok && had == v })
	if len(changed) == 0 {
		return nil
	}
	_, err := p.admin.TagResource(ctx, &ssoadmin.TagResourceInput{InstanceArn: &p.instance, ResourceArn: &arn, Tags: tagsIn(changed)})
	return err
}
