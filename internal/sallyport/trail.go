package sallyport

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/setting"
	"sallyport/internal/store"
	"sallyport/internal/trail"
)

// Trails is what the operations on trails' buckets and keys need.
type Trails struct {
	Buckets *trail.Buckets
	Keys    *trail.Keys
}

// CreateTrailBucket makes a place for trail files.
func (s *Service) CreateTrailBucket(_ context.Context, c *endpoint.Call, in *api.CreateTrailBucketRequest) (*api.CreateTrailBucketResponse, error) {
	row := store.TrailBucket{Name: in.Name, Endpoint: deref(in.Endpoint), Region: deref(in.Region), PathStyle: in.PathStyle != nil && *in.PathStyle, AccessKey: deref(in.AccessKeyId)}
	row, err := s.Trails.Buckets.CreateBucket(c.Tx, row, deref(in.SecretAccessKey), c.Caller.ARN)
	if err != nil {
		return nil, wrap(err, "create trail bucket")
	}
	return &api.CreateTrailBucketResponse{TrailBucket: bucketOut(row)}, nil
}

func bucketOut(b store.TrailBucket) api.TrailBucket {
	out := api.TrailBucket{Name: b.Name, CreatedAt: b.CreatedAt, Endpoint: optional(b.Endpoint), Region: optional(b.Region), AccessKeyId: optional(b.AccessKey)}
	if b.Endpoint != "" {
		out.PathStyle = &b.PathStyle
	}
	return out
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// DeleteTrailBucket forgets a place for trail files.
func (s *Service) DeleteTrailBucket(_ context.Context, c *endpoint.Call, in *api.DeleteTrailBucketRequest) (*api.DeleteTrailBucketResponse, error) {
	return &api.DeleteTrailBucketResponse{}, wrap(s.Trails.Buckets.DeleteBucket(c.Tx, in.Name), "delete trail bucket")
}

// ListTrailBuckets lists the places for trail files.
func (s *Service) ListTrailBuckets(_ context.Context, c *endpoint.Call, in *api.ListTrailBucketsRequest) (*api.ListTrailBucketsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	after := ""
	if len(q.After) == 1 {
		after = q.After[0]
	}
	rows, err := c.Tx.TrailBuckets(after, q.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list trail buckets: %w", err)
	}
	rows, next := page.Trim(rows, q.Limit, func(b store.TrailBucket) page.Key { return page.Key{b.Name} })
	return &api.ListTrailBucketsResponse{TrailBuckets: mapped(rows, bucketOut), NextToken: c.NextToken(next)}, nil
}

// RotateTrailKey has digests signed with another key. It is Direct: to make a key, or to ask a KMS for one, takes longer than a
// transaction may.
func (s *Service) RotateTrailKey(ctx context.Context, c *endpoint.Call, in *api.RotateTrailKeyRequest) (*api.RotateTrailKeyResponse, error) {
	var life setting.Values
	err := c.DB.View(ctx, func(tx *store.Tx) (err error) { life, err = setting.Load(tx); return err })
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	k, err := s.Trails.Keys.Rotate(ctx, deref(in.KmsKeyId), life.TrailKeyLife, func(tx *store.Tx, k store.TrailKey) error {
		e := *c.Event // anew for every try
		e.ResponseElements = map[string]any{"fingerprint": k.Fingerprint}
		return e.Store(tx)
	})
	if err != nil {
		return nil, wrap(err, "rotate trail key")
	}
	return &api.RotateTrailKeyResponse{Fingerprint: k.Fingerprint, ValidityStartTime: k.StartsAt, ValidityEndTime: k.EndsAt}, nil
}

// ListTrailDigests lists what the server has written of a trail, for whoever verifies its files.
func (s *Service) ListTrailDigests(_ context.Context, c *endpoint.Call, in *api.ListTrailDigestsRequest) (*api.ListTrailDigestsResponse, error) {
	t, err := s.Trails.Keys.House.Find(c.Tx, in.TrailName)
	if err != nil {
		return nil, err
	}
	q, err := c.Page(in.MaxResults, in.NextToken, t.ID)
	if err != nil {
		return nil, err
	}
	pruned, after, err := trail.Pruned(c.Tx, t)
	if err != nil {
		return nil, fmt.Errorf("look up what was deleted: %w", err)
	}
	if len(q.After) == 1 {
		if after, err = strconv.ParseInt(q.After[0], 10, 64); err != nil {
			return nil, fault.Invalidf("The token of the next page is not one of this list.")
		}
	}
	rows, err := c.Tx.TrailDigests(t.ID, after, q.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("list digests of trail: %w", err)
	}
	rows, next := page.Trim(rows, q.Limit, func(r store.TrailRow) page.Key { return page.Key{strconv.FormatInt(r.N, 10)} })
	settings, err := setting.Load(c.Tx)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	out := &api.ListTrailDigestsResponse{
		TrailDigests: mapped(rows, digestOut), NextToken: c.NextToken(next, t.ID), DeletedUpTo: deletedOut(pruned), DeletedBefore: when(trail.Expiry(settings, c.Tx.Now())),
	}
	if !t.Logging {
		return out, nil
	}
	state, err := trail.StoreState(c.Tx, t, settings)
	if err != nil {
		return nil, fmt.Errorf("look at log: %w", err)
	}
	out.LastEvent, out.WrittenEvent, out.UnwrittenSince, out.LateAfterSeconds = &state.Last, &state.Written, when(state.Since), new(count(int64(state.Patience.Seconds())))
	return out, nil
}

// deletedOut is up to where files were deleted; nil: none were.
func deletedOut(a store.TrailAnchor) *api.DeletedTrailFiles {
	if a.N == 0 {
		return nil
	}
	return &api.DeletedTrailFiles{Key: a.Key, Hash: a.Hash, Signature: a.Signature, ToEvent: a.ToSeq, ChainHash: hex.EncodeToString(a.ToHash), Policy: a.Policy, DeletedAt: when(a.DeletedAt)}
}

func digestOut(r store.TrailRow) api.TrailDigest {
	return api.TrailDigest{
		Bucket: r.Bucket, Key: r.Key, EndTime: r.At, FromEvent: r.FromSeq, ToEvent: r.ToSeq, ChainHash: hex.EncodeToString(r.ToHash), LogChainHash: optional(hex.EncodeToString(r.LogHash)),
		Hash: r.Hash, Signature: r.Signature, WrittenAt: when(r.WrittenAt),
	}
}
