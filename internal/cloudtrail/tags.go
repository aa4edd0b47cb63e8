package cloudtrail

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
)

// AddTags gives a trail tags.
func (s *Service) AddTags(_ context.Context, c *endpoint.Call, in *api.AddTagsRequest) (*api.AddTagsResponse, error) {
	if err := trailID(in.ResourceId); err != nil {
		return nil, err
	}
	return &api.AddTagsResponse{}, wrap(tagged(s.Trails.Tag(c.Tx, in.ResourceId, tagMap(in.TagsList), c.Limits)), "tag trail")
}

// RemoveTags takes tags off a trail.
func (s *Service) RemoveTags(_ context.Context, c *endpoint.Call, in *api.RemoveTagsRequest) (*api.RemoveTagsResponse, error) {
	if err := trailID(in.ResourceId); err != nil {
		return nil, err
	}
	var keys []string
	for _, t := range in.TagsList {
		keys = append(keys, t.Key)
	}
	return &api.RemoveTagsResponse{}, wrap(tagged(s.Trails.Untag(c.Tx, in.ResourceId, keys)), "untag trail")
}

// maxTagged is how many resources' tags are told at once (CloudTrail API reference, ListTags).
const maxTagged = 20

// ListTags tells the tags of trails.
func (s *Service) ListTags(_ context.Context, c *endpoint.Call, in *api.ListTagsRequest) (*api.ListTagsResponse, error) {
	if len(in.ResourceIdList) > maxTagged {
		return nil, fault.Invalidf("At most %d resources at once.", maxTagged).WithReason("ResourceTypeNotSupportedException")
	}
	out := &api.ListTagsResponse{ResourceTagList: []api.ResourceTag{}}
	for _, id := range in.ResourceIdList { // twenty at most
		if err := trailID(id); err != nil {
			return nil, err
		}
		t, err := s.Trails.Find(c.Tx, id)
		if err != nil {
			return nil, tagged(err)
		}
		row := api.ResourceTag{ResourceId: &id, TagsList: []api.Tag{}}
		for _, k := range slices.Sorted(maps.Keys(t.Tags)) {
			row.TagsList = append(row.TagsList, api.Tag{Key: k, Value: optional(t.Tags[k])})
		}
		out.ResourceTagList = append(out.ResourceTagList, row)
	}
	return out, nil
}

// trailID refuses what is no trail's ARN: tags are given by ARN alone.
func trailID(id string) error {
	switch {
	case !strings.HasPrefix(id, "arn:"):
		return fault.Invalidf("%.200q is no ARN of a trail.", id).WithReason("CloudTrailARNInvalidException")
	case strings.Contains(id, ":eventdatastore/"), strings.Contains(id, ":channel/"), strings.Contains(id, ":dashboard/"):
		return fault.Invalidf("There are no resources here but trails.").WithReason("ResourceTypeNotSupportedException")
	}
	return nil
}

// tagged is an error as the operations on tags have it: the trail is a resource there.
func tagged(err error) error {
	if f := fault.As(err); f != nil && f.Reason == "TrailNotFoundException" {
		return fault.Newf(f.Kind, "%s", f.Message).WithReason("ResourceNotFoundException")
	}
	return err
}

func tagMap(list []api.Tag) map[string]string {
	if len(list) == 0 {
		return nil
	}
	tags := make(map[string]string, len(list))
	for _, t := range list {
		tags[t.Key] = text(t.Value)
	}
	return tags
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func truth(b *bool) bool { return b != nil && *b }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
