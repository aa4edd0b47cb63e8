// Command sigv4corpus prints requests signed by the AWS SDK for Go v2 as JSON: the corpus that package sigv4 is tested
// with. Whole clients are recorded at the last step before the wire, bare signers on odd input.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	token  = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTfl=="
)

// request is one record; all corpora of package sigv4 have this form.
type request struct {
	Name            string      `json:"name"`
	Service         string      `json:"service"`
	Region          string      `json:"region"`
	AccessKeyID     string      `json:"access_key_id"`
	SecretAccessKey string      `json:"secret_access_key"`
	SessionToken    string      `json:"session_token"`
	Method          string      `json:"method"`
	URL             string      `json:"url"`
	Headers         [][2]string `json:"headers"`
	Body            string      `json:"body"`
}

// recorder is an HTTP client that keeps what it should send.
type recorder struct {
	requests       *[]request
	name           string
	service        string
	region, tokens string
}

var errRecorded = errors.New("recorded")

func (c recorder) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	*c.requests = append(*c.requests, c.record(r, body))
	return nil, errRecorded
}

func (c recorder) record(r *http.Request, body []byte) request {
	out := request{
		Name: c.name, Service: c.service, Region: c.region, AccessKeyID: keyID, SecretAccessKey: secret,
		SessionToken: c.tokens, Method: r.Method, URL: r.URL.String(), Headers: [][2]string{}, Body: string(body),
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			if name != "User-Agent" { // never signed, and names the machine
				out.Headers = append(out.Headers, [2]string{name, v})
			}
		}
	}
	return out
}

func main() {
	var requests []request
	for _, t := range []string{"", token} {
		if err := errors.Join(fromClients(&requests, t), fromSigner(&requests, t)); err != nil {
			fmt.Fprintln(os.Stderr, "sigv4corpus:", err)
			os.Exit(1)
		}
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	if err := out.Encode(map[string]any{"made_by": "AWS SDK for Go " + aws.SDKVersion, "cases": requests}); err != nil {
		fmt.Fprintln(os.Stderr, "sigv4corpus:", err)
		os.Exit(1)
	}
}

func fromClients(requests *[]request, sessionToken string) error {
	ctx := context.Background()
	calls := []struct {
		name, service string
		call          func(aws.Config) error
	}{
		{"ListInstances", "sso", func(c aws.Config) error {
			_, err := ssoadmin.NewFromConfig(c).ListInstances(ctx, &ssoadmin.ListInstancesInput{})
			return err
		}},
		{"CreatePermissionSet", "sso", func(c aws.Config) error {
			_, err := ssoadmin.NewFromConfig(c).CreatePermissionSet(ctx, &ssoadmin.CreatePermissionSetInput{
				InstanceArn: aws.String("arn:aws:sso:::instance/ssoins-1234567890abcdef"), Name: aws.String("a"), Description: aws.String("é & = +"),
			})
			return err
		}},
		{"ListUsers", "identitystore", func(c aws.Config) error {
			_, err := identitystore.NewFromConfig(c).ListUsers(ctx, &identitystore.ListUsersInput{IdentityStoreId: aws.String("d-1234567890")})
			return err
		}},
		{"GetCallerIdentity", "sts", func(c aws.Config) error {
			_, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		}},
	}
	for _, k := range calls {
		c := recorder{requests, k.name, k.service, "eu-west-1", sessionToken}
		if err := k.call(config(c)); !errors.Is(err, errRecorded) {
			return fmt.Errorf("record %s: %w", k.name, err)
		}
	}
	c := recorder{requests, "presigned GetCallerIdentity", "sts", "eu-west-1", sessionToken}
	presigned, err := sts.NewPresignClient(sts.NewFromConfig(config(c))).PresignGetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf("presign: %w", err)
	}
	return c.presigned(presigned.Method, presigned.URL, presigned.SignedHeader)
}

func config(c recorder) aws.Config {
	return aws.Config{
		Region:           c.region,
		BaseEndpoint:     aws.String("http://127.0.0.1:8080"),
		HTTPClient:       c,
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials(c.tokens), nil
		}),
	}
}

func credentials(sessionToken string) aws.Credentials {
	return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: sessionToken}
}

// presigned records a URL together with the headers that it was signed for.
func (c recorder) presigned(method, url string, header http.Header) error {
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	r.Header = header.Clone()
	r.Header.Del("Host")
	*c.requests = append(*c.requests, c.record(r, nil))
	return nil
}

// fromSigner signs what no client sends: odd paths, queries, values with white space, headers given twice.
func fromSigner(requests *[]request, sessionToken string) error {
	signed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	targets := []string{"/", "/a%20b/%E1%88%B4/c%2Fd/~x_y-z.", "/?b=2&a=1&A=3&a-b=4", "/?x=%20%2B%2F%3D%26%7E&empty=&plus=a+b"}
	for _, target := range targets {
		for _, body := range []string{"", "{}"} {
			r, err := http.NewRequest(http.MethodPost, "http://id.example.org:8443"+target, bytes.NewReader([]byte(body)))
			if err != nil {
				return err
			}
			r.Header["My-Header"] = []string{"  a   b  ", "c"}
			r.Header.Set("X-Amz-Target", "SWBExternalService.ListInstances")
			hash := sha256.Sum256([]byte(body))
			payload := hex.EncodeToString(hash[:])
			c := recorder{requests, "signer query", "sts", "local-1", sessionToken}
			url, header, err := v4.NewSigner().PresignHTTP(context.Background(), credentials(sessionToken), r, payload, c.service, c.region, signed)
			if err != nil {
				return fmt.Errorf("presign %s: %w", target, err)
			}
			if body == "" {
				if err := c.presigned(r.Method, url, header); err != nil {
					return err
				}
			}
			c.name = "signer header"
			if err := v4.NewSigner().SignHTTP(context.Background(), credentials(sessionToken), r, payload, c.service, c.region, signed); err != nil {
				return fmt.Errorf("sign %s: %w", target, err)
			}
			*requests = append(*requests, c.record(r, []byte(body)))
		}
	}
	return nil
}
