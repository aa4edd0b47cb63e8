package policy

import (
	"fmt"
	"strings"
)

// Context answers what a request's condition keys and policy variables are. Keys arrive in lower
// case ("aws:principaltag/team") and only when a policy asks for them, so a value that is costly to
// know is computed in Lookup. A key that is absent, or has no values, is reported as false.
type Context interface {
	Lookup(key string) ([]string, bool)
}

// nothing is the context of a request that has none.
type nothing struct{}

func (nothing) Lookup(string) ([]string, bool) { return nil, false }

type quantifier uint8

const (
	plain quantifier = iota
	forAllValues
	forAnyValue
)

// test says whether a request's value equals one of the policy's values, in the operator's sense of
// "equals". Negation, quantifiers and absence are the condition's business, not the test's.
type test interface {
	holds(value string, ctx Context) bool
}

// condition is one key of one operator.
type condition struct {
	key        string
	quantifier quantifier
	ifExists   bool
	negate     bool
	test       test
	null       []bool // of the Null operator, which has no test
}

func (c *condition) match(ctx Context) bool {
	values, ok := ctx.Lookup(c.key)
	if !ok {
		values = nil
	}
	if c.null != nil {
		return c.matchNull(!empty(values))
	}
	switch c.quantifier {
	case forAllValues:
		return c.all(values, ctx) || empty(values)
	case forAnyValue:
		if empty(values) {
			return c.ifExists
		}
		return c.any(values, ctx)
	default:
		if len(values) == 0 {
			return c.ifExists || c.negate
		}
		return c.one(values, ctx) != c.negate
	}
}

func (c *condition) matchNull(present bool) bool {
	for _, absent := range c.null {
		if absent != present {
			return true
		}
	}
	return false
}

// empty is what AWS calls a null data set: no values, or none but the empty string. Null must see it
// as ForAllValues does, since "Null false" beside a ForAllValues is AWS's guard against an empty set.
func empty(values []string) bool {
	for _, v := range values {
		if v != "" {
			return false
		}
	}
	return true
}

func (c *condition) one(values []string, ctx Context) bool {
	for _, v := range values {
		if c.test.holds(v, ctx) {
			return true
		}
	}
	return false
}

func (c *condition) all(values []string, ctx Context) bool {
	for _, v := range values {
		if c.test.holds(v, ctx) == c.negate {
			return false
		}
	}
	return true
}

func (c *condition) any(values []string, ctx Context) bool {
	for _, v := range values {
		if c.test.holds(v, ctx) != c.negate {
			return true
		}
	}
	return false
}

// compileConditions reads a Condition element. Conditions that cannot be read are left out, and the
// first reason is returned beside those that can: the statement decides what that means.
func compileConditions(n node, variables bool) ([]condition, error) {
	if n.kind != isObject {
		//lint:ignore ST1005 the text begins with the name of an element
		return nil, fmt.Errorf("Condition must be an object, and is %s", n.kind)
	}
	var conditions []condition
	var bad error
	for _, op := range n.fields {
		compiled, err := compileOperator(op.name, op.value, variables)
		if err != nil && bad == nil {
			bad = err
		}
		conditions = append(conditions, compiled...)
	}
	return conditions, bad
}

func compileOperator(name string, block node, variables bool) ([]condition, error) {
	blank, op, err := parseOperator(name)
	if err != nil {
		return nil, err
	}
	if block.kind != isObject {
		return nil, fmt.Errorf("the condition %s must hold an object of keys and values, and holds %s", name, block.kind)
	}
	var conditions []condition
	var bad error
	for _, key := range block.fields {
		c := blank
		if err := c.fill(op, key, variables); err != nil {
			if bad == nil {
				bad = fmt.Errorf("the condition %s on %s: %w", name, key.name, err)
			}
			continue
		}
		conditions = append(conditions, c)
	}
	return conditions, bad
}

// fill compiles the values of one key. Keys are compared without case.
func (c *condition) fill(op operator, key field, variables bool) error {
	if !strings.Contains(key.name, ":") {
		return fmt.Errorf("a condition key must be prefaced by a vendor, as aws:SourceIp is")
	}
	c.key = strings.ToLower(key.name)
	values, err := key.value.strings("the value", true)
	if err != nil {
		return err
	}
	if op.null {
		c.null, err = parseBools(values)
		return err
	}
	c.test, err = op.compile(values, variables)
	return err
}

// parseOperator reads [ForAllValues:|ForAnyValue:]Operator[IfExists].
func parseOperator(name string) (condition, operator, error) {
	var c condition
	base := name
	if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		c.quantifier, base = forAllValues, rest
	} else if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		c.quantifier, base = forAnyValue, rest
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	op, ok := operators[base]
	if !ok {
		return c, op, unknownOperator(name, base)
	}
	if op.null && (c.ifExists || c.quantifier != plain) {
		return c, op, fmt.Errorf("the condition operator %s is not valid: Null tests presence and takes neither ForAllValues, ForAnyValue nor IfExists", name)
	}
	c.negate = op.negate
	return c, op, nil
}

func unknownOperator(name, base string) error {
	for known := range operators {
		if strings.EqualFold(known, base) {
			return fmt.Errorf("unknown condition operator %q: it is written %s", name, known)
		}
	}
	return fmt.Errorf("unknown condition operator %q", name)
}
