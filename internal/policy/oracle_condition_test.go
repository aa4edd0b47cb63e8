package policy_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/policy"
)

var anOperator = regexp.MustCompile(`^(ForAllValues:|ForAnyValue:)?((?:String|Numeric|Date|Arn)?(Not)?(?:Equals|Like|EqualsIgnoreCase|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals)|Bool|BinaryEquals|(Not)?IpAddress|Null)(IfExists)?$`)

// condition decides one key of one operator.
func (s oracleStatement) condition(name, key string, values any, ctx policy.Context) (bool, error) {
	m := anOperator.FindStringSubmatch(name)
	if m == nil || !strings.Contains(key, ":") {
		return false, fmt.Errorf("%s on %s is no condition", name, key)
	}
	set, operator, negate, ifExists := m[1], m[2], m[3]+m[4] != "", m[5] != ""
	wanted, err := scalars(values)
	if err != nil {
		return false, err
	}
	equals, err := s.comparison(strings.Replace(operator, "Not", "", 1), wanted, ctx)
	if err != nil {
		return false, err
	}
	have := lookup(ctx, key)
	count, blank := 0, 0
	for _, v := range have {
		if equals != nil && equals(v) != negate {
			count++
		}
		if v == "" {
			blank++
		}
	}
	nothing := blank == len(have)
	switch {
	case operator == "Null":
		if set != "" || ifExists {
			return false, fmt.Errorf("%s is no operator", name)
		}
		absent := strconv.FormatBool(nothing)
		return strings.Contains(strings.ToLower(strings.Join(wanted, " ")), absent), nil
	case set == "ForAllValues:":
		return nothing || count == len(have), nil
	case set == "ForAnyValue:":
		return nothing && ifExists || !nothing && count > 0, nil
	case len(have) == 0:
		return negate || ifExists, nil
	case negate:
		return count == len(have), nil
	default:
		return count > 0, nil
	}
}

func scalars(v any) ([]string, error) {
	var out []string
	for _, v := range oneOrMany(v) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case bool:
			out = append(out, strconv.FormatBool(v))
		case float64:
			out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
		default:
			return nil, fmt.Errorf("%v is no value", v)
		}
	}
	return out, nil
}

// comparison says whether a value equals one of those wanted, in the sense of an operator without
// its negation. It is nil for Null.
func (s oracleStatement) comparison(operator string, wanted []string, ctx policy.Context) (func(string) bool, error) {
	switch operator {
	case "Null", "Bool":
		for _, w := range wanted {
			if l := strings.ToLower(w); l != "true" && l != "false" {
				return nil, fmt.Errorf("%q is no boolean", w)
			}
		}
		return among(wanted, strings.EqualFold), nil
	case "StringEquals":
		return s.text(wanted, ctx, regexp.QuoteMeta)
	case "StringLike":
		return s.text(wanted, ctx, wild)
	case "StringEqualsIgnoreCase":
		return s.text(wanted, ctx, ignoringCase)
	case "ArnEquals", "ArnLike":
		return s.text(wanted, ctx, wildARN)
	case "BinaryEquals":
		return typed(wanted, base64.StdEncoding.Strict().DecodeString, func(a, b []byte) bool { return bytes.Equal(a, b) })
	case "IpAddress":
		equals, err := typed(wanted, readNetwork, func(a, b *net.IPNet) bool { return b.Contains(a.IP) })
		return func(v string) bool { return !strings.Contains(v, "/") && equals(v) }, err
	}
	family, relation := "", ""
	for _, f := range []string{"Numeric", "Date"} {
		if rest, ok := strings.CutPrefix(operator, f); ok {
			family, relation = f, rest
		}
	}
	holds := func(order int) bool {
		return order < 0 && strings.HasPrefix(relation, "Less") || order > 0 && strings.HasPrefix(relation, "Greater") ||
			order == 0 && strings.HasSuffix(relation, "Equals")
	}
	switch {
	case family == "Numeric" && relation != "Like":
		return typed(wanted, readNumber, func(a, b *big.Rat) bool { return holds(a.Cmp(b)) })
	case family == "Date" && relation != "Like":
		return typed(wanted, readDate, func(a, b time.Time) bool { return holds(a.Compare(b)) })
	}
	return nil, fmt.Errorf("%s is no operator", operator)
}

func among(wanted []string, equal func(a, b string) bool) func(string) bool {
	return func(value string) bool {
		for _, w := range wanted {
			if equal(value, w) {
				return true
			}
		}
		return false
	}
}

func typed[T any](wanted []string, read func(string) (T, error), equal func(value, wanted T) bool) (func(string) bool, error) {
	for _, w := range wanted {
		if _, err := read(w); err != nil {
			return nil, err
		}
	}
	return among(wanted, func(a, b string) bool {
		value, err := read(a)
		want, _ := read(b)
		return err == nil && equal(value, want)
	}), nil
}

func (s oracleStatement) text(wanted []string, ctx policy.Context, write func(string) string) (func(string) bool, error) {
	var expressions []*regexp.Regexp
	for _, w := range wanted {
		e, err := s.expression(w, ctx, write)
		if err != nil {
			return nil, err
		}
		if e != nil {
			expressions = append(expressions, e)
		}
	}
	return func(value string) bool {
		for _, e := range expressions {
			if e.MatchString(value) {
				return true
			}
		}
		return false
	}, nil
}

var (
	integer = regexp.MustCompile(`^[+-]?\d{1,18}$`)
	decimal = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)
)

// readNumber reads integers exactly and other numbers as float64s.
func readNumber(s string) (*big.Rat, error) {
	if integer.MatchString(s) {
		n, _ := new(big.Rat).SetString(s)
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !decimal.MatchString(s) {
		return nil, fmt.Errorf("%q is no number", s)
	}
	return new(big.Rat).SetFloat64(f), nil
}

var (
	seconds = regexp.MustCompile(`^([+-]?\d{1,11}|\d{12})$`)
	zoned   = regexp.MustCompile(`T\d\d:\d\d(Z|[+-]\d\d:\d\d)$`)
)

func readDate(s string) (time.Time, error) {
	switch {
	case len(s) == 4 && !strings.ContainsAny(s, "+-"):
		return time.Parse(time.RFC3339, s+"-01-01T00:00:00Z")
	case seconds.MatchString(s):
		n, err := strconv.ParseInt(s, 10, 64)
		return time.Unix(n, 0), err
	case len(s) == 7:
		return time.Parse(time.RFC3339, s+"-01T00:00:00Z")
	case len(s) == 10:
		return time.Parse(time.RFC3339, s+"T00:00:00Z")
	case zoned.MatchString(s):
		return time.Parse(time.RFC3339, s[:16]+":00"+s[16:])
	}
	return time.Parse(time.RFC3339Nano, s)
}

// readNetwork reads an address as the network of itself alone.
func readNetwork(s string) (*net.IPNet, error) {
	if ip := net.ParseIP(s); ip != nil {
		if v4 := ip.To4(); v4 != nil {
			return &net.IPNet{IP: v4, Mask: net.CIDRMask(32, 32)}, nil
		}
		return &net.IPNet{IP: ip, Mask: net.CIDRMask(128, 128)}, nil
	}
	ip, network, err := net.ParseCIDR(s)
	if err == nil && strings.Contains(s, ":") && ip.To4() != nil {
		return nil, fmt.Errorf("%q is an IPv4 network as IPv6", s)
	}
	if err == nil {
		network.IP = network.IP.Mask(network.Mask)
	}
	return network, err
}
