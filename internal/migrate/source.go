// Package migrate opens a live IAM Identity Center, AWS's own or another Sallyport, for reading it as a document: with the
// credentials of a profile, by the published APIs alone, at a pace that leaves room for others.
package migrate

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"golang.org/x/time/rate"

	"sallyport/internal/apiclient"
	"sallyport/internal/ascode"
	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
)

// MostPerSecond is the most that is asked of a source in a second: AWS allows 20 to all that administer.
const MostPerSecond = 19

// Source is a deployment that is read.
type Source struct {
	Client *apiclient.Client
	config aws.Config
	pace   *rate.Limiter
}

// Open finds credentials and region of a profile, as the AWS CLI does; "" is the default one. perSecond is the pace.
func Open(ctx context.Context, profile string, perSecond float64) (*Source, error) {
	if perSecond <= 0 || perSecond > MostPerSecond {
		return nil, fault.Invalidf("The pace is more than 0 and at most %d requests per second.", MostPerSecond)
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(profile))
	if err != nil {
		return nil, fault.Invalidf("The profile cannot be used: %v.", err)
	}
	if cfg.Region == "" {
		return nil, fault.Invalidf("The profile has no region: the one of the Identity Center instance is needed.")
	}
	s := &Source{config: cfg, pace: rate.NewLimiter(rate.Limit(perSecond), 1)}
	endpoints, err := s.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	s.Client = apiclient.New(cfg.Region, func(service *awsapi.Service) string { return endpoints[service.SigningName] }, s.keys)
	s.Client.Pace = s.pace
	return s, nil
}

func (s *Source) keys(ctx context.Context) (sigv4.Credentials, error) {
	c, err := s.config.Credentials.Retrieve(ctx)
	if err != nil {
		return sigv4.Credentials{}, fault.Invalidf("The profile's credentials cannot be had: %v. Is its session over? `aws sso login` renews it.", err)
	}
	return sigv4.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
}

// hosts are AWS's, by signing name: the first label, and the name by which the SDK's settings know the service.
var hosts = map[string]struct{ label, sdk string }{
	"sso":           {"sso", "SSO Admin"},
	"identitystore": {"identitystore", "identitystore"},
}

// endpoints are the services' URLs: those of environment or profile, as SDKs understand them, or AWS's own.
func (s *Source) endpoints(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	for name, h := range hosts {
		found, err := s.override(ctx, h.sdk)
		if err != nil {
			return nil, err
		}
		if found == "" {
			found = "https://" + h.label + "." + s.config.Region + "." + suffix(s.config.Region)
		}
		if u, err := url.Parse(found); err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u) {
			return nil, fault.Invalidf("%q is not an endpoint for %s: https, or http on this machine.", found, h.sdk)
		}
		out[name] = found
	}
	return out, nil
}

func loopback(u *url.URL) bool {
	switch u.Hostname() {
	case "localhost", "127.0.0.1", "::1":
		return u.Scheme == "http"
	}
	return false
}

// suffix is the domain of a region's partition.
func suffix(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// override is what environment and profile say of a service's URL: of it alone, before that of all.
func (s *Source) override(ctx context.Context, sdkID string) (string, error) {
	for _, source := range s.config.ConfigSources {
		of, ok := source.(interface {
			GetServiceBaseEndpoint(ctx context.Context, sdkID string) (string, bool, error)
		})
		if !ok {
			continue
		}
		found, ok, err := of.GetServiceBaseEndpoint(ctx, sdkID)
		if err != nil {
			return "", fault.Invalidf("The endpoint of %s in the profile is not understood: %v.", sdkID, err)
		}
		if ok {
			return found, nil
		}
	}
	return aws.ToString(s.config.BaseEndpoint), nil
}

// Read reads all of it. problems are told in words: what could not be read, and what no API tells.
func (s *Source) Read(ctx context.Context, progress func(what string, done, of int)) (live *ascode.Live, problems []string, err error) {
	r := &ascode.Reader{Client: s.Client, WithUsers: true, KeepIDs: true, Progress: progress}
	r.Source = ascode.AWS{Accounts: func(ctx context.Context) ([]ascode.Account, error) {
		accounts, err := s.accounts(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			problems = append(problems, "Accounts and their organizational units are missing here: "+strings.TrimRight(err.Error(), ".")+".")
			return nil, nil
		}
		return accounts, err
	}}
	live, err = r.Read(ctx)
	if err != nil {
		return nil, nil, err
	}
	live.Applications, problems = portable(live.Applications, problems)
	return live, append(problems, untold...), nil
}

// untold is what no API of AWS tells.
var untold = []string{
	"No API tells passwords, MFA devices and sessions of people: they set a password and register a device anew, by invitation.",
	"No API tells SAML applications, SCIM tokens, the identity source, and settings of sign-in and MFA: set them up by hand.",
	"Customer managed policies and boundaries are named, not copied: they live in their accounts.",
}

// customProvider is of the applications that can be made by API.
const customProvider = "arn:aws:sso::aws:applicationProvider/custom"

// portable are the applications that can be made elsewhere.
func portable(all []ascode.Application, problems []string) ([]ascode.Application, []string) {
	kept := []ascode.Application{}
	for _, a := range all {
		if a.Provider == customProvider {
			kept = append(kept, a)
		} else {
			problems = append(problems, "Application "+a.Name+" of provider "+a.Provider+" is left out: AWS manages it.")
		}
	}
	return kept, problems
}
