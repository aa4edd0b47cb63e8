package cloudtrail

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
	"sallyport/internal/trail"
)

// CreateTrail makes a trail, which logs nothing before StartLogging.
func (s *Service) CreateTrail(_ context.Context, c *endpoint.Call, in *api.CreateTrailRequest) (*api.CreateTrailResponse, error) {
	err := elsewhere(in.SnsTopicName, in.CloudWatchLogsLogGroupArn, in.CloudWatchLogsRoleArn, in.KmsKeyId, in.IsOrganizationTrail)
	if err != nil {
		return nil, err
	}
	spec := store.TrailSpec{
		Bucket: in.S3BucketName, Prefix: text(in.S3KeyPrefix), Global: in.IncludeGlobalServiceEvents == nil || *in.IncludeGlobalServiceEvents,
		MultiRegion: truth(in.IsMultiRegionTrail), Validation: truth(in.EnableLogFileValidation), Tags: tagMap(in.TagsList),
	}
	if spec.MultiRegion && !spec.Global {
		return nil, combination()
	}
	t, err := s.Trails.Create(c.Tx, in.Name, spec, c.Limits)
	if err != nil {
		return nil, wrap(err, "create trail")
	}
	return &api.CreateTrailResponse{
		Name: &t.Name, S3BucketName: &t.Bucket, S3KeyPrefix: optional(t.Prefix), IncludeGlobalServiceEvents: &t.Global, IsMultiRegionTrail: &t.MultiRegion,
		IsOrganizationTrail: new(false), LogFileValidationEnabled: &t.Validation, TrailARN: new(s.Trails.ARN(t.Name)),
	}, nil
}

// UpdateTrail changes a trail's settings.
func (s *Service) UpdateTrail(_ context.Context, c *endpoint.Call, in *api.UpdateTrailRequest) (*api.UpdateTrailResponse, error) {
	err := elsewhere(in.SnsTopicName, in.CloudWatchLogsLogGroupArn, in.CloudWatchLogsRoleArn, in.KmsKeyId, in.IsOrganizationTrail)
	if err != nil {
		return nil, err
	}
	t, err := s.Trails.Update(c.Tx, in.Name, func(spec *store.TrailSpec) {
		set(&spec.Bucket, in.S3BucketName)
		set(&spec.Prefix, in.S3KeyPrefix)
		set(&spec.Global, in.IncludeGlobalServiceEvents)
		set(&spec.MultiRegion, in.IsMultiRegionTrail)
		set(&spec.Validation, in.EnableLogFileValidation)
	})
	if err == nil && t.MultiRegion && !t.Global {
		err = combination()
	}
	if err != nil {
		return nil, wrap(err, "update trail")
	}
	return &api.UpdateTrailResponse{
		Name: &t.Name, S3BucketName: &t.Bucket, S3KeyPrefix: optional(t.Prefix), IncludeGlobalServiceEvents: &t.Global, IsMultiRegionTrail: &t.MultiRegion,
		IsOrganizationTrail: new(false), LogFileValidationEnabled: &t.Validation, TrailARN: new(s.Trails.ARN(t.Name)),
	}, nil
}

func combination() error {
	return fault.Invalidf("A trail of all regions must include global service events.").WithReason("InvalidParameterCombinationException")
}

// elsewhere refuses what a trail has on AWS and not here.
func elsewhere(topic, group, role, key *string, organization *bool) error {
	switch {
	case truth(organization):
		return fault.Conflictf("There is no organization trail here: every trail has the events of all accounts.").WithReason("OrganizationsNotInUseException")
	case text(topic) != "":
		return fault.Invalidf("There are no SNS topics here.").WithReason("InvalidSnsTopicNameException")
	case text(group) != "":
		return fault.Invalidf("There are no CloudWatch log groups here.").WithReason("InvalidCloudWatchLogsLogGroupArnException")
	case text(role) != "":
		return fault.Invalidf("There are no CloudWatch log groups here, and no roles to reach them by.").WithReason("InvalidCloudWatchLogsRoleArnException")
	case text(key) != "":
		return fault.Invalidf("Trail files are not encrypted with a KMS key here: encrypt the bucket.").WithReason("InvalidKmsKeyIdException")
	}
	return nil
}

