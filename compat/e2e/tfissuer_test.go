package e2e

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfIssuer is aws_ssoadmin_trusted_token_issuer. Its URL does not change.
type tfIssuer struct {
	tfNode[tfIssuerConfig]
	arn string
}

type tfIssuerConfig struct {
	Instance, Name, URL, Claim, Attribute string
	Keys                                  admintypes.JwksRetrievalOption
	Tags                                  map[string]string
}

func (r *tfIssuer) create(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.CreateTrustedTokenIssuer(ctx, &ssoadmin.CreateTrustedTokenIssuerInput{
		InstanceArn: &p.instance, Name: &r.want.Name, TrustedTokenIssuerType: admintypes.TrustedTokenIssuerTypeOidcJwt, Tags: tagsIn(r.want.Tags),
		TrustedTokenIssuerConfiguration: &admintypes.TrustedTokenIssuerConfigurationMemberOidcJwtConfiguration{Value: admintypes.OidcJwtConfiguration{
			IssuerUrl: &r.want.URL, ClaimAttributePath: &r.want.Claim, IdentityStoreAttributePath: &r.want.Attribute, JwksRetrievalOption: r.want.Keys,
		}},
	})
	if err != nil {
		return err
	}
	r.arn = *out.TrustedTokenIssuerArn
	return r.set(r.want)
}

// read takes the instance from the issuer's ARN, as the provider does, since it is nowhere else.
func (r *tfIssuer) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.DescribeTrustedTokenIssuer(ctx, &ssoadmin.DescribeTrustedTokenIssuerInput{TrustedTokenIssuerArn: &r.arn})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	parts := strings.Split(aws.ToString(out.TrustedTokenIssuerArn), "/")
	c, ok := out.TrustedTokenIssuerConfiguration.(*admintypes.TrustedTokenIssuerConfigurationMemberOidcJwtConfiguration)
	if len(parts) != 3 || !ok {
		return fmt.Errorf("issuer %s has the configuration %T", aws.ToString(out.TrustedTokenIssuerArn), out.TrustedTokenIssuerConfiguration)
	}
	is := tfIssuerConfig{
		Instance: "arn:aws:sso:::instance/" + parts[1], Name: aws.ToString(out.Name), URL: aws.ToString(c.Value.IssuerUrl),
		Claim: aws.ToString(c.Value.ClaimAttributePath), Attribute: aws.ToString(c.Value.IdentityStoreAttributePath), Keys: c.Value.JwksRetrievalOption,
	}
	if is.Tags, err = p.tags(ctx, r.arn); err != nil {
		return err
	}
	return r.set(is)
}

func (r *tfIssuer) update(ctx context.Context, p *tfProvider) error {
	is, want := *r.is, r.want
	if is.Name != want.Name || is.Claim != want.Claim || is.Attribute != want.Attribute || is.Keys != want.Keys {
		_, err := p.admin.UpdateTrustedTokenIssuer(ctx, &ssoadmin.UpdateTrustedTokenIssuerInput{
			TrustedTokenIssuerArn: &r.arn, Name: &want.Name,
			TrustedTokenIssuerConfiguration: &admintypes.TrustedTokenIssuerUpdateConfigurationMemberOidcJwtConfiguration{
				Value: admintypes.OidcJwtUpdateConfiguration{
					ClaimAttributePath: &want.Claim, IdentityStoreAttributePath: &want.Attribute, JwksRetrievalOption: want.Keys,
				},
			},
		})
		if err != nil {
			return err
		}
	}
	return p.retag(ctx, r.arn, is.Tags, want.Tags)
}

func (r *tfIssuer) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeleteTrustedTokenIssuer(ctx, &ssoadmin.DeleteTrustedTokenIssuerInput{TrustedTokenIssuerArn: &r.arn})
	return unlessGone[*admintypes.ResourceNotFoundException](err)
}
