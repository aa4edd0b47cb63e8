package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"sallyport/internal/apiclient"
	trailapi "sallyport/internal/awsapi/cloudtrail"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/bucket"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/objects"
	"sallyport/internal/trailfile"
)

// checks are the places that are looked at.
func (v *verify) checks(ctx context.Context) ([]*trailfile.Check, error) {
	if v.keys != "" {
		return v.byKeys(ctx)
	}
	c, err := newClient(v.data)
	if err != nil {
		return nil, err
	}
	return v.online(ctx, c)
}

// byKeys are the places in a folder or bucket, by keys from a file.
func (v *verify) byKeys(ctx context.Context) ([]*trailfile.Check, error) {
	if (v.dir == "") == (v.s3.Name == "") {
		return nil, fault.Invalidf("--keys goes with --dir or with --bucket: so no server is asked.")
	}
	text, err := os.ReadFile(v.keys)
	if err != nil {
		return nil, fault.Invalidf("%s cannot be read: %v.", v.keys, err)
	}
	var list struct {
		PublicKeyList []struct {
			Fingerprint string
			Value       []byte
		}
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.PublicKeyList) == 0 {
		return nil, fault.Invalidf("%s has no public keys: it is to be what aws cloudtrail list-public-keys --start-time TIME prints.", v.keys)
	}
	var keys []trailfile.Key
	for _, k := range list.PublicKeyList {
		keys = append(keys, trailfile.Key{Fingerprint: k.Fingerprint, Public: k.Value})
	}
	b, err := v.place(ctx)
	if err != nil {
		return nil, err
	}
	places, err := trailfile.Places(ctx, b)
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return nil, fault.Invalidf("There are no files of trails in %s.", v.dir+v.s3.Name)
	}
	var checks []*trailfile.Check
	for _, p := range places {
		p.Trail = v.trail
		checks = append(checks, &trailfile.Check{Bucket: b, Place: p, Keys: keys})
	}
	return checks, nil
}

// place is what --dir or --bucket names.
func (v *verify) place(ctx context.Context) (bucket.Bucket, error) {
	if v.dir != "" {
		return folder(v.dir)
	}
	return openS3(ctx, v.s3, v.profile)
}

// openS3 opens a bucket of an S3 server with the credentials that the AWS SDK finds.
func openS3(ctx context.Context, c bucket.S3Config, profile string) (bucket.Bucket, error) {
	c, err := c.WithChain(ctx, profile)
	if err != nil {
		return nil, err
	}
	if c.Region == "" {
		return nil, fault.Invalidf("It is not known which region to sign for: say --region, or set AWS_REGION.")
	}
	return bucket.NewS3(c)
}

func folder(dir string) (*bucket.Directory, error) {
	b, err := bucket.Open(dir)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, fault.Invalidf("There is no folder %s.", dir)
	}
	return b, err
}

// online are the places of the server's trails, with what it has recorded of them.
func (v *verify) online(ctx context.Context, c *client) ([]*trailfile.Check, error) {
	trails, _, err := apiclient.Ask[trailapi.DescribeTrailsResponse](ctx, c.Client, &trailapi.DescribeTrailsRequest{})
	if err != nil {
		return nil, err
	}
	keys, err := publicKeys(ctx, c)
	if err != nil {
		return nil, err
	}
	byPlace := map[[2]string]*trailfile.Check{}
	var checks []*trailfile.Check
	for _, t := range trails.TrailList {
		if v.trail != "" && v.trail != text(t.Name) && v.trail != text(t.TrailARN) {
			continue
		}
		at := [2]string{text(t.S3BucketName), text(t.S3KeyPrefix)}
		check := byPlace[at]
		if check == nil {
			part := strings.Split(text(t.TrailARN), ":")
			check = &trailfile.Check{Name: at[0], Keys: keys, Place: trailfile.Place{Prefix: at[1], Region: part[3], Account: part[4]}, Rows: []trailfile.Row{}, Stores: map[string]*trailfile.Store{}}
			if check.Bucket, err = v.bucket(ctx, c, at[0]); err != nil {
				return nil, err
			}
			byPlace[at] = check
			checks = append(checks, check)
		}
		if v.trail != "" {
			check.Place.Trail = text(t.Name)
		}
		if err := digestRows(ctx, c, text(t.Name), check); err != nil {
			return nil, err
		}
	}
	if len(checks) == 0 {
		return nil, fault.Invalidf("There is no such trail: aws cloudtrail list-trails lists them.")
	}
	return checks, nil
}

