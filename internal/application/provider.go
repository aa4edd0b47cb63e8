package application

import (
	"sallyport/internal/fault"
)

// The federation protocols of providers.
const (
	SAML  = "SAML"
	OAuth = "OAUTH"
)

// CustomProvider is whose applications the API makes.
const CustomProvider = "arn:aws:sso::aws:applicationProvider/custom"

// ProviderInfo describes a kind of application.
type ProviderInfo struct {
	ARN, Protocol, Name, Description string
}

// Providers are the kinds of applications, by ARN.
var Providers = []ProviderInfo{
	{CustomProvider, OAuth, "Custom application", "An application of your own that speaks OAuth 2.0."},
	{CustomProvider + "-saml", SAML, "Custom SAML 2.0 application", "An application of your own that speaks SAML 2.0. It is not made by this API."},
}

// Provider is the provider with the ARN.
func Provider(arn string) (ProviderInfo, error) {
	for _, p := range Providers {
		if p.ARN == arn {
			return p, nil
		}
	}
	return ProviderInfo{}, fault.Missing("ApplicationProvider", arn)
}