// DeleteTrail ends a trail.
func (s *Service) DeleteTrail(_ context.Context, c *endpoint.Call, in *api.DeleteTrailRequest) (*api.DeleteTrailResponse, error) {
	return &api.DeleteTrailResponse{}, wrap(s.Trails.Delete(c.Tx, in.Name, eventID(c)), "delete trail")
}

// StartLogging has a trail logged from this call on.
func (s *Service) StartLogging(_ context.Context, c *endpoint.Call, in *api.StartLoggingRequest) (*api.StartLoggingResponse, error) {
	return &api.StartLoggingResponse{}, wrap(s.Trails.Start(c.Tx, in.Name, eventID(c)), "start logging")
}

// StopLogging has a trail logged to this call, and no further.
func (s *Service) StopLogging(_ context.Context, c *endpoint.Call, in *api.StopLoggingRequest) (*api.StopLoggingResponse, error) {
	return &api.StopLoggingResponse{}, wrap(s.Trails.Stop(c.Tx, in.Name, eventID(c)), "stop logging")
}

// eventID is that of the call's own event, which is the first or the last that a trail has.
func eventID(c *endpoint.Call) string {
	c.Event.EventID = arn.NewTimeUUID(c.Tx.Now())
	return c.Event.EventID
}

// GetTrail tells a trail's settings.
func (s *Service) GetTrail(_ context.Context, c *endpoint.Call, in *api.GetTrailRequest) (*api.GetTrailResponse, error) {
	t, err := s.Trails.Find(c.Tx, in.Name)
	if err != nil {
		return nil, err
	}
	out := s.trailOut(t)
	return &api.GetTrailResponse{Trail: &out}, nil
}

func (s *Service) trailOut(t store.LogTrail) api.Trail {
	return api.Trail{
		Name: &t.Name, S3BucketName: &t.Bucket, S3KeyPrefix: optional(t.Prefix), IncludeGlobalServiceEvents: &t.Global, IsMultiRegionTrail: &t.MultiRegion,
		HomeRegion: &s.Trails.Region, TrailARN: new(s.Trails.ARN(t.Name)), LogFileValidationEnabled: &t.Validation,
		HasCustomEventSelectors: new(len(t.Basic) > 0 || len(t.Advanced) > 0), HasInsightSelectors: new(false), IsOrganizationTrail: new(false),
	}
}

// DescribeTrails tells the settings of some trails, or of all. One that does not exist is left out, as on AWS.
func (s *Service) DescribeTrails(_ context.Context, c *endpoint.Call, in *api.DescribeTrailsRequest) (*api.DescribeTrailsResponse, error) {
	all, err := c.Tx.Trails()
	if err != nil {
		return nil, fmt.Errorf("list trails: %w", err)
	}
	var names []string
	for _, given := range in.TrailNameList {
		name, err := s.Trails.Name(given)
		switch f := fault.As(err); {
		case f != nil && f.Kind == fault.NotFound:
		case err != nil:
			return nil, err
		default:
			names = append(names, name)
		}
	}
	out := &api.DescribeTrailsResponse{TrailList: []api.Trail{}}
	for _, t := range all {
		if len(in.TrailNameList) == 0 || slices.Contains(names, t.Name) {
			out.TrailList = append(out.TrailList, s.trailOut(t))
		}
	}
	return out, nil
}

// ListTrails lists the trails' names. There are so few that they are on one page.
func (s *Service) ListTrails(_ context.Context, c *endpoint.Call, _ *api.ListTrailsRequest) (*api.ListTrailsResponse, error) {
	all, err := c.Tx.Trails()
	if err != nil {
		return nil, fmt.Errorf("list trails: %w", err)
	}
	out := &api.ListTrailsResponse{Trails: []api.TrailInfo{}}
	for _, t := range all {
		out.Trails = append(out.Trails, api.TrailInfo{Name: &t.Name, TrailARN: new(s.Trails.ARN(t.Name)), HomeRegion: &s.Trails.Region})
	}
	return out, nil
}

