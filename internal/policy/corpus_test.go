package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/policy"
)

// keys is a context with fixed values.
type keys map[string][]string

func (k keys) Lookup(key string) ([]string, bool) {
	values, ok := k[key]
	return values, ok
}

// corpus reads every file of a folder of test data.
func corpus[T any](t *testing.T, folder string) map[string][]T {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	all := map[string][]T{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		var groups []T
		if err := dec.Decode(&groups); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".json")] = groups
	}
	return all
}

// conditionGroup is one Condition element, and contexts that it matches or not.
type conditionGroup struct {
	About      string
	Version    *string // nil: 2012-10-17; "": none
	Condition  json.RawMessage
	Unreadable bool // refused by Parse; a stored Allow never matches, a stored Deny always denies
	Cases      []struct {
		Context keys
		Match   bool
	}
}

func (g conditionGroup) policy(effect string) string {
	version := `"Version": "2012-10-17", `
	if g.Version != nil {
		version = ""
		if *g.Version != "" {
			version = fmt.Sprintf(`"Version": %q, `, *g.Version)
		}
	}
	return fmt.Sprintf(`{%s"Statement": [{"Sid": "It", "Effect": %q, "Action": "s3:GetObject", "Resource": "*", "Condition": %s}]}`,
		version, effect, g.Condition)
}

// TestConditions runs every condition of the corpus as an Allow by itself, and as a Deny of what
// another policy allows.
func TestConditions(t *testing.T) {
	t.Parallel()
	for family, groups := range corpus[conditionGroup](t, "conditions") {
		for i, g := range groups {
			allow, deny := g.load(t, "Allow"), g.load(t, "Deny")
			for j, c := range g.Cases {
				name := fmt.Sprintf("%s/%d/%d %s %s", family, i, j, g.Condition, g.About)
				checkWant(t, name+" Allow", g.request(c.Context), policySet{Identity: []string{allow}}, pick(c.Match, "allow It", "no identity-based policy"))
				checkWant(t, name+" Deny", g.request(c.Context), policySet{Identity: []string{allowAll, deny}},
					pick(c.Match || g.Unreadable, "deny It in an identity-based policy", "allow All"))
			}
		}
	}
}

const allowAll = `{"Version": "2012-10-17", "Statement": {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}}`

func (g conditionGroup) request(context keys) policy.Request {
	return policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::data/x", Context: context}
}

// load checks that Parse takes the policy exactly when the corpus says that it is readable.
func (g conditionGroup) load(t *testing.T, effect string) string {
	t.Helper()
	doc := g.policy(effect)
	if _, err := policy.Parse([]byte(doc)); (err != nil) != g.Unreadable {
		t.Errorf("Parse(%s) = %v, unreadable is %v", doc, err, g.Unreadable)
	}
	return doc
}

// policySet is Layers with documents; "" is a policy that is gone.
type policySet struct {
	Identity []string
	Boundary *string
	Session  [][]string
	Resource []string
	Trust    bool
}

func (s policySet) layers(t testing.TB) policy.Layers {
	t.Helper()
	l := policy.Layers{Identity: named(t, s.Identity), Resource: named(t, s.Resource), Trust: s.Trust}
	if s.Boundary != nil {
		l.Boundary = &named(t, []string{*s.Boundary})[0]
	}
	for _, documents := range s.Session {
		l.Session = append(l.Session, named(t, documents))
	}
	return l
}

func named(t testing.TB, documents []string) []policy.Named {
	t.Helper()
	out := make([]policy.Named, len(documents))
	for i, doc := range documents {
		out[i].Name = fmt.Sprintf("policy-%d", i+1)
		if doc == "" {
			continue
		}
		p, err := policy.Load([]byte(doc))
		if err != nil {
			t.Fatalf("Load(%s): %v", doc, err)
		}
		out[i].Policy = p
	}
	return out
}

