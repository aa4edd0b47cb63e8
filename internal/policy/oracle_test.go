package policy_test

import (
	"encoding/json"
	"regexp"
	"strings"

	"sallyport/internal/policy"
)

// The oracle is a second evaluator: slow, written from the rules and not from the engine, on plain
// JSON values and regular expressions. The tests hold the engine against it.

type verdict struct {
	allowed, explicit bool
	layer             policy.Layer
}

// oracleStatement is a statement as JSON has it.
type oracleStatement struct {
	fields    map[string]any
	variables bool
}

func oracleStatements(doc string) []oracleStatement {
	var root struct {
		Version   string
		Statement any
	}
	if err := json.Unmarshal([]byte(doc), &root); err != nil {
		panic(err)
	}
	var out []oracleStatement
	for _, s := range oneOrMany(root.Statement) {
		out = append(out, oracleStatement{s.(map[string]any), root.Version == "2012-10-17"})
	}
	return out
}

func oneOrMany(v any) []any {
	if many, ok := v.([]any); ok {
		return many
	}
	return []any{v}
}

// judge decides a request.
func judge(req policy.Request, set policySet) verdict {
	onResource := policy.LayerResource
	if set.Trust {
		onResource = policy.LayerTrust
	}
	var boundary []string
	if set.Boundary != nil {
		boundary = []string{*set.Boundary}
	}
	switch {
	case denies(req, set.Identity, false):
		return verdict{false, true, policy.LayerIdentity}
	case set.Boundary != nil && *set.Boundary == "":
		return verdict{false, false, policy.LayerBoundary}
	case denies(req, boundary, false):
		return verdict{false, true, policy.LayerBoundary}
	}
	for _, s := range set.Session {
		if denies(req, s, false) {
			return verdict{false, true, policy.LayerSession}
		}
	}
	if denies(req, set.Resource, true) {
		return verdict{false, true, onResource}
	}

	identity := allows(req, set.Identity)
	session := true
	for _, s := range set.Session {
		session = session && allows(req, s)
	}
	named := resourceGrant(req, set.Resource)
	otherAccount := req.ResourceAccount != "" && req.ResourceAccount != req.Principal.Account
	switch {
	case named == "" && (otherAccount || set.Trust):
		return verdict{layer: onResource}
	case named == "caller" && !otherAccount:
		return verdict{allowed: true, layer: onResource}
	case !identity && (otherAccount || named != "role"):
		return verdict{layer: policy.LayerIdentity}
	case set.Boundary != nil && !allows(req, boundary):
		return verdict{layer: policy.LayerBoundary}
	case !session:
		return verdict{layer: policy.LayerSession}
	case identity:
		return verdict{allowed: true, layer: policy.LayerIdentity}
	default:
		return verdict{allowed: true, layer: onResource}
	}
}

func denies(req policy.Request, documents []string, onResource bool) bool {
	for _, doc := range documents {
		if doc == "" {
			return true
		}
		for _, s := range oracleStatements(doc) {
			if s.fields["Effect"] == "Deny" && s.matches(req, true) && (!onResource || s.concerns(req.Principal)) {
				return true
			}
		}
	}
	return false
}

func allows(req policy.Request, documents []string) bool {
	for _, doc := range documents {
		for _, s := range oracleStatements(doc) {
			_, principal := s.fields["Principal"]
			_, not := s.fields["NotPrincipal"]
			if s.fields["Effect"] == "Allow" && !principal && !not && s.matches(req, false) {
				return true
			}
		}
	}
	return false
}

// resourceGrant is the strongest way in which an Allow names the caller.
func resourceGrant(req policy.Request, documents []string) string {
	found := map[string]bool{}
	for _, doc := range documents {
		for _, s := range oracleStatements(doc) {
			_, not := s.fields["NotPrincipal"]
			if s.fields["Effect"] == "Allow" && !not && s.matches(req, false) {
				for _, way := range waysNamed(s.fields["Principal"], req.Principal) {
					found[way] = true
				}
			}
		}
	}
	for _, way := range []string{"caller", "role", "account"} {
		if found[way] {
			return way
		}
	}
	return ""
}

// waysNamed lists how a principal element names the caller: itself, its role (or as one of
// everybody), its account. An element that cannot be read names nobody.
func waysNamed(element any, p policy.Principal) []string {
	var ways []string
	if element == "*" {
		if p.Account == "" {
			return []string{"caller"}
		}
		return []string{"role"}
	}
	if !readableElement(element) {
		return nil
	}
	for kind, names := range element.(map[string]any) {
		for _, name := range oneOrMany(names) {
			switch {
			case kind == "Federated" && p.Account == "" && p.Federated != "" && (name == p.Federated || name == "*"),
				kind == "Service" && p.Account == "" && p.Service != "" && (name == p.Service || name == "*"),
				kind == "AWS" && p.Account != "" && name == p.ARN:
				ways = append(ways, "caller")
			case kind != "AWS" || p.Account == "":
			case name == "*", p.Issuer != "" && name == p.Issuer:
				ways = append(ways, "role")
			case name == p.Account, name == "arn:aws:iam::"+p.Account+":root":
				ways = append(ways, "account")
				if p.ARN == "arn:aws:iam::"+p.Account+":root" {
					ways = append(ways, "caller")
				}
			}
		}
	}
	return ways
}

var (
	awsPrincipal = regexp.MustCompile(`^(\*|\d{12}|[A-Z0-9]{16,}|arn:[^:]*:(iam|sts):[^:]*:\d{12}:[^*?]*)$`)
	typesOfNames = regexp.MustCompile(`^(AWS|Federated|Service|CanonicalUser)$`)
)

func readableElement(element any) bool {
	types, ok := element.(map[string]any)
	return ok && readableTypes(types)
}

func readableTypes(types map[string]any) bool {
	for kind, names := range types {
		if !typesOfNames.MatchString(kind) {
			return false
		}
		for _, name := range oneOrMany(names) {
			s, ok := name.(string)
			if !ok || s == "" || kind == "AWS" && !awsPrincipal.MatchString(s) {
				return false
			}
		}
	}
	return len(types) > 0
}

// concerns says whether a Deny of a resource policy is about the caller.
func (s oracleStatement) concerns(p policy.Principal) bool {
	element, ok := s.fields["Principal"]
	not, isNot := s.fields["NotPrincipal"]
	if ok && isNot {
		return true
	}
	if ok {
		return element != "*" && !readableElement(element) || len(waysNamed(element, p)) > 0
	}
	if !isNot || not != "*" && !readableElement(not) {
		return true
	}
	element = not
	// Every identity that the caller has must be listed.
	identities := []policy.Principal{p}
	if p.Account != "" {
		identities = []policy.Principal{{Account: p.Account, ARN: "arn:aws:iam::" + p.Account + ":root"}, {Account: p.Account, ARN: p.ARN}}
		if p.Issuer != "" {
			identities = append(identities, policy.Principal{Account: p.Account, ARN: p.Issuer})
		}
	}
	for _, identity := range identities {
		ways := strings.Join(waysNamed(element, identity), " ")
		if !strings.Contains(ways, "caller") && !strings.Contains(ways, "role") {
			return true
		}
	}
	return false
}
