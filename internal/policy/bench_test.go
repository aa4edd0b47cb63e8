package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/policy"
)

// tenStatements is a policy of ten statements with conditions, all about the request's action; the
// last one allows it.
func tenStatements() string {
	conditions := []string{
		`"StringEquals": {"aws:PrincipalTag/team": "%d"}`,
		`"StringLike": {"aws:PrincipalTag/team": "*-%d", "aws:RequestedRegion": "eu-*"}`,
		`"IpAddress": {"aws:SourceIp": ["203.0.113.%d/32", "2001:db8::/32"]}`,
		`"Bool": {"aws:MultiFactorAuthPresent": "false"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "%d"}`,
		`"DateGreaterThan": {"aws:CurrentTime": "203%d-01-01T00:00:00Z"}`,
		`"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/x%d/*"}`,
		`"ForAnyValue:StringLike": {"aws:TagKeys": ["cost-%d", "owner-*"]}`,
		`"ForAllValues:StringEquals": {"aws:TagKeys": "a%d"}, "Null": {"aws:TagKeys": "false"}`,
		`"StringNotEqualsIfExists": {"aws:username": "ANNA%d"}, "StringEquals": {"aws:PrincipalTag/team": "none"}`,
	}
	var statements []string
	for i, c := range conditions {
		effect := pick(i%2 == 0, "Allow", "Deny")
		statements = append(statements, fmt.Sprintf(`{"Effect": %q, "Action": ["sso:Create*", "sso:Delete*"], "Resource": "arn:aws:sso:::*/ssoins-*", "Condition": {%s}}`, effect, fmt.Sprintf(c, i)))
	}
	statements = append(statements, `{"Sid": "Last", "Effect": "Allow", "Action": "sso:*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "${aws:RequestTag/team, 'blue'}"}}}`)
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ", ") + `]}`
}

func benchRequest() policy.Request {
	return policy.Request{
		Principal: policy.Principal{Account: account, ARN: sessARN, Issuer: roleARN},
		Action:    "sso:CreateAccountAssignment",
		Resource:  "arn:aws:sso:::instance/ssoins-1234567890abcdef",
		Context: keys{
			"aws:principaltag/team": {"blue"}, "aws:requestedregion": {"eu-central-1"}, "aws:sourceip": {"198.51.100.7"},
			"aws:multifactorauthpresent": {"true"}, "aws:multifactorauthage": {"600"}, "aws:currenttime": {"2026-01-31T12:00:00Z"},
			"aws:principalarn": {roleARN}, "aws:principalaccount": {account}, "aws:tagkeys": {"team", "project"},
		},
	}
}

// BenchmarkDecision is the measure: ten statements with conditions, none of which decides
// before the last.
func BenchmarkDecision(b *testing.B) {
	layers := policySet{Identity: []string{tenStatements()}}.layers(b)
	req := benchRequest()
	if d := policy.Evaluate(req, layers); !d.Allowed || d.Sid != "Last" {
		b.Fatalf("unexpected decision %+v", d)
	}
	b.ReportAllocs()
	for b.Loop() {
		policy.Evaluate(req, layers)
	}
}

// TestDecisionAllocations holds the bound of fewer than ten allocations.
func TestDecisionAllocations(t *testing.T) {
	layers := policySet{Identity: []string{tenStatements()}}.layers(t)
	req := benchRequest()
	if n := testing.AllocsPerRun(100, func() { policy.Evaluate(req, layers) }); n >= 10 {
		t.Errorf("%v allocations, want fewer than 10", n)
	}
}

// BenchmarkLoad compiles the ten statements, as happens once per document.
func BenchmarkLoad(b *testing.B) {
	doc := []byte(tenStatements())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Load(doc); err != nil {
			b.Fatal(err)
		}
	}
}
