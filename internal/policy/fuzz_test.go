package policy_test

import (
	"testing"
	"unicode/utf8"

	"sallyport/internal/fault"
	"sallyport/internal/policy"
)

// seeds are the documents of the parse corpus.
func seeds(f *testing.F) []string {
	var documents []string
	for _, c := range parseCorpus(f) {
		documents = append(documents, c.Document)
	}
	return documents
}

// FuzzParse looks for a document that breaks a parser, and for one that may be written and then
// cannot be loaded.
func FuzzParse(f *testing.F) {
	for _, doc := range seeds(f) {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		_, loadErr := policy.Load(doc)
		for _, parse := range []func([]byte) (*policy.Policy, error){policy.Parse, policy.ParseResource} {
			_, err := parse(doc)
			if err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("the error is no fault: %v", err)
			}
			if err == nil && loadErr != nil {
				t.Errorf("the document is parsed but not loaded: %v", loadErr)
			}
		}
	})
}

// FuzzEvaluate looks for a policy on which engine and oracle disagree.
func FuzzEvaluate(f *testing.F) {
	for _, doc := range seeds(f) {
		f.Add(doc, "s3:GetObject", "arn:aws:s3:::data/x", "aws:username", "anna")
	}
	f.Fuzz(func(t *testing.T, doc, action, resource, key, value string) {
		for _, s := range []string{action, resource, key, value} {
			// The oracle's regular expressions take invalid bytes for U+FFFD.
			if !utf8.ValidString(s) || len(s) > 200 {
				return
			}
		}
		if _, err := policy.Load([]byte(doc)); err != nil || len(doc) > 2000 {
			return
		}
		user := policy.Principal{Account: account, ARN: userARN}
		req := policy.Request{Principal: user, Action: action, Resource: resource, Context: keys{key: {value}}}
		for _, set := range []policySet{{Identity: []string{doc}}, {Identity: []string{allowAll, doc}}, {Resource: []string{doc}}} {
			d, o := policy.Evaluate(req, set.layers(t)), judge(req, set)
			if o != (verdict{d.Allowed, d.Explicit, d.Layer}) {
				t.Errorf("policies %s\nrequest %+v\nthe engine says %+v\nthe oracle says %+v", encode(set), req, d, o)
			}
		}
	})
}
