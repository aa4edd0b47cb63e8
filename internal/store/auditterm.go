package store

import (
	"math/bits"
	"slices"
	"strconv"
)

// Attribute is what events are looked up by.
type Attribute string

// The attributes of CloudTrail's LookupEvents (model shape LookupAttributeKey), and that which every event has.
const (
	EveryEvent     Attribute = ""
	ByEventID      Attribute = "EventId"
	ByEventName    Attribute = "EventName"
	ByReadOnly     Attribute = "ReadOnly"
	ByUsername     Attribute = "Username"
	ByResourceType Attribute = "ResourceType"
	ByResourceName Attribute = "ResourceName"
	ByEventSource  Attribute = "EventSource"
	ByAccessKeyID  Attribute = "AccessKeyId"
)

// termBits are those of a term. Two that share one are both looked at, and told apart by the events themselves.
const termBits = 40

// term is an attribute with a value as the index has it. The hash is a quick one, eight bytes at a time: whoever makes values that
// share a term makes look-ups by it read more, up to a bound, and gains nothing.
func term(by Attribute, value string) uint64 {
	h := mix(uint64(len(value)), spread(string(by)))
	return mix(h, spread(value)) >> (64 - termBits)
}

func spread(s string) uint64 {
	h := uint64(len(s))
	for ; len(s) >= 8; s = s[8:] {
		h = mix(h, uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)
	}
	var last uint64
	for i := range len(s) {
		last |= uint64(s[i]) << (8 * i)
	}
	return mix(h, last)
}

// mix is the folded product of two numbers. Its constants are of the digits of π.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0x243f6a8885a308d3, b^0x13198a2e03707344)
	return hi ^ lo
}

// terms calls add with each term of an event; with some twice.
func (f *Facts) terms(add func(uint64)) {
	some := func(by Attribute, value string) {
		if value != "" {
			add(term(by, value))
		}
	}
	some(ByEventID, f.ID)
	some(ByEventName, f.Name)
	some(ByReadOnly, strconv.FormatBool(f.ReadOnly))
	some(ByEventSource, f.Source)
	some(ByUsername, f.Username)
	some(ByUsername, f.PersonID)
	some(ByAccessKeyID, f.AccessKeyID)
	for i, r := range f.Resources {
		if i == 0 || r.Type != f.Resources[i-1].Type {
			some(ByResourceType, r.Type)
		}
		some(ByResourceName, r.Name)
	}
	for _, id := range f.Joins {
		some(ByResourceName, id)
	}
}

// has tells whether an event has an attribute with a value.
func (f *Facts) has(by Attribute, value string) bool {
	switch by {
	case EveryEvent:
		return true
	case ByEventID:
		return f.ID == value
	case ByEventName:
		return f.Name == value
	case ByReadOnly:
		return strconv.FormatBool(f.ReadOnly) == value
	case ByEventSource:
		return f.Source == value
	case ByUsername:
		return f.Username == value || f.PersonID == value
	case ByAccessKeyID:
		return f.AccessKeyID == value
	case ByResourceType:
		return slices.ContainsFunc(f.Resources, func(r EventResource) bool { return r.Type == value })
	case ByResourceName:
		return slices.Contains(f.Joins, value) || slices.ContainsFunc(f.Resources, func(r EventResource) bool { return r.Name == value })
	}
	return false
}
