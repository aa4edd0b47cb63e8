package server

import (
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/awsapi"
	cloudtrailapi "sallyport/internal/awsapi/cloudtrail"
	identitystoreapi "sallyport/internal/awsapi/identitystore"
	sallyportapi "sallyport/internal/awsapi/sallyport"
	portalapi "sallyport/internal/awsapi/sso"
	ssoadminapi "sallyport/internal/awsapi/ssoadmin"
	ssooidcapi "sallyport/internal/awsapi/ssooidc"
	stsapi "sallyport/internal/awsapi/sts"
	"sallyport/internal/cloudtrail"
	"sallyport/internal/endpoint"
	"sallyport/internal/identitystore"
	"sallyport/internal/portal"
	"sallyport/internal/sallyport"
	"sallyport/internal/ssoadmin"
	"sallyport/internal/ssooidc"
	"sallyport/internal/sts"
)

// service is one API as it is mounted.
type service struct {
	implementation any // for the coverage list
	operations     []awsapi.Operation[*endpoint.Call]
	rule           endpoint.Rule
	regions        []string // that callers may sign for
}

// services is the table of the APIs. STS is signed for us-east-1 at AWS's own hosts, and for the client's region elsewhere.
func (s *Server) services() []service {
	home := []string{s.instance.Region}
	accounts := access.AccountRule{Organization: s.instance}
	sso, ids, who := &ssoadmin.Service{}, &identitystore.Service{}, sts.Service{}
	oidc := &ssooidc.Service{Sessions: s.sessions, Owner: s.instance.Owner, StoreID: s.instance.StoreID}
	own := &sallyport.Service{
		Login: s.login, Sessions: s.sessions, Instance: s.instance.ID, Owner: s.instance.Owner, OperatorKeys: s.ring, SCIM: strings.TrimSuffix(s.cfg.URL, "/"), Inspector: s.inspect,
		Push: s.push, Sinks: s.sinks, SignalKeys: s.signals.CountKeys, RoleLayers: s.api.RoleLayers, Emergency: s.emergency,
		Trails: sallyport.Trails{Buckets: s.trails.Buckets, Keys: s.trails.Keys},
	}
	trail := &cloudtrail.Service{Trails: s.trails.House}
	people := &portal.Service{Sessions: s.sessions, Vendor: s.vendor}
	return []service{
		{sso, ssoadminapi.Operations[*endpoint.Call](sso), endpoint.Rule{Administers: ssoadmin.Administers(accounts), Rates: ssoadmin.Rates}, home},
		{ids, identitystoreapi.Operations[*endpoint.Call](ids), endpoint.Rule{Administers: identitystore.Administers(accounts), Rates: identitystore.Rates}, home},
		{
			own, sallyportapi.Operations[*endpoint.Call](own),
			endpoint.Rule{Administers: sallyport.Administers(s.instance), Direct: sallyport.Direct, SelfDenied: sallyport.SelfDenied},
			home,
		},
		// The log tells of all instances: who has one of their own account may not read it.
		{trail, cloudtrailapi.Operations[*endpoint.Call](trail), endpoint.Rule{Administers: sallyport.Administers(s.instance), Rates: cloudtrail.Rates}, home},
		{who, stsapi.Operations[*endpoint.Call](who), endpoint.Rule{Free: sts.Free}, append(home, "us-east-1")},
		{
			oidc, ssooidcapi.Operations[*endpoint.Call](oidc),
			endpoint.Rule{Direct: []string{"RegisterClient", "StartDeviceAuthorization", "CreateToken"}, Rates: ssooidc.Rates},
			home,
		},
		{people, portalapi.Operations[*endpoint.Call](people), endpoint.Rule{Bearer: true, Direct: []string{"GetRoleCredentials"}}, home},
	}
}
