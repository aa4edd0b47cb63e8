package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	trailapi "sallyport/internal/awsapi/cloudtrail"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/bucket"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/objects"
	"sallyport/internal/trailfile"
)

// verify is what `sallyport audit verify` is told.
type verify struct {
	*remote
	dir, keys, against string
	trail              string
	since, until       string
}

// newAudit is `sallyport audit`.
func newAudit() *cobra.Command {
	v := &verify{remote: &remote{}}
	family := v.family("audit", "Verify what was recorded", `What happened is searched with the AWS CLI: aws cloudtrail lookup-events`)
	cmd := &cobra.Command{
		Use: "verify", Short: "Verify the files of trails, and that they hold what the audit log does", Args: cobra.NoArgs,
		Long: `Verify the files of trails: signatures, hashes, the chain of digests, and that the events in them are those of the audit log's own chain.

It finds what aws cloudtrail validate-logs does, and what that does not: newest digests that are missing, log files that were added,
events that no file holds, and, with --against, a history that was rewritten by somebody who has the server's own key.

The files are read from the server or, with --dir, from a folder. With --keys no server is asked: FILE is what
aws cloudtrail list-public-keys --start-time 2026-01-01 prints. It ends with 0 when nothing is wrong, and with 1 when something is.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd) },
	}
	s := cmd.Flags()
	s.StringVar(&v.dir, "dir", "", "folder with a copy of a bucket (default: the server is asked for the files)")
	s.StringVar(&v.keys, "keys", "", "with --dir: file with the public keys (default: the server is asked)")
	s.StringVar(&v.against, "against", "", "JSON-lines file of a sink, or folder with digests, that kept the chain's head")
	s.StringVar(&v.trail, "trail", "", "look at this trail alone (default: all)")
	s.StringVar(&v.since, "since", "", "look at digests that end at or after this time (RFC 3339)")
	s.StringVar(&v.until, "until", "", "look at digests that end at or before this time, and expect no newer ones")
	family.AddCommand(cmd)
	return family
}

// run verifies place by place, and tells of all of it.
func (v *verify) run(cmd *cobra.Command) error {
	ctx := cmd.Context()
	from, to, err := v.times()
	if err != nil {
		return err
	}
	kept, err := v.kept(ctx)
	if err != nil {
		return err
	}
	checks, err := v.checks(ctx)
	if err != nil {
		return err
	}
	total := &trailfile.Report{Trails: []string{}, Faults: []trailfile.Fault{}, Notes: []string{}}
	tell := progress(cmd)
	for _, c := range checks {
		c.From, c.To, c.Kept, c.Parallel = from, to, kept, runtime.GOMAXPROCS(0)
		if to.IsZero() {
			c.Now = clock.System{}.Now()
		}
		if tell != nil {
			c.Progress = func(done, of int, _ int64) { tell("digests verified", done, of) }
		}
		r, err := c.Run(ctx)
		if err != nil {
			return err
		}
		total.Merge(r)
	}
	return v.report(cmd, total)
}

func (v *verify) times() (from, to time.Time, err error) {
	for _, f := range []struct {
		text string
		into *time.Time
	}{{v.since, &from}, {v.until, &to}} {
		if f.text == "" {
			continue
		}
		if *f.into, err = time.Parse(time.RFC3339, f.text); err != nil {
			return from, to, fault.Invalidf("%q is no time: expected one such as 2026-03-02T09:00:00Z.", f.text)
		}
	}
	return from, to, nil
}

// kept reads what a copy elsewhere has kept of the chain.
func (v *verify) kept(ctx context.Context) (*trailfile.Kept, error) {
	if v.against == "" {
		return nil, nil
	}
	st, err := os.Stat(v.against)
	if err != nil {
		return nil, fault.Invalidf("%s cannot be read: %v.", v.against, err)
	}
	var kept *trailfile.Kept
	if st.IsDir() {
		b, err := bucket.Open(v.against)
		if err != nil {
			return nil, err
		}
		defer b.Close()
		if kept, err = trailfile.ReadDigests(ctx, v.against, b); err != nil {
			return nil, err
		}
	} else {
		f, err := os.Open(v.against)
		if err != nil {
			return nil, fault.Invalidf("%s cannot be read: %v.", v.against, err)
		}
		defer f.Close()
		if kept, err = trailfile.ReadLines(v.against, f); err != nil {
			return nil, fault.Invalidf("%s cannot be read: %v.", v.against, err)
		}
	}
	if kept.Len() == 0 {
		return nil, fault.Invalidf("%s has nothing of the audit log's chain.", v.against)
	}
	return kept, nil
}

// checks are the places that are looked at.
func (v *verify) checks(ctx context.Context) ([]*trailfile.Check, error) {
	if v.keys != "" {
		return v.offline(ctx)
	}
	c, err := newClient(v.data)
	if err != nil {
		return nil, err
	}
	return v.online(ctx, c)
}

// offline are the places in a folder, by keys from a file.
func (v *verify) offline(ctx context.Context) ([]*trailfile.Check, error) {
	if v.dir == "" {
		return nil, fault.Invalidf("--keys goes with --dir: with both, no server is asked.")
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
	b, err := folder(v.dir)
	if err != nil {
		return nil, err
	}
	places, err := trailfile.Places(ctx, b)
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return nil, fault.Invalidf("There are no files of trails in %s.", v.dir)
	}
	var checks []*trailfile.Check
	for _, p := range places {
		p.Trail = v.trail
		checks = append(checks, &trailfile.Check{Bucket: b, Place: p, Keys: keys})
	}
	return checks, nil
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

// bucket is the folder that was named, or a bucket as the server serves it.
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
			return nil, fault.Invalidf("The bucket %s is at %s: copy it to a folder, with the metadata of its digests, and say --dir FOLDER.", name, printable(*b.Endpoint))
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

// report tells what was found. What is wrong is the command's error.
func (v *verify) report(cmd *cobra.Command, r *trailfile.Report) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	rows := make([][]string, len(r.Faults))
	for i, f := range r.Faults {
		event := ""
		if f.Event > 0 {
			event = fmt.Sprint(f.Event)
		}
		rows[i] = []string{f.Kind, event, printable(f.Object), printable(f.Message)}
	}
	if len(rows) > 0 || v.output == "json" {
		if err := v.table(cmd, raw, []string{"FAULT", "EVENT", "FILE", "WHAT"}, rows); err != nil {
			return err
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", printable(n))
	}
	if r.Gone > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %d files are older than trail.retention, and not there\n", r.Gone)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d digests and %d log files of %s, with %d events up to number %d: ", r.Digests, r.Logs, strings.Join(r.Trails, ", "), r.Events, r.To)
	if len(r.Faults) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr())
		return fault.Invalidf("%d faults were found.", len(r.Faults))
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "nothing is wrong.")
	return nil
}