// GetTrailStatus tells how the writing of a trail's files goes.
func (s *Service) GetTrailStatus(_ context.Context, c *endpoint.Call, in *api.GetTrailStatusRequest) (*api.GetTrailStatusResponse, error) {
	t, err := s.Trails.Find(c.Tx, in.Name)
	if err != nil {
		return nil, err
	}
	return &api.GetTrailStatusResponse{
		IsLogging: &t.Logging, StartLoggingTime: when(t.StartedAt), StopLoggingTime: when(t.StoppedAt), LatestDeliveryTime: when(t.DeliveredAt), LatestDigestDeliveryTime: when(t.DigestedAt),
		LatestDeliveryError: optional(t.Problem), LatestDeliveryAttemptTime: new(stamp(t.AttemptedAt)), LatestDeliveryAttemptSucceeded: new(succeeded(t)),
		LatestNotificationAttemptTime: new(""), LatestNotificationAttemptSucceeded: new(""), TimeLoggingStarted: new(stamp(t.StartedAt)), TimeLoggingStopped: new(stamp(t.StoppedAt)),
	}, nil
}

func succeeded(t store.LogTrail) string {
	if t.Problem != "" {
		return ""
	}
	return stamp(t.DeliveredAt)
}

// stamp is a time in the text members of GetTrailStatus.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// ListPublicKeys lists the keys whose signatures digests of a stretch of time can have.
func (s *Service) ListPublicKeys(_ context.Context, c *endpoint.Call, in *api.ListPublicKeysRequest) (*api.ListPublicKeysResponse, error) {
	keys, err := trail.PublicKeys(c.Tx, in.StartTime, in.EndTime)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(nil, in.NextToken)
	if err != nil {
		return nil, fault.Invalidf("The token of the next page is not one of this list.").WithReason("InvalidTokenException")
	}
	if after := q.After; len(after) == 1 {
		i := slices.IndexFunc(keys, func(k store.TrailKey) bool { return k.Fingerprint == after[0] })
		keys = keys[i+1:]
	}
	rows, next := page.Trim(keys, q.Limit, func(k store.TrailKey) page.Key { return page.Key{k.Fingerprint} })
	out := &api.ListPublicKeysResponse{PublicKeyList: []api.PublicKey{}, NextToken: c.NextToken(next)}
	for _, k := range rows {
		out.PublicKeyList = append(out.PublicKeyList, api.PublicKey{Fingerprint: &k.Fingerprint, Value: k.Public, ValidityStartTime: &k.StartsAt, ValidityEndTime: &k.EndsAt})
	}
	return out, nil
}

// PutEventSelectors says which events a trail has from now on.
func (s *Service) PutEventSelectors(_ context.Context, c *endpoint.Call, in *api.PutEventSelectorsRequest) (*api.PutEventSelectorsResponse, error) {
	var basic []trail.BasicSelector
	var advanced []trail.AdvancedSelector
	if err := convert(in.EventSelectors, &basic); err != nil {
		return nil, err
	}
	if err := convert(in.AdvancedEventSelectors, &advanced); err != nil {
		return nil, err
	}
	t, err := s.Trails.SetSelectors(c.Tx, in.TrailName, basic, advanced)
	if err != nil {
		return nil, wrap(err, "set event selectors")
	}
	return &api.PutEventSelectorsResponse{TrailARN: new(s.Trails.ARN(t.Name)), EventSelectors: in.EventSelectors, AdvancedEventSelectors: in.AdvancedEventSelectors}, nil
}

// GetEventSelectors tells which events a trail has.
func (s *Service) GetEventSelectors(_ context.Context, c *endpoint.Call, in *api.GetEventSelectorsRequest) (*api.GetEventSelectorsResponse, error) {
	t, err := s.Trails.Find(c.Tx, in.TrailName)
	if err != nil {
		return nil, err
	}
	basic, advanced, err := trail.Selectors(t)
	if err != nil {
		return nil, fmt.Errorf("read event selectors: %w", err)
	}
	out := &api.GetEventSelectorsResponse{TrailARN: new(s.Trails.ARN(t.Name))}
	if err := convert(basic, &out.EventSelectors); err != nil {
		return nil, err
	}
	return out, convert(advanced, &out.AdvancedEventSelectors)
}

// convert takes selectors from one form to the other: their members have the same names.
func convert(from, to any) error {
	b, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		return fmt.Errorf("convert selectors: %w", err)
	}
	return nil
}
