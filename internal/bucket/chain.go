package bucket

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"sallyport/internal/fault"
)

// chainTime bounds the search for credentials, which may ask the machine's metadata.
const chainTime = 10 * time.Second

// WithChain fills in the credentials that the AWS SDK finds: of a profile of the shared configuration or, when that is empty, of the
// environment, the default profile, or the machine's role.
func (c S3Config) WithChain(ctx context.Context, profile string) (S3Config, error) {
	ctx, cancel := context.WithTimeout(ctx, chainTime)
	defer cancel()
	var options []func(*config.LoadOptions) error
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	found, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, fault.Invalidf("The configuration for AWS cannot be used: %v.", err)
	}
	keys, err := found.Credentials.Retrieve(ctx)
	if err != nil {
		return c, fault.Invalidf("There are no credentials for the bucket %s: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or say --profile NAME: %v.", c.Name, err)
	}
	c.AccessKey, c.Secret, c.Token = keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken
	if c.Region == "" {
		c.Region = found.Region
	}
	return c, nil
}
