// Package arn has the typed identifiers of the product and the ARNs in which AWS writes them:
// parse, format, and generate. It knows no record and no rule.
package arn

import (
	"strings"

	"sallyport/internal/fault"
)

// Partition is the only partition that Sallyport writes. Clients of other partitions are read.
const Partition = "aws"

// ARN is an Amazon Resource Name in its parts. Resource keeps its own slashes and colons.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// Parse splits an ARN. It checks the form, not that anything exists.
func Parse(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, fault.Invalidf("%q is not an ARN: expected arn:partition:service:region:account:resource", clip(s))
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, nil
}

// String writes the ARN.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// Canonical writes an ARN of any partition as ours, which it means here. What is no ARN stays as it is.
func Canonical(s string) string {
	rest, is := strings.CutPrefix(s, "arn:")
	_, tail, cut := strings.Cut(rest, ":")
	if !is || !cut {
		return s
	}
	return "arn:" + Partition + ":" + tail
}

// clip keeps a hostile value from filling an error message.
func clip(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
