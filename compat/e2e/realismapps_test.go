package e2e

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// customApplication is the provider of the applications that the API makes.
const customApplication = "arn:aws:sso::aws:applicationProvider/custom"

// noApplication is one that is not there.
const noApplication = "arn:aws:sso::" + sampleAccount + ":application/ssoins-1234567890abcdef/apl-0123456789abcdef"

// applicationsRows are about applications.
var applicationsRows = []behaviour{
	{
		what: "CreateApplication twice under one client token", aws: "the same application",
		source: "API Reference, CreateApplication: ClientToken", run: func(w *realm) string {
			in := w.application(with{"ClientToken": w.name()})
			first, second := w.must("CreateApplication", in), w.must("CreateApplication", in)
			if first.at("ApplicationArn") != second.at("ApplicationArn") {
				return "another application"
			}
			return "the same application"
		},
	},
	{
		what: "another application under a client token that was used", aws: "refused",
		source: "API Reference, CreateApplication: ClientToken", run: func(w *realm) string {
			token := with{"ClientToken": w.name()}
			w.must("CreateApplication", w.application(token))
			return w.call("CreateApplication", w.application(token)).refused()
		},
	},
	{
		what: "an application of a SAML provider", aws: "ValidationException",
		source: "terraform #34813: only the console makes them", run: func(w *realm) string {
			return w.call("CreateApplication", w.application(with{"ApplicationProviderArn": "arn:aws:sso::aws:applicationProvider/custom-saml"})).code()
		},
	},
	{
		what: "whether a new application wants assignments", aws: "true",
		source: "API Reference, PutApplicationAssignmentConfiguration", run: func(w *realm) string {
			return w.must("GetApplicationAssignmentConfiguration", with{"ApplicationArn": w.newApplication()}).at("AssignmentRequired")
		},
	},
	{
		what: "sign-in at the application without its URL", aws: "ValidationException",
		source: "API Reference, SignInOptions", run: func(w *realm) string {
			return w.call("CreateApplication", w.application(with{"PortalOptions": with{"SignInOptions": with{"Origin": "APPLICATION"}}})).code()
		},
	},
	{
		what: "describe an application that is not there", aws: "ResourceNotFoundException",
		source: "API Reference, DescribeApplication", run: func(w *realm) string {
			return w.call("DescribeApplication", with{"ApplicationArn": noApplication}).code()
		},
	},
	{
		what: "delete the assignment of an application, and again", aws: "accepted, then accepted",
		source: "model: the operation is idempotent", run: func(w *realm) string {
			in := with{"ApplicationArn": w.newApplication(), "PrincipalType": "USER", "PrincipalId": w.user()}
			w.must("CreateApplicationAssignment", in)
			return w.call("DeleteApplicationAssignment", in).code() + ", then " + w.call("DeleteApplicationAssignment", in).code()
		},
	},
	{
		what: "the 26th access scope of an application", aws: "refused",
		source: "User Guide, quotas", run: func(w *realm) string {
			application := w.newApplication()
			for i := range 25 {
				w.must("PutApplicationAccessScope", with{"ApplicationArn": application, "Scope": fmt.Sprintf("scope:s%d", i)})
			}
			return w.call("PutApplicationAccessScope", with{"ApplicationArn": application, "Scope": "scope:more"}).refused()
		},
	},
}

// application is a request to make one.
func (w *realm) application(also with) with {
	in := with{"Name": w.name(), "ApplicationProviderArn": customApplication}
	for member, value := range also {
		in[member] = value
	}
	return in
}

// newApplication makes an application.
func (w *realm) newApplication() string {
	return w.must("CreateApplication", w.application(nil)).at("ApplicationArn")
}

