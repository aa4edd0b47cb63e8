package ssoadmin

import (
	"context"
	"fmt"
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// TagResource gives a resource tags, in place of those with their keys.
func (s Service) TagResource(_ context.Context, c *endpoint.Call, in *api.TagResourceRequest) (*api.TagResourceResponse, error) {
	resource, err := s.taggable(c, in.ResourceArn, in.InstanceArn, true)
	if err != nil {
		return nil, err
	}
	if err := access.Tag(c.Tx, resource, tagsFrom(in.Tags), c.Limits); err != nil {
		return nil, err
	}
	return &api.TagResourceResponse{}, nil
}

// UntagResource takes tags off a resource.
func (s Service) UntagResource(_ context.Context, c *endpoint.Call, in *api.UntagResourceRequest) (*api.UntagResourceResponse, error) {
	resource, err := s.taggable(c, in.ResourceArn, in.InstanceArn, true)
	if err != nil {
		return nil, err
	}
	if err := access.Untag(c.Tx, resource, in.TagKeys); err != nil {
		return nil, err
	}
	return &api.UntagResourceResponse{}, nil
}

// ListTagsForResource lists the tags of a resource by key.
func (s Service) ListTagsForResource(_ context.Context, c *endpoint.Call, in *api.ListTagsForResourceRequest) (*api.ListTagsForResourceResponse, error) {
	resource, err := s.taggable(c, in.ResourceArn, in.InstanceArn, false)
	if err != nil {
		return nil, err
	}
	size := int32(c.Limits.Of(quota.TagPageSize)) // the operation takes no MaxResults
	q, err := c.Page(&size, in.NextToken, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Tags(resource, q)
	if err != nil {
		return nil, fmt.Errorf("list tags: %w", err)
	}
	return &api.ListTagsForResourceResponse{
		Tags:      mapped(rows, func(t store.Tag) api.Tag { return api.Tag{Key: t.Key, Value: t.Value} }),
		NextToken: c.NextToken(next, in.ResourceArn),
	}, nil
}

// taggable is the ARN under which a resource's tags are kept. It refuses a resource that does not exist, is of another instance than
// the request names, or that the caller may not change.
func (s Service) taggable(c *endpoint.Call, given string, instance *string, change bool) (resource string, err error) {
	resource = arn.Canonical(given)
	a, err := arn.Parse(resource)
	if err != nil {
		return "", err
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	id, _, _ := strings.Cut(rest, "/")
	of := arn.Instance(id).ARN()
	if instance != nil && arn.Canonical(*instance) != of {
		return "", fault.Invalidf("%s is a resource of the instance %s, not of %s.", resource, of, *instance)
	}
	switch {
	case kind == "instance":
		_, err = s.instance(c, of)
	case kind == "permissionSet" && change:
		_, err = s.editable(c, of, resource, "")
	case kind == "permissionSet":
		_, _, err = s.set(c, of, resource)
	case kind == "application":
		_, err = s.application(c, resource)
	case kind == "trustedTokenIssuer":
		_, err = s.issuer(c, resource)
	default:
		err = fault.Missing("Resource", resource)
	}
	return resource, err
}

// tag gives something new its tags.
func tag(c *endpoint.Call, resource string, tags []api.Tag) error {
	return access.Tag(c.Tx, resource, tagsFrom(tags), c.Limits)
}

func tagsFrom(in []api.Tag) []store.Tag {
	return mapped(in, func(t api.Tag) store.Tag { return store.Tag{Key: t.Key, Value: t.Value} })
}
