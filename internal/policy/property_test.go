package policy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sallyport/internal/policy"
)

// outcome is what a decision says, without which of several statements said it first.
func outcome(d policy.Decision) string {
	return fmt.Sprintf("allowed %v, explicit %v, %s", d.Allowed, d.Explicit, d.Layer)
}

func TestEngineAgreesWithOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		set := drawSet(r)
		layers := set.layers(t)
		for range 10 {
			req := drawRequest(r)
			d, o := policy.Evaluate(req, layers), judge(req, set)
			if o != (verdict{d.Allowed, d.Explicit, d.Layer}) {
				r.Fatalf("policies %s\nrequest %+v\nthe engine says %+v\nthe oracle says %+v", encode(set), req, d, o)
			}
		}
	})
}

func TestDenyAlwaysWins(t *testing.T) {
	t.Parallel()
	const deny = `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}`
	const denyAnyone = `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}`
	rapid.Check(t, func(r *rapid.T) {
		set := drawSet(r)
		req := drawRequest(r)
		switch rapid.IntRange(0, 3).Draw(r, "layer") {
		case 0:
			set.Identity = append(set.Identity, deny)
		case 1:
			boundary := deny
			set.Boundary = &boundary
		case 2:
			set.Session = append(set.Session, []string{allowAll, deny})
		case 3:
			// A principal that is nobody is not concerned by "*".
			req.Principal = oneOf(r, policy.Principal{Account: account, ARN: userARN}, policy.Principal{Account: account, ARN: sessARN, Issuer: roleARN})
			set.Resource = append(set.Resource, denyAnyone)
		}
		if d := policy.Evaluate(req, set.layers(t)); d.Allowed {
			r.Fatalf("policies %s\nrequest %+v\nallowed by %+v", encode(set), req, d)
		}
	})
}

func TestUnrelatedStatementChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		set := drawSet(r)
		req := drawRequest(r)
		before := policy.Evaluate(req, set.layers(t))
		unrelated := func(documents []string) []string {
			return each(documents, func(statements []any) []any {
				other := drawStatement(r, false)
				delete(other, "NotAction")
				delete(other, "Unheard")
				other["Action"] = []any{"unrelated:*"}
				other["Resource"], other["Condition"] = "*", map[string]any{}
				delete(other, "NotResource")
				return slices.Insert(statements, rapid.IntRange(0, len(statements)).Draw(r, "place"), any(other))
			})
		}
		after := policy.Evaluate(req, set.change(unrelated).layers(t))
		if outcome(before) != outcome(after) || before.Policy != after.Policy {
			r.Fatalf("policies %s\nrequest %+v\nbefore %+v\nafter  %+v", encode(set), req, before, after)
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		set := drawSet(r)
		req := drawRequest(r)
		before := policy.Evaluate(req, set.layers(t))
		shuffle := func(documents []string) []string {
			documents = each(documents, func(statements []any) []any {
				return rapid.Permutation(statements).Draw(r, "statements")
			})
			return rapid.Permutation(documents).Draw(r, "policies")
		}
		if after := policy.Evaluate(req, set.change(shuffle).layers(t)); outcome(before) != outcome(after) {
			r.Fatalf("policies %s\nrequest %+v\nbefore %+v\nafter  %+v", encode(set), req, before, after)
		}
	})
}

// TestMoreAllowsNeverTakeAway adds an Allow to the identity policies.
func TestMoreAllowsNeverTakeAway(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		set := drawSet(r)
		req := drawRequest(r)
		before := policy.Evaluate(req, set.layers(t))
		set.Identity = append([]string{allowAll}, set.Identity...)
		if after := policy.Evaluate(req, set.layers(t)); before.Allowed && !after.Allowed {
			r.Fatalf("policies %s\nrequest %+v\nbefore %+v\nafter  %+v", encode(set), req, before, after)
		}
	})
}

// change applies a change to the policies of every layer.
func (s policySet) change(f func([]string) []string) policySet {
	s.Identity, s.Resource = f(s.Identity), f(s.Resource)
	if s.Boundary != nil {
		s.Boundary = &f([]string{*s.Boundary})[0]
	}
	s.Session = slices.Clone(s.Session)
	for i := range s.Session {
		s.Session[i] = f(s.Session[i])
	}
	return s
}

// each applies a change to the statements of every document.
func each(documents []string, f func([]any) []any) []string {
	documents = slices.Clone(documents)
	for i, doc := range documents {
		if doc == "" {
			continue
		}
		var root map[string]any
		if err := json.Unmarshal([]byte(doc), &root); err != nil {
			panic(err)
		}
		root["Statement"] = f(oneOrMany(root["Statement"]))
		documents[i] = encode(root)
	}
	return documents
}
