package quota

// Mode says whose values hold.
type Mode string

// The modes: AWS's values, or ours.
const (
	Strict  Mode = "strict"
	Relaxed Mode = "relaxed"
)

// Name is one limit.
type Name string

// The limits.
const (
	PermissionSets       Name = "permission-sets"
	SetsPerAccount       Name = "permission-sets-per-account"
	PoliciesPerSet       Name = "policies-per-permission-set"
	InlinePolicySize     Name = "inline-policy-size"
	Users                Name = "users"
	Groups               Name = "groups"
	GroupsPerAssignment  Name = "groups-per-assignment"
	GroupsPerApplication Name = "groups-per-application"
	Accounts             Name = "accounts"
	Applications         Name = "applications"
	Scopes               Name = "scopes-per-application"
	TokenIssuers         Name = "trusted-token-issuers"
	Regions              Name = "regions"
	Trails               Name = "trails"
	Attributes           Name = "attributes"
	Tags                 Name = "tags"
	Outstanding          Name = "outstanding-requests"

	PageSize            Name = "page"
	InstancePageSize    Name = "page-of-instances"
	ApplicationPageSize Name = "page-of-applications"
	ScopePageSize       Name = "page-of-scopes"
	TagPageSize         Name = "page-of-tags"

	AdminRate         Name = "rate-sso-admin"
	IdentityStoreRate Name = "rate-identitystore"
	RegisterRate      Name = "rate-register-client"
	ClientTokenRate   Name = "rate-token-client"
	TokenRate         Name = "rate-token"
	SCIMWriteRate     Name = "rate-scim-write"
	SCIMReadRate      Name = "rate-scim-read"
	SCIMMemberRate    Name = "rate-scim-member"
	LookupRate        Name = "rate-lookup-events"
)

// None is the value of a limit that does not bound.
const None = -1

// Kind says what a limit counts, and when it holds.
type Kind int

// The kinds.
const (
	Count Kind = iota // how many there may be
	Size              // how large something may be
	Model             // part of AWS's model, and so of clients made from it: it holds in either mode
	Rate              // how often a second; it holds only while limits.throttle says so
)

// Limit is a row of the table.
type Limit struct {
	Name    Name
	Bounds  string // what it bounds, in the plural
	AWS     int
	Relaxed int
	Kind    Kind
	Source  string
}

const (
	reference = "behaviour reference §3.5"
	model     = "AWS's model"
)

// Table is every limit there is.
//
// AWS leaves the number of policies in a permission set to IAM's quota of a role, which it gives as 10 by default and 25 at most.
// The roles here are our own, so the larger holds.
var Table = []Limit{
	{PermissionSets, "permission sets in an instance", 3_500, 20_000, Count, reference},
	{SetsPerAccount, "permission sets provisioned in an account", 500, 2_000, Count, reference},
	{PoliciesPerSet, "managed policies in a permission set, AWS's and customer's together", 25, 50, Count, reference},
	{InlinePolicySize, "bytes in an inline policy, white space not counted", 10_240, 32_768, Size, reference},
	{Users, "users in an identity store", 200_000, 1_000_000, Count, reference},
	{Groups, "groups in an identity store", 100_000, 500_000, Count, reference},
	{GroupsPerAssignment, "groups assigned to one permission set in an account", 100, 1_000, Count, reference},
	{GroupsPerApplication, "groups assigned to an application", 100, 1_000, Count, reference},
	{Accounts, "accounts in an organization", 7_000, 7_000, Count, reference},
	{Applications, "applications in an instance", 7_000, 20_000, Count, reference},
	{Scopes, "access scopes of an application", 25, 100, Count, reference},
	{TokenIssuers, "trusted token issuers in an instance", 10, 100, Count, reference},
	{Regions, "regions of an instance", 6, 30, Count, reference},
	{Trails, "trails in a region", 5, 20, Count, "CloudTrail's quotas"},
	{Attributes, "attributes for access control", 50, 50, Model, reference},
	{Tags, "tags of a resource", 50, 50, Count, "AWS's tagging rules"},
	{Outstanding, "requests to assign, unassign or provision that have not ended", 15, None, Count, reference},

	{PageSize, "items on a page of a list", 100, 100, Model, model},
	{InstancePageSize, "instances on a page, however many are asked for", 10, 10, Model, model},
	{ApplicationPageSize, "applications on a page, however many are asked for", 50, 50, Model, model},
	{ScopePageSize, "access scopes on a page", 10, 10, Model, model},
	{TagPageSize, "tags on a page", 75, 75, Model, model},

	{AdminRate, "calls of sso-admin from one account, all operations together", 20, None, Rate, reference},
	{IdentityStoreRate, "calls of one operation of identitystore from one account", 20, None, Rate, reference},
	{RegisterRate, "calls of RegisterClient from one address", 20, None, Rate, reference},
	{ClientTokenRate, "calls of CreateToken and StartDeviceAuthorization by one client", 80, None, Rate, reference},
	{TokenRate, "calls of CreateToken and StartDeviceAuthorization, all clients together", 250, None, Rate, reference},
	{SCIMWriteRate, "SCIM requests that write to an identity store", 25, None, Rate, "behaviour reference §2.8"},
	{SCIMReadRate, "SCIM requests that read an identity store", 40, None, Rate, "behaviour reference §2.8"},
	{LookupRate, "calls of LookupEvents from one account", 2, None, Rate, "the model's text of LookupEvents"},
	{SCIMMemberRate, "members of groups that SCIM requests add to an identity store or remove", 100, None, Rate, "ours: AWS has such a rate, and does not tell it"},
}