// checkWant holds the engine and the oracle against what the corpus expects: "allow SID",
// "deny SID in …" or "no …", with AWS's sentence for the latter two.
func checkWant(t *testing.T, name string, req policy.Request, set policySet, want string) {
	t.Helper()
	d := policy.Evaluate(req, set.layers(t))
	because := d.Because()
	var got, sentence string
	sid := d.Sid
	if sid == "" {
		sid = "-"
	}
	switch {
	case d.Allowed:
		got = "allow " + sid
	case d.Explicit:
		got = "deny " + sid + strings.TrimPrefix(because, "with an explicit deny")
		sentence = "with an explicit deny" + strings.TrimPrefix(want, "deny "+sid)
	default:
		got = "no " + string(d.Layer)
		sentence = "because " + want + " allows the " + req.Action + " action"
	}
	if got != want || because != sentence {
		t.Errorf("%s:\n  context %v\n  got  %s (%s)\n  want %s", name, req.Context, got, because, want)
	}
	if o := judge(req, set); o.allowed != d.Allowed || o.explicit != d.Explicit || o.layer != d.Layer {
		t.Errorf("%s:\n  context %v\n  the oracle says %+v\n  and the engine  %+v", name, req.Context, o, d)
	}
}

// requestGroup is a set of policies with requests.
type requestGroup struct {
	About   string
	Stored  bool // has what Parse refuses
	Request map[string]json.RawMessage
	Layers  map[string]json.RawMessage
	Cases   []struct {
		About   string
		Request map[string]json.RawMessage // replaces members of the group's
		Layers  map[string]json.RawMessage // likewise
		Want    string
	}
}

// TestRequests runs the corpus of whole requests.
func TestRequests(t *testing.T) {
	t.Parallel()
	for family, groups := range corpus[requestGroup](t, "requests") {
		for i, g := range groups {
			for j, c := range g.Cases {
				name := fmt.Sprintf("%s/%d/%d %s: %s", family, i, j, g.About, c.About)
				set := readSet(t, overlay(g.Layers, c.Layers))
				if !g.Stored {
					set.mustParse(t, name)
				}
				checkWant(t, name, readRequest(t, overlay(g.Request, c.Request)), set, c.Want)
			}
		}
	}
}

func overlay(base, over map[string]json.RawMessage) map[string]json.RawMessage {
	out := maps.Clone(base)
	maps.Copy(out, over)
	return out
}

func readRequest(t *testing.T, fields map[string]json.RawMessage) policy.Request {
	t.Helper()
	var req struct {
		Principal                         policy.Principal
		Action, Resource, ResourceAccount string
		Context                           keys
	}
	remarshal(t, fields, &req)
	return policy.Request{
		Principal: req.Principal, Action: req.Action, Resource: req.Resource,
		ResourceAccount: req.ResourceAccount, Context: req.Context,
	}
}

func remarshal(t *testing.T, from, into any) {
	t.Helper()
	data, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}

// document is a policy in the corpus: a whole document, or the list of its statements, or "gone".
type document string

func (d *document) UnmarshalJSON(data []byte) error {
	switch {
	case string(data) == `"gone"`:
		*d = ""
	case data[0] == '[':
		*d = document(`{"Version": "2012-10-17", "Statement": ` + string(data) + `}`)
	default:
		*d = document(data)
	}
	return nil
}

func readSet(t *testing.T, fields map[string]json.RawMessage) policySet {
	t.Helper()
	var in struct {
		Identity, Resource []document
		Boundary           *document
		Session            [][]document
		Trust              bool
	}
	remarshal(t, fields, &in)
	set := policySet{Identity: texts(in.Identity), Resource: texts(in.Resource), Boundary: (*string)(in.Boundary), Trust: in.Trust}
	for _, s := range in.Session {
		set.Session = append(set.Session, texts(s))
	}
	return set
}

func texts(documents []document) (out []string) {
	for _, d := range documents {
		out = append(out, string(d))
	}
	return out
}

// mustParse checks that every policy of the set could have been written.
func (s policySet) mustParse(t *testing.T, name string) {
	t.Helper()
	documents := s.Identity
	if s.Boundary != nil {
		documents = append(documents, *s.Boundary)
	}
	for _, session := range s.Session {
		documents = append(documents, session...)
	}
	for _, doc := range documents {
		if _, err := policy.Parse([]byte(doc)); doc != "" && err != nil {
			t.Errorf("%s: Parse(%s): %v", name, doc, err)
		}
	}
	for _, doc := range s.Resource {
		if _, err := policy.ParseResource([]byte(doc)); doc != "" && err != nil {
			t.Errorf("%s: ParseResource(%s): %v", name, doc, err)
		}
	}
}
