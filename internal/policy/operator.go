package policy

import "fmt"

// operator is a condition operator without its qualifiers. The negated form of an operator shares
// its test.
type operator struct {
	null    bool
	negate  bool
	compile func(values []string, variables bool) (test, error)
}

// operators are all of IAM's condition operators, by the name that a policy writes.
var operators = map[string]operator{
	"Null": {null: true},

	"StringEquals":              {compile: compileStringEquals},
	"StringNotEquals":           {compile: compileStringEquals, negate: true},
	"StringEqualsIgnoreCase":    {compile: compileStringEqualsIgnoreCase},
	"StringNotEqualsIgnoreCase": {compile: compileStringEqualsIgnoreCase, negate: true},
	"StringLike":                {compile: compileStringLike},
	"StringNotLike":             {compile: compileStringLike, negate: true},

	// AWS: "ArnEquals and ArnLike behave identically."
	"ArnEquals":    {compile: compileARNLike},
	"ArnLike":      {compile: compileARNLike},
	"ArnNotEquals": {compile: compileARNLike, negate: true},
	"ArnNotLike":   {compile: compileARNLike, negate: true},

	"NumericEquals":            {compile: compileNumeric(equal)},
	"NumericNotEquals":         {compile: compileNumeric(equal), negate: true},
	"NumericLessThan":          {compile: compileNumeric(less)},
	"NumericLessThanEquals":    {compile: compileNumeric(less | equal)},
	"NumericGreaterThan":       {compile: compileNumeric(greater)},
	"NumericGreaterThanEquals": {compile: compileNumeric(greater | equal)},

	"DateEquals":            {compile: compileDate(equal)},
	"DateNotEquals":         {compile: compileDate(equal), negate: true},
	"DateLessThan":          {compile: compileDate(less)},
	"DateLessThanEquals":    {compile: compileDate(less | equal)},
	"DateGreaterThan":       {compile: compileDate(greater)},
	"DateGreaterThanEquals": {compile: compileDate(greater | equal)},

	"Bool":         {compile: compileBool},
	"BinaryEquals": {compile: compileBinary},

	"IpAddress":    {compile: compileIP},
	"NotIpAddress": {compile: compileIP, negate: true},
}

// relation is the set of orders in which a comparison holds.
type relation uint8

const (
	less relation = 1 << iota
	equal
	greater
)

// has says whether the relation includes the outcome (-1, 0 or 1) of a comparison.
func (r relation) has(order int) bool { return r&(1<<(order+1)) != 0 }

// compileEach compiles every value with parse, and names the one that cannot be read.
func compileEach[T any](values []string, parse func(string) (T, error)) ([]T, error) {
	out := make([]T, 0, len(values))
	for _, v := range values {
		t, err := parse(v)
		if err != nil {
			return nil, fmt.Errorf("%q %w", v, err)
		}
		out = append(out, t)
	}
	return out, nil
}
