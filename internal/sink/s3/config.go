package s3

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"

	"sallyport/internal/audit"
	"sallyport/internal/audit/format"
	"sallyport/internal/clock"
	"sallyport/internal/fault"
	"sallyport/internal/sink"
)

// Config says where events go.
type Config struct {
	Name   string `json:"-"`                // the sink's name
	Format string `json:"format,omitempty"` // cloudtrail or ocsf

	Bucket string `json:"bucket"`
	Region string `json:"region"` // of the bucket; what another server than S3 asks for, often us-east-1
	Prefix string `json:"prefix,omitempty"`

	// Endpoint is the URL of another server than S3. PathStyle has the bucket in the path rather than in the host's name, as
	// most of those servers want it.
	Endpoint  string `json:"endpoint,omitempty"`
	PathStyle bool   `json:"pathStyle,omitempty"`

	// AccessKeyID and SecretAccessKey may put objects (s3:PutObject). Without them the SDK's chain is asked: environment,
	// profile, web identity, the machine's role.
	AccessKeyID     string `json:"accessKeyId,omitempty"`
	SecretAccessKey string `json:"secretAccessKey,omitempty"`

	KMSKeyID string   `json:"kmsKeyId,omitempty"` // encrypt with this key (SSE-KMS); without, as the bucket's default is
	TLS      sink.TLS `json:"tls"`

	Clock clock.Clock `json:"-"` // nil for the machine's
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixForm = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
	regionForm = regexp.MustCompile(`^[a-z0-9-]{2,40}$`)
)

// Open checks the configuration. Nothing is sent before the first Write.
func Open(c Config) (audit.Sink, error) {
	f, err := c.formatter()
	if err != nil {
		return nil, err
	}
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	tlsConfig, err := c.TLS.Config()
	if err != nil {
		return nil, err
	}
	credentials, err := c.credentials()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tlsConfig
	b := &bucket{
		name: c.Name, most: maxObject, format: f, base: base, prefix: strings.Trim(c.Prefix, "/"), region: c.Region, kmsKey: c.KMSKeyID, credentials: credentials,
		signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), // S3 encodes a path once
		client: &http.Client{
			Transport: transport, Timeout: timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a signature is for one host
		},
		clock: c.Clock,
	}
	if b.clock == nil {
		b.clock = clock.System{}
	}
	return b, nil
}

func (c Config) formatter() (format.Formatter, error) {
	if c.Format == format.NameCEF {
		return nil, fault.Invalidf("Objects in a bucket are JSON lines: the format is cloudtrail or ocsf.")
	}
	return format.New(c.Format)
}

// base is the URL that objects' names are added to.
func (c Config) base() (string, error) {
	switch {
	case !bucketName.MatchString(c.Bucket):
		return "", fault.Invalidf("%q is no name of a bucket.", c.Bucket)
	case !regionForm.MatchString(c.Region):
		return "", fault.Invalidf("The bucket's region is needed, such as eu-central-1; %q is none.", c.Region)
	case c.Prefix != "" && !prefixForm.MatchString(strings.Trim(c.Prefix, "/")):
		return "", fault.Invalidf("The prefix %q may have letters, digits, '_', '.', '-' and single slashes.", c.Prefix)
	}
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = "https://s3." + c.Region + ".amazonaws.com"
		if strings.HasPrefix(c.Region, "cn-") {
			endpoint += ".cn"
		}
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", fault.Invalidf("The endpoint %q is not a URL such as https://s3.example.com.", endpoint)
	}
	switch u.Scheme {
	case "https":
	case "http":
		if err := sink.CheckPlain(withPort(u)); err != nil {
			return "", err
		}
	default:
		return "", fault.Invalidf("The endpoint %q is not a URL such as https://s3.example.com.", endpoint)
	}
	if c.PathStyle || strings.Contains(c.Bucket, ".") { // no wildcard certificate covers a name with dots
		return u.Scheme + "://" + u.Host + "/" + c.Bucket + "/", nil
	}
	return u.Scheme + "://" + c.Bucket + "." + u.Host + "/", nil
}

func withPort(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":80"
	}
	return u.Host
}

func (c Config) credentials() (aws.CredentialsProvider, error) {
	if (c.AccessKeyID == "") != (c.SecretAccessKey == "") {
		return nil, fault.Invalidf("An access key (accessKeyId) and its secret (secretAccessKey) are given together.")
	}
	if c.AccessKeyID != "" {
		static := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return static, nil }), nil
	}
	found, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(c.Region))
	if err != nil {
		return nil, fault.Invalidf("No credentials for the bucket were found: %v.", err)
	}
	return found.Credentials, nil
}
