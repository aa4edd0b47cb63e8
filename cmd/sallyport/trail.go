package main

import (
	"github.com/spf13/cobra"

	"sallyport/internal/apiclient"
	api "sallyport/internal/awsapi/sallyport"
)

// newTrail is `sallyport trail`: what trails need and CloudTrail's own API has no operation for.
func newTrail() *cobra.Command {
	var f remote
	family := f.family("trail", "See and change where trails are written, and the key that signs them",
		`Trails themselves are made with the AWS CLI: aws cloudtrail create-trail --name NAME --s3-bucket-name BUCKET --enable-log-file-validation`)
	bucket := &cobra.Command{Use: "bucket", Short: "Places for trail files", Args: cobra.NoArgs}
	bucket.AddCommand(f.sub("list", "List the buckets", f.listBuckets), f.addBucket(), f.asks(f.sub("remove NAME", "Forget a bucket; what is in it stays", f.removeBucket)))
	var kms string
	rotate := f.sub("rotate-key", "Sign digests with another key from now on", func(cmd *cobra.Command, c *client, _ []string) error {
		out, raw, err := apiclient.Ask[api.RotateTrailKeyResponse](cmd.Context(), c.Client, &api.RotateTrailKeyRequest{KmsKeyId: given(kms)})
		if err != nil {
			return err
		}
		return f.fields(cmd, raw, [][]string{{"fingerprint", out.Fingerprint}, {"from", when(&out.ValidityStartTime)}, {"until", when(&out.ValidityEndTime)}})
	})
	rotate.Flags().StringVar(&kms, "kms-key", "", "ARN of a key in AWS KMS: RSA_2048, for signatures (default: a new key of our own)")
	family.AddCommand(bucket, rotate)
	return family
}

func (f *remote) listBuckets(cmd *cobra.Command, c *client, _ []string) error {
	all, raw, err := apiclient.AskAll(cmd.Context(), c.Client, "TrailBuckets",
		func(next *string) any { return &api.ListTrailBucketsRequest{NextToken: next} },
		func(out *api.ListTrailBucketsResponse) ([]api.TrailBucket, *string) {
			return out.TrailBuckets, out.NextToken
		})
	if err != nil {
		return err
	}
	rows := make([][]string, len(all))
	for i, b := range all {
		place := "the server's folder"
		if b.Endpoint != nil {
			place = printable(*b.Endpoint)
		}
		rows[i] = []string{b.Name, place, when(&b.CreatedAt)}
	}
	return f.table(cmd, raw, []string{"NAME", "WHERE", "SINCE"}, rows)
}

func (f *remote) addBucket() *cobra.Command {
	var in struct {
		endpoint, region, keyID, secret string
		path                            bool
	}
	cmd := f.sub("add NAME", "Make a bucket in the server's folder or, with --endpoint, use one of an S3 server", func(cmd *cobra.Command, c *client, args []string) error {
		key, err := secret(in.secret)
		if err != nil {
			return err
		}
		ask := &api.CreateTrailBucketRequest{Name: args[0], Endpoint: given(in.endpoint), Region: given(in.region), AccessKeyId: given(in.keyID), SecretAccessKey: key}
		if in.path {
			ask.PathStyle = &in.path
		}
		_, raw, err := apiclient.Ask[api.CreateTrailBucketResponse](cmd.Context(), c.Client, ask)
		if err != nil {
			return err
		}
		return f.done(cmd, raw, "Trails can be written to %s: aws cloudtrail create-trail --name NAME --s3-bucket-name %[1]s --enable-log-file-validation", args[0])
	})
	s := cmd.Flags()
	s.StringVar(&in.endpoint, "endpoint", "", "URL of the S3 server, such as https://s3.eu-central-1.amazonaws.com")
	s.StringVar(&in.region, "region", "", "with --endpoint: the region to sign for")
	s.BoolVar(&in.path, "path-style", false, "with --endpoint: name the bucket in the path and not in the host")
	s.StringVar(&in.keyID, "access-key", "", "with --endpoint: id of the access key to write with")
	s.StringVar(&in.secret, "secret-key", "", "with --endpoint: the secret access key, or @FILE")
	return cmd
}

func (f *remote) removeBucket(cmd *cobra.Command, c *client, args []string) error {
	if err := f.confirm(cmd, "Forget the bucket "+printable(args[0])+"? What is in it stays."); err != nil {
		return err
	}
	_, raw, err := apiclient.Ask[api.DeleteTrailBucketResponse](cmd.Context(), c.Client, &api.DeleteTrailBucketRequest{Name: args[0]})
	if err != nil {
		return err
	}
	return f.done(cmd, raw, "The bucket %s is forgotten. What is in it stays.", args[0])
}
