package cloudtrail

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// attributes are what events can be looked up by (model shape LookupAttributeKey).
var attributes = []string{
	string(store.ByEventID), string(store.ByEventName), string(store.ByReadOnly), string(store.ByUsername),
	string(store.ByResourceType), string(store.ByResourceName), string(store.ByEventSource), string(store.ByAccessKeyID),
}

const (
	maxValue = 2000 // length of the value of an attribute (model shape LookupAttributeValue)
	maxPage  = 50   // events on a page (model shape MaxResults)
)

// endOfTime is the end of a look-up that has none.
var endOfTime = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// lookup checks a request. Each of its members has an exception of its own.
func lookup(in *api.LookupEventsRequest) (store.Lookup, error) {
	q := store.Lookup{Since: time.Unix(0, 0), Until: endOfTime, Limit: maxPage}
	if in.StartTime != nil {
		q.Since = *in.StartTime
	}
	if in.EndTime != nil {
		q.Until = *in.EndTime
	}
	switch {
	case q.Since.After(q.Until):
		return q, fault.Invalidf("The StartTime %s is after the EndTime %s.", q.Since.UTC().Format(time.RFC3339), q.Until.UTC().Format(time.RFC3339)).
			WithReason("InvalidTimeRangeException")
	case in.EventCategory != nil && *in.EventCategory != "insight":
		return q, fault.Invalidf("There is no such EventCategory: expected insight, or none for management events.").WithReason("InvalidEventCategoryException")
	}
	if in.MaxResults != nil {
		if q.Limit = int(*in.MaxResults); q.Limit < 1 || q.Limit > maxPage {
			return q, fault.Invalidf("MaxResults is %d: expected 1 to %d.", q.Limit, maxPage).WithReason("InvalidMaxResultsException")
		}
	}
	return q, attribute(in.LookupAttributes, &q)
}

// attribute takes the one attribute that a request may have.
func attribute(in []api.LookupAttribute, q *store.Lookup) error {
	refuse := func(format string, args ...any) error {
		return fault.Invalidf(format, args...).WithReason("InvalidLookupAttributesException")
	}
	if len(in) == 0 {
		return nil
	}
	key, value := in[0].AttributeKey, in[0].AttributeValue
	size := utf8.RuneCountInString(value)
	switch {
	case len(in) > 1:
		return refuse("There are %d LookupAttributes: expected one at most.", len(in))
	case !slices.Contains(attributes, key):
		return refuse("There is no such AttributeKey: expected one of %s.", strings.Join(attributes, ", "))
	case size < 1 || size > maxValue:
		return refuse("The AttributeValue of %s has %d characters: expected 1 to %d.", key, size, maxValue)
	case key == string(store.ByReadOnly) && value != "true" && value != "false":
		return refuse("The AttributeValue of ReadOnly is neither true nor false.")
	}
	q.By, q.Value = store.Attribute(key), value
	return nil
}

// scope is what a token belongs to: everything of the request that selects events.
func scope(in *api.LookupEventsRequest) []string {
	out := make([]string, 0, 5)
	for _, t := range []*time.Time{in.StartTime, in.EndTime} {
		if t == nil {
			t = &time.Time{}
		}
		out = append(out, t.UTC().Format(time.RFC3339Nano))
	}
	if in.EventCategory != nil {
		out = append(out, *in.EventCategory)
	}
	for _, a := range in.LookupAttributes {
		out = append(out, a.AttributeKey, a.AttributeValue)
	}
	return out
}