// instanceRows are about the instance, its attributes and its issuers.
var instanceRows = []behaviour{
	{
		what: "describe an instance that is not there", aws: "AccessDeniedException",
		source: "model: DescribeInstance has no ResourceNotFoundException", run: func(w *realm) string {
			return w.call("DescribeInstance", with{"InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000"}).code()
		},
	},
	{
		what: "the permission sets of an instance that is not there", ours: "ResourceNotFoundException",
		source: "the model has ResourceNotFoundException", run: func(w *realm) string {
			return w.call("ListPermissionSets", with{"InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000"}).code()
		},
	},
	{
		what: "CreateInstance in the management account", aws: "refused",
		source: "API Reference, CreateInstance", run: func(w *realm) string { return w.call("CreateInstance", nil).refused() },
	},
	{
		what: "remove the primary region", aws: "refused",
		source: "API Reference, RemoveRegion", run: func(w *realm) string {
			return w.call("RemoveRegion", with{"RegionName": w.config.Region}).refused()
		},
	},
	{
		what: "the attributes for access control of an instance that has none", aws: "ResourceNotFoundException",
		source: "API Reference, DescribeInstanceAccessControlAttributeConfiguration", run: func(w *realm) string {
			return w.call("DescribeInstanceAccessControlAttributeConfiguration", nil).code()
		},
	},
	{
		what: "51 attributes for access control", aws: "ValidationException",
		source: "model, AccessControlAttributeList", run: func(w *realm) string {
			return w.call("CreateInstanceAccessControlAttributeConfiguration", controlled(51)).code()
		},
	},
	{
		what: "create the attributes for access control twice", aws: "ConflictException",
		source: "API Reference, CreateInstanceAccessControlAttributeConfiguration", run: func(w *realm) string {
			w.must("CreateInstanceAccessControlAttributeConfiguration", controlled(1))
			defer w.call("DeleteInstanceAccessControlAttributeConfiguration", nil)
			return w.call("CreateInstanceAccessControlAttributeConfiguration", controlled(1)).code()
		},
	},
	{
		what: "CreateTrustedTokenIssuer twice under one client token", aws: "the same issuer",
		source: "API Reference, CreateTrustedTokenIssuer: ClientToken", run: func(w *realm) string {
			in := w.issuer()
			in["ClientToken"] = w.name()
			first, second := w.must("CreateTrustedTokenIssuer", in), w.must("CreateTrustedTokenIssuer", in)
			if first.at("TrustedTokenIssuerArn") != second.at("TrustedTokenIssuerArn") {
				return "another issuer"
			}
			return "the same issuer"
		},
	},
	{
		what: "the 11th trusted token issuer", aws: "ServiceQuotaExceededException",
		source: "User Guide, quotas; API Reference, CreateTrustedTokenIssuer", run: func(w *realm) string {
			for range 11 - len(w.must("ListTrustedTokenIssuers", nil).list("TrustedTokenIssuers")) - 1 {
				w.must("CreateTrustedTokenIssuer", w.issuer())
			}
			return w.call("CreateTrustedTokenIssuer", w.issuer()).code()
		},
	},
}

// controlled is a configuration of so many attributes for access control.
func controlled(many int) with {
	var attributes []with
	for i := range many {
		attributes = append(attributes, with{"Key": fmt.Sprintf("k%d", i), "Value": with{"Source": []string{"${path:userName}"}}})
	}
	return with{"InstanceAccessControlAttributeConfiguration": with{"AccessControlAttributes": attributes}}
}

// issuer is a request to make a trusted token issuer.
func (w *realm) issuer() with {
	name := w.name()
	return with{
		"Name": name, "TrustedTokenIssuerType": "OIDC_JWT",
		"TrustedTokenIssuerConfiguration": &admintypes.TrustedTokenIssuerConfigurationMemberOidcJwtConfiguration{Value: admintypes.OidcJwtConfiguration{
			IssuerUrl: aws.String("https://" + name + ".example.org"), ClaimAttributePath: aws.String("email"),
			IdentityStoreAttributePath: aws.String("emails.value"), JwksRetrievalOption: admintypes.JwksRetrievalOptionOpenIdDiscovery,
		}},
	}
}
