package policy_test

import (
	"fmt"
	"regexp"
	"strings"

	"sallyport/internal/policy"
)

var knownFields = regexp.MustCompile(`^(Sid|Effect|(Not)?(Principal|Action|Resource)|Condition)$`)

// matches says whether a statement, its principal apart, is about the request. Where it cannot be
// read, a Deny is and an Allow is not.
func (s oracleStatement) matches(req policy.Request, deny bool) bool {
	matched := true
	for _, part := range []func(policy.Request) (bool, error){s.fieldsKnown, s.action, s.resource} {
		m, err := part(req)
		if err != nil {
			m = deny
		}
		matched = matched && m
	}
	condition, ok := s.fields["Condition"]
	if !ok {
		return matched
	}
	operators, ok := condition.(map[string]any)
	if !ok {
		return matched && deny
	}
	for name, block := range operators {
		entries, ok := block.(map[string]any)
		if !ok {
			matched = matched && deny
		}
		for key, values := range entries {
			m, err := s.condition(name, key, values, req.Context)
			if err != nil {
				m = deny
			}
			matched = matched && m
		}
	}
	return matched
}

func (s oracleStatement) fieldsKnown(policy.Request) (bool, error) {
	for name := range s.fields {
		if !knownFields.MatchString(name) {
			return false, fmt.Errorf("unknown field %s", name)
		}
	}
	if sid, ok := s.fields["Sid"]; ok && fmt.Sprintf("%T", sid) != "string" {
		return false, fmt.Errorf("%v is no Sid", sid)
	}
	if _, ok := s.fields["NotPrincipal"]; ok && s.fields["Effect"] == "Allow" {
		return false, fmt.Errorf("Allow with NotPrincipal")
	}
	return true, nil
}

var anAction = regexp.MustCompile(`^(\*|(\*|[A-Za-z0-9.-]+):[^:]+)$`)

func (s oracleStatement) action(req policy.Request) (bool, error) {
	list, negate, ok := s.either("Action")
	if !ok {
		return false, fmt.Errorf("no action")
	}
	found := false
	for _, v := range list {
		name, ok := v.(string)
		if !ok || !anAction.MatchString(name) {
			return false, fmt.Errorf("%v is no action", v)
		}
		found = found || regexp.MustCompile("(?is)^"+wild(name)+"$").MatchString(req.Action)
	}
	return found != negate, nil
}

func (s oracleStatement) either(name string) (list []any, negate, ok bool) {
	v, is := s.fields[name]
	not, isNot := s.fields["Not"+name]
	if isNot {
		v = not
	}
	list = oneOrMany(v)
	return list, isNot, is != isNot && len(list) > 0
}

func (s oracleStatement) resource(req policy.Request) (bool, error) {
	list, negate, ok := s.either("Resource")
	if !ok {
		_, principal := s.fields["Principal"]
		_, not := s.fields["NotPrincipal"]
		if principal || not {
			return true, nil
		}
		return false, fmt.Errorf("no resource")
	}
	found := false
	for _, v := range list {
		text, ok := v.(string)
		if !ok || text != "*" && !strings.HasPrefix(text, "arn:") {
			return false, fmt.Errorf("%v is no resource", v)
		}
		expression, err := s.expression(text, req.Context, wild)
		if err != nil {
			return false, err
		}
		found = found || expression != nil && expression.MatchString(req.Resource)
	}
	return found != negate, nil
}

// wild writes a text with wildcards as a regular expression.
func wild(text string) string {
	quoted := regexp.QuoteMeta(text)
	return strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
}

// wildARN does so for an ARN: in its first five segments, wildcards match no colon.
func wildARN(text string) string {
	rest := ""
	if before, ok := strings.CutSuffix(text, "*"); ok {
		text, rest = before, ".*"
	}
	segments := strings.SplitN(text, ":", 6)
	for i, segment := range segments {
		segments[i] = wild(segment)
		if i < 5 {
			segments[i] = strings.NewReplacer(`\*`, `[^:]*`, `\?`, `[^:]`).Replace(regexp.QuoteMeta(segment))
		}
	}
	return strings.Join(segments, ":") + rest
}

func ignoringCase(text string) string { return "(?i:" + regexp.QuoteMeta(text) + ")" }

var aVariable = regexp.MustCompile(`^\$\{(?:([*?$])|\s*([^,}'*?${ \t\r\n]+)\s*(?:,\s*'([^']*)'\s*)?)\}`)

// Stand-ins for the wildcards in a variable's value, which are none.
var (
	hide   = strings.NewReplacer("*", "\uE000", "?", "\uE001")
	reveal = strings.NewReplacer("\uE000", `\*`, "\uE001", `\?`)
)

// expression is the regular expression of a text in a policy; nil when it has a variable that the
// request does not resolve. write makes it from the text without its variables.
func (s oracleStatement) expression(text string, ctx policy.Context, write func(string) string) (*regexp.Regexp, error) {
	var plain strings.Builder
	resolved := true
	for text != "" {
		if !s.variables || !strings.HasPrefix(text, "${") {
			plain.WriteByte(text[0])
			text = text[1:]
			continue
		}
		m := aVariable.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("%q is no variable", text)
		}
		value := m[1]
		if value == "" {
			var ok bool
			value, ok = lookupOne(ctx, m[2])
			if !ok && strings.Contains(m[0], "'") {
				value, ok = m[3], true
			}
			resolved = resolved && ok
		}
		plain.WriteString(hide.Replace(value))
		text = text[len(m[0]):]
	}
	if !resolved {
		return nil, nil
	}
	return regexp.MustCompile("(?s)^" + reveal.Replace(write(plain.String())) + "$"), nil
}

func lookupOne(ctx policy.Context, key string) (string, bool) {
	values := lookup(ctx, key)
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

func lookup(ctx policy.Context, key string) []string {
	if ctx == nil {
		return nil
	}
	values, ok := ctx.Lookup(strings.ToLower(key))
	if !ok {
		return nil
	}
	return values
}