// bucket is the folder that was named, a bucket of an S3 server, or one that the server serves.
func (v *verify) bucket(ctx context.Context, c *client, name string) (bucket.Bucket, error) {
	if v.dir != "" {
		return folder(v.dir)
	}
	all, _, err := apiclient.AskAll(ctx, c.Client, "TrailBuckets",
		func(next *string) any { return &api.ListTrailBucketsRequest{NextToken: next} },
		func(out *api.ListTrailBucketsResponse) ([]api.TrailBucket, *string) {
			return out.TrailBuckets, out.NextToken
		})
	if err != nil {
		return nil, err
	}
	for _, b := range all {
		if b.Name == name && b.Endpoint != nil {
			if v.profile == "" && (v.data == "" || os.Getenv("AWS_ACCESS_KEY_ID") == c.keys.AccessKeyID) {
				return nil, fault.Invalidf("The bucket %s is at %s, and the environment's credentials are those for Sallyport: say --profile NAME, with a profile that may read the bucket.", name, printable(*b.Endpoint))
			}
			return openS3(ctx, bucket.S3Config{Endpoint: *b.Endpoint, Region: text(b.Region), Name: name, PathStyle: b.PathStyle != nil && *b.PathStyle}, v.profile)
		}
	}
	return bucket.NewS3(bucket.S3Config{
		Endpoint: strings.TrimSuffix(c.endpoint, "/") + objects.Prefix, Region: c.Region, Name: name, PathStyle: true,
		AccessKey: c.keys.AccessKeyID, Secret: c.keys.SecretAccessKey, Token: c.keys.SessionToken,
	})
}

func publicKeys(ctx context.Context, c *client) (keys []trailfile.Key, err error) {
	for ask := (&trailapi.ListPublicKeysRequest{StartTime: new(time.Unix(0, 0)), EndTime: new(clock.System{}.Now().Add(24 * time.Hour))}); ; {
		out, _, err := apiclient.Ask[trailapi.ListPublicKeysResponse](ctx, c.Client, ask)
		if err != nil {
			return nil, err
		}
		for _, k := range out.PublicKeyList {
			keys = append(keys, trailfile.Key{Fingerprint: text(k.Fingerprint), Public: k.Value})
		}
		if ask.NextToken = out.NextToken; ask.NextToken == nil {
			return keys, nil
		}
	}
}

// digestRows adds what the server has recorded of a trail.
func digestRows(ctx context.Context, c *client, name string, check *trailfile.Check) error {
	for ask := (&api.ListTrailDigestsRequest{TrailName: name}); ; {
		out, _, err := apiclient.Ask[api.ListTrailDigestsResponse](ctx, c.Client, ask)
		if err != nil {
			return err
		}
		if d := out.DeletedUpTo; d != nil && ask.NextToken == nil {
			check.Gone = append(check.Gone, trailfile.Gone{Key: d.Key, Hash: d.Hash, Signature: d.Signature, To: d.ToEvent, ToHash: d.ChainHash, Policy: d.Policy, Said: "the server"})
		}
		if out.DeletedBefore != nil {
			check.Due = *out.DeletedBefore
		}
		for _, d := range out.TrailDigests {
			if d.Bucket != check.Name {
				continue
			}
			check.Rows = append(check.Rows, trailfile.Row{
				Trail: name, Key: d.Key, At: d.EndTime, From: d.FromEvent, To: d.ToEvent, ToHash: d.ChainHash, StoreHash: text(d.LogChainHash), Hash: d.Hash, Signature: d.Signature,
				Written: d.WrittenAt != nil,
			})
		}
		if out.UnwrittenSince != nil && out.LateAfterSeconds != nil {
			check.Stores[name] = &trailfile.Store{Written: *out.WrittenEvent, Last: *out.LastEvent, Since: *out.UnwrittenSince, Patience: time.Duration(*out.LateAfterSeconds) * time.Second}
		}
		if ask.NextToken = out.NextToken; ask.NextToken == nil {
			return nil
		}
	}
}
