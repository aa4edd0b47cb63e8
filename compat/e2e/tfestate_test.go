package e2e

import (
	"fmt"

	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// How much of everything the configuration has.
const (
	tfSets        = 30
	tfGroups      = 20
	tfUsers       = 50
	tfMemberships = 100
	tfAssignments = 200
	tfApps        = 5
	tfIssuers     = 3
)

// Policies of AWS, and those that each account has its own of.
const (
	tfSecurityAudit = "arn:aws:iam::aws:policy/SecurityAudit"
	tfPowerUser     = "arn:aws:iam::aws:policy/PowerUserAccess"
	tfViewOnly      = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
)

var (
	tfListing  = tfPolicyRef{"TfListing", "/team/"}
	tfReading  = tfPolicyRef{"TfReading", "/"}
	tfBounding = tfPolicyRef{"TfBounding", "/limits/"}
)

// tfEstate is a configuration, and what becomes of it when it is edited.
type tfEstate struct {
	all    []tfResource
	sets   []*tfSet
	hung   [][]tfResource // on each set: its policies
	groups []*tfGroup
	users  []*tfUser
	apps   []*tfApplication
}

// newTFEstate writes the configuration down. Its references are dependencies, as in Terraform.
func newTFEstate(s *server) *tfEstate {
	e := &tfEstate{}
	for i := range tfSets {
		e.addSet(i)
	}
	e.addPeople(s.IdentityStoreID)
	for i := range tfAssignments {
		e.addAssignment(i, s)
	}
	e.addApplications(s.InstanceARN)
	e.add(&tfAttributes{tfNode[map[string]string]{
		at:   "attributes",
		want: map[string]string{"CostCenter": "${path:enterprise.costCenter}", "Title": "${path:title}"},
		then: &map[string]string{"CostCenter": "${path:enterprise.department}", "Who": "${path:userName}"},
	}})
	return e
}

func (e *tfEstate) add(r tfResource) { e.all = append(e.all, r) }

// node is a resource that needs others.
func node[C any](at string, want C, then *C, after ...tfResource) tfNode[C] {
	return tfNode[C]{at: at, want: want, then: then, after: after}
}

// every is v for each nth, and otherwise the zero value.
func every[T any](i, n int, v T) (out T) {
	if i%n == 0 {
		return v
	}
	return out
}

func (e *tfEstate) addSet(i int) {
	name := fmt.Sprintf("Terraform%02d", i)
	want := tfSetConfig{
		Name: name, Description: every(i, 2, "by Terraform"), RelayState: every(i, 3, "https://console.aws.amazon.com/s3?set="+name),
		SessionDuration: "PT1H", Tags: every(i, 5, map[string]string{"env": "test", "team": "identity", "empty": ""}),
	}
	then := want
	// A description is not taken away: on AWS it can't be (#41897).
	then.Description, then.SessionDuration = "edited", "PT8H"
	then.RelayState = every(i, 2, "https://console.aws.amazon.com/ec2/home?region=eu-central-1#set="+name)
	then.Tags = every(i, 2, map[string]string{"env": "production", "stage/2": "a b+c=d"})
	set := &tfSet{tfNode: node(name, want, &then)}
	e.sets = append(e.sets, set)
	e.add(set)

	inline, edited := tfStatement("s3:GetObject", name), tfStatement("s3:PutObject", name)
	hung := []tfResource{
		&tfInline{node(name+".inline", inline, &edited, set), set},
		&tfManaged{node(name+".managed", tfSecurityAudit, every(i, 3, new(tfViewOnly)), set), set},
	}
	if i%2 == 0 {
		hung = append(hung, &tfManaged{node(name+".managed2", tfPowerUser, nil, set), set})
	}
	if i%3 == 0 {
		hung = append(hung, &tfCustomer{node(name+".customer", tfListing, every(i, 2, new(tfReading)), set), set})
	}
	byARN, byName := tfBoundaryConfig{Managed: tfPowerUser}, tfBoundaryConfig{Customer: tfBounding}
	switch i % 4 {
	case 0:
		hung = append(hung, &tfBoundary{node(name+".boundary", byARN, every(i, 8, &byName), set), set})
	case 1:
		hung = append(hung, &tfBoundary{node(name+".boundary", byName, &byARN, set), set})
	}
	e.hung = append(e.hung, hung)
	e.all = append(e.all, hung...)
}

// tfStatement is a policy, normalized.
func tfStatement(action, set string) string {
	return fmt.Sprintf(`{"Statement":[{"Action":[%q,"s3:ListBucket"],"Effect":"Allow",`+
		`"Resource":["arn:aws:s3:::%s","arn:aws:s3:::%[2]s/${aws:PrincipalTag/CostCenter}/*"],"Sid":""}],"Version":"2012-10-17"}`, action, set)
}

func (e *tfEstate) addPeople(store string) {
	for i := range tfGroups {
		name := fmt.Sprintf("terraform group %d", i)
		g := &tfGroup{tfNode: node(name, tfGroupConfig{name, "made", store}, every(i, 2, &tfGroupConfig{name, "edited", store}))}
		e.groups = append(e.groups, g)
		e.add(g)
	}
	for i := range tfUsers {
		e.addUser(i, store)
	}
	for i := range tfMemberships { // each user is in two groups
		group, user := e.groups[(i+i/tfUsers)%tfGroups], e.users[i%tfUsers]
		e.add(&tfMembership{tfNode: tfNode[tfMembershipConfig]{at: group.at + "." + user.at, after: []tfResource{group, user}}, of: group, who: user})
	}
}

func (e *tfEstate) addUser(i int, store string) {
	name := fmt.Sprintf("terraform-user-%d", i)
	mail := tfListed{true, map[string]string{"type": "work", "value": name + "@sallyport.invalid"}}
	bare := tfUserConfig{UserName: name, Store: store, Texts: map[string]string{
		"displayName": "User " + name, "name.givenName": "User", "name.familyName": name,
	}}
	full := bare
	full.Texts = map[string]string{
		"displayName": "Ümit " + name, "name.givenName": "Ümit", "name.familyName": "Edited", "name.formatted": "Dr. Ümit Edited",
		"name.middleName": "Q", "name.honorificPrefix": "Dr.", "name.honorificSuffix": "Jr.", "nickName": "umi", "locale": "tr-TR",
		"preferredLanguage": "tr", "profileUrl": "https://people.example/" + name, "timezone": "Europe/Istanbul", "title": "Engineer", "userType": "Employee",
	}
	full.Emails = []tfListed{mail}
	full.Phones = []tfListed{{false, map[string]string{"type": "work", "value": "+49 30 1234"}}}
	full.Addresses = []tfListed{{true, map[string]string{
		"type": "work", "country": "DE", "formatted": "Am Weg 1, Berlin", "locality": "Berlin", "postalCode": "10115", "region": "BE", "streetAddress": "Am Weg 1",
	}}}
	edits := [][2]tfUserConfig{{bare, full}, {full, bare}, {full, full}}[i%3]
	u := &tfUser{tfNode: node(name, edits[0], &edits[1])}
	e.users = append(e.users, u)
	e.add(u)
}

// addAssignment assigns a set to a user or a group. Those of every other set wait for the set's policies, as the provider's
// documentation advises (depends_on), and the rest are made and deleted while these come and go. Some move to an account
// that is no one else's.
func (e *tfEstate) addAssignment(i int, s *server) {
	set, others := e.sets[i%tfSets], len(s.Accounts)-1
	var to tfPrincipal = e.groups[i/10%tfGroups]
	if i%2 == 0 {
		to = e.users[i%tfUsers]
	}
	account := s.Accounts[(i/tfSets%4+i)%others].ID
	after := []tfResource{set, to}
	if i%2 == 0 {
		after = append(after, e.hung[i%tfSets]...)
	}
	at := fmt.Sprintf("%s.%s in %s", set.at, to.address(), account)
	e.add(&tfAssignment{node(at, account, every(i, 20, &s.Accounts[others].ID), after...), set, to})
}

func (e *tfEstate) addApplications(instance string) {
	var issuers []*tfIssuer
	for i := range tfIssuers {
		want := tfIssuerConfig{
			Instance: instance, Name: fmt.Sprintf("terraform-issuer-%d", i), URL: fmt.Sprintf("https://issuer%d.example/tenant", i), Claim: "email",
			Attribute: "emails.value", Keys: admintypes.JwksRetrievalOptionOpenIdDiscovery, Tags: every(i, 2, map[string]string{"made": "yes"}),
		}
		then := want
		then.Name, then.Claim, then.Attribute, then.Tags = want.Name+"-edited", "sub", "userName", map[string]string{"edited": "yes"}
		issuers = append(issuers, &tfIssuer{tfNode: node(want.Name, want, &then)})
		e.add(issuers[i])
	}
	for i := range tfApps {
		e.addApplication(i, instance, issuers[i%tfIssuers])
	}
}

func (e *tfEstate) addApplication(i int, instance string, issuer *tfIssuer) {
	name := fmt.Sprintf("terraform application %d", i)
	want := tfApplicationConfig{
		Instance: instance, Provider: "arn:aws:sso::aws:applicationProvider/custom", Name: name, Description: "made", Status: "ENABLED",
		Portal: every(i, 2, &tfPortal{"ENABLED", "APPLICATION", "https://app.example/" + fmt.Sprint(i)}), Tags: every(i, 2, map[string]string{"made": "yes"}),
	}
	then := want
	then.Name, then.Description, then.Status, then.Tags = name+" edited", "edited", every(i, 2, "DISABLED"), map[string]string{"edited": "yes"}
	if then.Status == "" {
		then.Status = "ENABLED"
	}
	if then.Portal != nil {
		then.Portal = &tfPortal{"ENABLED", "IDENTITY_CENTER", ""}
	}
	app := &tfApplication{tfNode: node(name, want, &then)}
	e.apps = append(e.apps, app)
	e.add(app)
	e.add(&tfAppConfig{node(name+".configuration", i%2 == 0, new(i%2 != 0), app), app})
	for n := range 4 {
		var to tfPrincipal = e.groups[(i+n)%tfGroups]
		if n%2 == 0 {
			to = e.users[(i+n)%tfUsers]
		}
		e.add(&tfAppAssignment{tfNode: tfNode[tfAppAssignmentConfig]{at: name + "." + to.address(), after: []tfResource{app, to}}, of: app, to: to})
	}
	scope := tfScopeConfig{Scope: "sso:account:access", Targets: []string{instance}}
	e.add(&tfAppScope{node(name+".scope", scope, &tfScopeConfig{Scope: scope.Scope}, app), app})
	e.add(&tfAppScope{node(name+".scope2", tfScopeConfig{Scope: "photos:read"}, nil, app), app})
	e.addGrants(app, issuer)
}

func (e *tfEstate) addGrants(app *tfApplication, issuer *tfIssuer) {
	code := tfGrantConfig{Kind: admintypes.GrantTypeAuthorizationCode, RedirectURIs: []string{"https://app.example/callback"}}
	code2 := tfGrantConfig{Kind: admintypes.GrantTypeAuthorizationCode, RedirectURIs: []string{"http://127.0.0.1/callback", "https://app.example/callback"}}
	jwt := tfGrantConfig{Kind: admintypes.GrantTypeJwtBearer, Audiences: []string{"api"}}
	jwt2 := tfGrantConfig{Kind: admintypes.GrantTypeJwtBearer, Audiences: []string{"api", "web"}}
	e.add(&tfAppGrant{node(app.at+".code", code, &code2, app), app, nil})
	e.add(&tfAppGrant{node(app.at+".jwt", jwt, &jwt2, app, issuer), app, issuer})
	e.add(&tfAppGrant{node(app.at+".refresh", tfGrantConfig{Kind: admintypes.GrantTypeRefreshToken}, nil, app), app, nil})
}
