package policy_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/policy"
)

// TestInvalidBytesAreNoWildcards: compiled patterns mark wildcards with bytes that no UTF-8 text
// has, and a request's value may have them.
func TestInvalidBytesAreNoWildcards(t *testing.T) {
	t.Parallel()
	const doc = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}}`
	layers := policySet{Identity: []string{doc}}.layers(t)
	for _, name := range []string{"\xff", "\xfe", "\xfd", "ann\xfe", "\xc3"} {
		req := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::home/anna/x", Context: keys{"aws:username": {name}}}
		if d := policy.Evaluate(req, layers); d.Allowed {
			t.Errorf("a user named %q is let into another's home", name)
		}
	}
	// On the other side such bytes are characters like any other.
	req := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::home/anna/\xff\xfe", Context: keys{"aws:username": {"anna"}}}
	if d := policy.Evaluate(req, layers); !d.Allowed {
		t.Errorf("invalid bytes in a resource: %s", d.Because())
	}
}

// TestHostileGlobIsFast: a matcher that backtracks through every star would not come back.
func TestHostileGlobIsFast(t *testing.T) {
	t.Parallel()
	doc := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:` + strings.Repeat("*a", 1000) + `*b"}}`
	layers := policySet{Identity: []string{doc}}.layers(t)
	req := policy.Request{Action: "s3:GetObject", Resource: "arn:" + strings.Repeat("a", 2000)}
	done := make(chan policy.Decision, 1)
	go func() { done <- policy.Evaluate(req, layers) }()
	select {
	case d := <-done:
		if d.Allowed {
			t.Error("matched")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still matching after 10 s")
	}
}

// counting notes which keys were asked for.
type counting map[string]int

func (c counting) Lookup(key string) ([]string, bool) {
	c[key]++
	return nil, false
}

// TestContextIsAskedOnlyWhenNeeded: values may be costly, so statements about something else ask for
// none.
func TestContextIsAskedOnlyWhenNeeded(t *testing.T) {
	t.Parallel()
	const doc = `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": {"Bool": {"k:other": "true"}}},
		{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::else", "Condition": {"Bool": {"k:Resource": "true"}}},
		{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"k:First": "true"}, "StringEquals": {"k:Second": "x"}}}]}`
	asked := counting{}
	policy.Evaluate(policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::data", Context: asked}, policySet{Identity: []string{doc}}.layers(t))
	if len(asked) != 1 || asked["k:first"] != 1 {
		t.Errorf("asked for %v, want only k:first", asked)
	}
}

// TestNoContext: a request without a context has no keys.
func TestNoContext(t *testing.T) {
	t.Parallel()
	const doc = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"aws:username": "true"}}}}`
	if d := policy.Evaluate(policy.Request{Action: "s3:GetObject"}, policySet{Identity: []string{doc}}.layers(t)); !d.Allowed {
		t.Error(d.Because())
	}
}

func TestDecisionNamesWhatDecided(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse([]byte(`{"Version": "2012-10-17", "Statement": [
		{"Sid": "Read", "Effect": "Allow", "Action": "sso:List*", "Resource": "*"},
		{"Sid": "Never", "Effect": "Deny", "Action": "sso:ListInstances", "Resource": "*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	layers := policy.Layers{Identity: []policy.Named{{Name: "Auditors", Policy: p}}}
	for action, want := range map[string]policy.Decision{
		"sso:ListPermissionSets":  {Allowed: true, Layer: policy.LayerIdentity, Policy: "Auditors", Statement: 1, Sid: "Read", Action: "sso:ListPermissionSets"},
		"sso:ListInstances":       {Explicit: true, Layer: policy.LayerIdentity, Policy: "Auditors", Statement: 2, Sid: "Never", Action: "sso:ListInstances"},
		"sso:CreatePermissionSet": {Layer: policy.LayerIdentity, Action: "sso:CreatePermissionSet"},
	} {
		if got := policy.Evaluate(policy.Request{Action: action, Resource: "*"}, layers); got != want {
			t.Errorf("%s: got %+v, want %+v", action, got, want)
		}
	}
	if got := policy.Evaluate(policy.Request{Action: "sso:CreatePermissionSet", Resource: "*"}, layers).Because(); got != "because no identity-based policy allows the sso:CreatePermissionSet action" {
		t.Errorf("Because() = %q", got)
	}
}
