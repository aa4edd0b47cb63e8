// Package ascode keeps a deployment's configuration as a document: it reads one from a live deployment, Sallyport's or AWS's own,
// tells how a document differs from what is live and what that means for people, and makes the live one what the document says.
//
// What a document does not mention is left alone: a section that is absent, the Assignments of a permission set, the Members of a
// group. What it does mention is meant whole.
package ascode

import (
	"encoding/json"

	api "sallyport/internal/awsapi/ssoadmin"
)

// Version is of the document's form.
const Version = 1

// Document is a configuration. Its keys are those of AWS CloudFormation's AWS::SSO resources and of the APIs' own shapes.
type Document struct {
	Version                 int                    `yaml:"Version"`
	Accounts                []Account              `yaml:"Accounts,omitempty"` // told for the reader; never changed
	Settings                Values                 `yaml:"Settings,omitempty"`
	Users                   []User                 `yaml:"Users,omitempty"`
	Groups                  Section[Group]         `yaml:"Groups,omitempty"`
	AccessControlAttributes Values                 `yaml:"AccessControlAttributes,omitempty"` // a session tag's key, and the source of its value
	PermissionSets          Section[PermissionSet] `yaml:"PermissionSets,omitempty"`
	TrustedTokenIssuers     Section[Issuer]        `yaml:"TrustedTokenIssuers,omitempty"`
	Applications            Section[Application]   `yaml:"Applications,omitempty"`
	AlertRules              Section[AlertRule]     `yaml:"AlertRules,omitempty"`
}

// Section is a list that may be absent, which is nil, or empty.
type Section[T any] []T

// IsZero says that it is absent.
func (s Section[T]) IsZero() bool { return s == nil }

// Values are a map that may be absent, which is nil, or empty.
type Values map[string]string

// IsZero says that it is absent.
func (v Values) IsZero() bool { return v == nil }

// Account is an account of the organization.
type Account struct {
	ID   string `yaml:"Id"`
	Name string `yaml:"Name,omitempty"`
	Path string `yaml:"Path,omitempty"` // of organizational units, such as /Workloads/Production

	closed bool // where that is known
}

// User is a person: the members of identitystore's CreateUser by their names there, with ExternalIds.
type User map[string]any

// Group is a group of people.
type Group struct {
	DisplayName string          `yaml:"DisplayName"`
	Description string          `yaml:"Description,omitempty"`
	ExternalIDs []ExternalID    `yaml:"ExternalIds,omitempty"`
	Members     Section[string] `yaml:"Members,omitempty"` // user names; absent: left alone
	SourceID    string          `yaml:"SourceId,omitempty"`
}

// ExternalID is what a source calls a user or group.
type ExternalID struct {
	Issuer string `yaml:"Issuer" json:"issuer"`
	ID     string `yaml:"Id" json:"id"`
}

// PermissionSet is a permission set and who has it where.
type PermissionSet struct {
	Name                    string              `yaml:"Name"`
	Description             string              `yaml:"Description,omitempty"`
	SessionDuration         string              `yaml:"SessionDuration,omitempty"` // ISO 8601; PT1H when it is left out
	RelayState              string              `yaml:"RelayState,omitempty"`
	MaxMFAAgeMinutes        int                 `yaml:"MaxMfaAgeMinutes,omitempty"` // 0: any second factor will do
	Tags                    map[string]string   `yaml:"Tags,omitempty"`
	ManagedPolicies         []string            `yaml:"ManagedPolicies,omitempty"` // ARNs
	CustomerManagedPolicies []PolicyReference   `yaml:"CustomerManagedPolicyReferences,omitempty"`
	InlinePolicy            string              `yaml:"InlinePolicy,omitempty"` // JSON
	Boundary                *Boundary           `yaml:"PermissionsBoundary,omitempty"`
	Assignments             Section[Assignment] `yaml:"Assignments,omitempty"` // absent: left alone
	SourceARN               string              `yaml:"SourceArn,omitempty"`
}

// PolicyReference names a customer managed policy of each account.
type PolicyReference struct {
	Name string `yaml:"Name"`
	Path string `yaml:"Path,omitempty"` // "/" when it is left out
}

// Boundary is a permissions boundary: one of the two.
type Boundary struct {
	ManagedPolicy string           `yaml:"ManagedPolicyArn,omitempty"`
	Customer      *PolicyReference `yaml:"CustomerManagedPolicyReference,omitempty"`
}

// Assignment gives a permission set to each of the groups and users in each of the accounts.
type Assignment struct {
	Accounts []string `yaml:"Accounts"`
	Groups   []string `yaml:"Groups,omitempty"`
	Users    []string `yaml:"Users,omitempty"`
}

// Issuer is a trusted token issuer.
type Issuer struct {
	Name                       string `yaml:"Name"`
	IssuerURL                  string `yaml:"IssuerUrl"`
	ClaimAttributePath         string `yaml:"ClaimAttributePath"`
	IdentityStoreAttributePath string `yaml:"IdentityStoreAttributePath"`
	JwksRetrievalOption        string `yaml:"JwksRetrievalOption"`
}

// Application is a customer managed application.
type Application struct {
	Name               string            `yaml:"Name"`
	Provider           string            `yaml:"ApplicationProviderArn"`
	Description        string            `yaml:"Description,omitempty"`
	Status             string            `yaml:"Status,omitempty"` // ENABLED when it is left out
	Visibility         string            `yaml:"Visibility,omitempty"`
	SignInOrigin       string            `yaml:"SignInOrigin,omitempty"`
	URL                string            `yaml:"ApplicationUrl,omitempty"`
	AssignmentRequired *bool             `yaml:"AssignmentRequired,omitempty"` // true when it is left out
	Tags               map[string]string `yaml:"Tags,omitempty"`
	Scopes             []Scope           `yaml:"AccessScopes,omitempty"`
	Grants             map[string]any    `yaml:"Grants,omitempty"`                // by grant type, as PutApplicationGrant has them
	Methods            map[string]any    `yaml:"AuthenticationMethods,omitempty"` // by type
	Assignments        *Principals       `yaml:"Assignments,omitempty"`           // absent: left alone
}

// Scope is an access scope of an application.
type Scope struct {
	Scope   string   `yaml:"Scope"`
	Targets []string `yaml:"AuthorizedTargets,omitempty"`
}

// Principals are groups and users by their names.
type Principals struct {
	Groups []string `yaml:"Groups"`
	Users  []string `yaml:"Users"`
}

// principal is a group or a user by its name. Names are compared without case.
type principal struct {
	Type api.PrincipalType
	Name string
}

// grant is one account assignment.
type grant struct {
	account string
	who     principal
}

// canonical is JSON whose spelling does not matter; text that is none stays.
func canonical(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	out, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(out)
}
