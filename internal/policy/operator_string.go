package policy

import "strings"

// patternTest holds when the value matches one of the patterns: StringEquals (whose patterns have no
// wildcards), StringLike and the ARN operators.
type patternTest []pattern

func (t patternTest) holds(value string, ctx Context) bool {
	for i := range t {
		if t[i].match(value, ctx) {
			return true
		}
	}
	return false
}

// foldTest is StringEqualsIgnoreCase.
type foldTest []pattern

func (t foldTest) holds(value string, ctx Context) bool {
	for i := range t {
		if t[i].equalFold(value, ctx) {
			return true
		}
	}
	return false
}

func (p *pattern) equalFold(s string, ctx Context) bool {
	if p.kind == literal {
		return strings.EqualFold(s, p.text)
	}
	whole, ok := p.expand(nil, ctx)
	return ok && strings.EqualFold(s, string(whole))
}

func compilePatterns(values []string, sx syntax) ([]pattern, error) {
	patterns := make([]pattern, 0, len(values))
	for _, v := range values {
		p, err := compilePattern(v, sx)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

func compileStringEquals(values []string, variables bool) (test, error) {
	p, err := compilePatterns(values, syntax{variables: variables})
	return patternTest(p), err
}

func compileStringEqualsIgnoreCase(values []string, variables bool) (test, error) {
	p, err := compilePatterns(values, syntax{variables: variables})
	return foldTest(p), err
}

func compileStringLike(values []string, variables bool) (test, error) {
	p, err := compilePatterns(values, syntax{wildcards: true, variables: variables})
	return patternTest(p), err
}

func compileARNLike(values []string, variables bool) (test, error) {
	p, err := compilePatterns(values, syntax{wildcards: true, variables: variables, arn: true})
	return patternTest(p), err
}
