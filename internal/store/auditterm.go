package store

import (
	"crypto/sha256"
	"encoding/binary"
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
const termBits = 48

// term is an attribute with a value as the index has it.
func term(by Attribute, value string) uint64 {
	var space [128]byte
	b := append(append(append(space[:0], by...), 0), value...)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:8]) >> (64 - termBits)
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
