package policy

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// number is a decimal number: exact when it is an integer, as sizes and epochs are.
type number struct {
	integer int64
	float   float64
	exact   bool
}

func (a number) compare(b number) int {
	if a.exact && b.exact {
		return cmp.Compare(a.integer, b.integer)
	}
	return cmp.Compare(a.float, b.float)
}

func parseNumber(s string) (number, error) {
	// strconv also takes "inf", "nan", hexadecimal and underscores, which are no numbers to IAM.
	if s == "" || strings.Trim(s, "0123456789.+-eE") != "" {
		return number{}, errors.New("is not a number")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return number{}, errors.New("is not a number")
	}
	i, err := strconv.ParseInt(s, 10, 64)
	return number{integer: i, float: f, exact: err == nil}, nil
}

type numericTest struct {
	relation relation
	numbers  []number
}

func (t *numericTest) holds(value string, _ Context) bool {
	n, err := parseNumber(value)
	if err != nil {
		return false
	}
	for _, want := range t.numbers {
		if t.relation.has(n.compare(want)) {
			return true
		}
	}
	return false
}

func compileNumeric(r relation) func([]string, bool) (test, error) {
	return func(values []string, _ bool) (test, error) {
		numbers, err := compileEach(values, parseNumber)
		return &numericTest{r, numbers}, err
	}
}

// dateLayouts are the forms of W3C's profile of ISO 8601 that carry a time zone where they carry a
// time; Go's parser takes fractions of a second without being told.
var dateLayouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"}

// parseDate reads an ISO 8601 date, or seconds since 1970. Four digits are a year.
func parseDate(s string) (time.Time, error) {
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) <= 12 {
		return time.Unix(seconds, 0), nil
	}
	return time.Time{}, errors.New("is not a date: write 2026-01-31T12:00:00Z, or seconds since 1970")
}

type dateTest struct {
	relation relation
	dates    []time.Time
}

func (t *dateTest) holds(value string, _ Context) bool {
	d, err := parseDate(value)
	if err != nil {
		return false
	}
	for _, want := range t.dates {
		if t.relation.has(d.Compare(want)) {
			return true
		}
	}
	return false
}

func compileDate(r relation) func([]string, bool) (test, error) {
	return func(values []string, _ bool) (test, error) {
		dates, err := compileEach(values, parseDate)
		return &dateTest{r, dates}, err
	}
}

func parseBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"):
		return false, nil
	}
	return false, errors.New("is neither true nor false")
}

func parseBools(values []string) ([]bool, error) { return compileEach(values, parseBool) }

type boolTest []bool

func (t boolTest) holds(value string, _ Context) bool {
	b, err := parseBool(value)
	if err != nil {
		return false
	}
	for _, want := range t {
		if b == want {
			return true
		}
	}
	return false
}

func compileBool(values []string, _ bool) (test, error) {
	bools, err := parseBools(values)
	return boolTest(bools), err
}

// binaryTest compares bytes that both sides write in base64.
type binaryTest []string

func (t binaryTest) holds(value string, _ Context) bool {
	b, err := parseBinary(value)
	if err != nil {
		return false
	}
	for _, want := range t {
		if b == want {
			return true
		}
	}
	return false
}

func parseBinary(s string) (string, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return "", errors.New("is not base64")
	}
	return string(b), nil
}

func compileBinary(values []string, _ bool) (test, error) {
	binaries, err := compileEach(values, parseBinary)
	return binaryTest(binaries), err
}

type ipTest []netip.Prefix

func (t ipTest) holds(value string, _ Context) bool {
	addr, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	for _, network := range t {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// parseNetwork reads an address or a CIDR block. Bits beyond the block's length do not matter.
func parseNetwork(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, errors.New("is not an IP address or CIDR block")
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errors.New("is not an IP address or CIDR block")
	}
	if network.Addr().Is4In6() {
		// Requests' addresses are unmapped before they are compared, so this block would match none.
		return netip.Prefix{}, fmt.Errorf("is an IPv4 address in IPv6's clothing: write %s as IPv4", network.Addr().Unmap())
	}
	return network.Masked(), nil
}

func compileIP(values []string, _ bool) (test, error) {
	networks, err := compileEach(values, parseNetwork)
	return ipTest(networks), err
}
