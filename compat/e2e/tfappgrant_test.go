package e2e

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfAppGrant is aws_ssoadmin_application_grant. Its type does not change.
type tfAppGrant struct {
	tfNode[tfGrantConfig]
	of     *tfApplication
	issuer *tfIssuer // of a JWT bearer grant
}

type tfGrantConfig struct {
	Kind                    admintypes.GrantType
	RedirectURIs, Audiences []string
	Issuer                  string // ARN, known once the issuer is there
}

func (r *tfAppGrant) create(ctx context.Context, p *tfProvider) error {
	if r.issuer != nil {
		r.want.Issuer = r.issuer.arn
	}
	var grant admintypes.Grant
	switch r.want.Kind {
	case admintypes.GrantTypeAuthorizationCode:
		grant = &admintypes.GrantMemberAuthorizationCode{Value: admintypes.AuthorizationCodeGrant{RedirectUris: r.want.RedirectURIs}}
	case admintypes.GrantTypeJwtBearer:
		grant = &admintypes.GrantMemberJwtBearer{Value: admintypes.JwtBearerGrant{AuthorizedTokenIssuers: []admintypes.AuthorizedTokenIssuer{
			{TrustedTokenIssuerArn: &r.want.Issuer, AuthorizedAudiences: r.want.Audiences},
		}}}
	case admintypes.GrantTypeRefreshToken:
		grant = &admintypes.GrantMemberRefreshToken{}
	default:
		grant = &admintypes.GrantMemberTokenExchange{}
	}
	_, err := p.admin.PutApplicationGrant(ctx, &ssoadmin.PutApplicationGrantInput{ApplicationArn: &r.of.arn, GrantType: r.want.Kind, Grant: grant})
	if err != nil {
		return err
	}
	return r.set(r.want)
}

func (r *tfAppGrant) read(ctx context.Context, p *tfProvider) error {
	out, err := p.admin.GetApplicationGrant(ctx, &ssoadmin.GetApplicationGrantInput{ApplicationArn: &r.of.arn, GrantType: r.want.Kind})
	if err != nil {
		return gone[*admintypes.ResourceNotFoundException](err)
	}
	is := tfGrantConfig{Kind: r.want.Kind}
	switch g := out.Grant.(type) {
	case *admintypes.GrantMemberAuthorizationCode:
		is.RedirectURIs = g.Value.RedirectUris
	case *admintypes.GrantMemberJwtBearer:
		if n := len(g.Value.AuthorizedTokenIssuers); n != 1 {
			return fmt.Errorf("grant has %d issuers", n)
		}
		issuer := g.Value.AuthorizedTokenIssuers[0]
		is.Issuer, is.Audiences = aws.ToString(issuer.TrustedTokenIssuerArn), issuer.AuthorizedAudiences
	}
	return r.set(is)
}

// update puts the grant again. The edited configuration refers to the same issuer.
func (r *tfAppGrant) update(ctx context.Context, p *tfProvider) error { return r.create(ctx, p) }

func (r *tfAppGrant) delete(ctx context.Context, p *tfProvider) error {
	_, err := p.admin.DeleteApplicationGrant(ctx, &ssoadmin.DeleteApplicationGrantInput{ApplicationArn: &r.of.arn, GrantType: r.want.Kind})
	return unlessGone[*admintypes.ResourceNotFoundException](err)
}
