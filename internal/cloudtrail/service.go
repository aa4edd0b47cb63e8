// Package cloudtrail is the part of AWS CloudTrail that reads what was done: LookupEvents, over the sealed log.
package cloudtrail

import (
	"context"
	"strconv"

	api "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/store"
)

// Service implements the generated contract.
type Service struct {
	api.Unimplemented[*endpoint.Call]
}

// LookupEvents finds events by one attribute and by time, the newest first. Unlike on AWS it finds what only reads and what is
// older than 90 days, too.
func (Service) LookupEvents(_ context.Context, c *endpoint.Call, in *api.LookupEventsRequest) (*api.LookupEventsResponse, error) {
	q, limit, err := lookup(in)
	if err != nil {
		return nil, err
	}
	filter := scope(in)
	asked, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err == nil {
		q.After, err = place(asked.After)
	}
	if err != nil {
		return nil, fault.Invalidf("The NextToken belongs to another request, or was changed. Start again without it.").WithReason("InvalidNextTokenException")
	}
	if in.EventCategory != nil { // there are no insights
		return &api.LookupEventsResponse{Events: []api.Event{}}, nil
	}
	found, err := c.Tx.LookupEvents(q)
	if err != nil {
		return nil, err
	}
	found, next := page.Trim(found, limit, func(f store.FoundEvent) page.Key {
		return page.Key{strconv.FormatInt(f.Place.At, 10), strconv.FormatInt(f.Place.Seq, 10)}
	})
	events := make([]api.Event, len(found))
	for i, f := range found {
		events[i] = wire(f.SealedEvent)
	}
	return &api.LookupEventsResponse{Events: events, NextToken: c.NextToken(next, filter...)}, nil
}

// place reads the place in a token.
func place(key page.Key) (p store.Place, err error) {
	if key == nil {
		return p, nil
	}
	if len(key) != 2 {
		return p, strconv.ErrSyntax
	}
	if p.At, err = strconv.ParseInt(key[0], 10, 64); err == nil {
		p.Seq, err = strconv.ParseInt(key[1], 10, 64)
	}
	return p, err
}

// wire is an event as clients have it. Members that it has no value for are left out.
func wire(e store.SealedEvent) api.Event {
	f := e.Facts()
	body, readOnly := string(e.JSON), strconv.FormatBool(f.ReadOnly)
	out := api.Event{
		EventId: &f.ID, EventTime: &f.Time, ReadOnly: &readOnly, CloudTrailEvent: &body, Resources: make([]api.Resource, len(f.Resources)),
		EventName: optional(f.Name), EventSource: optional(f.Source), Username: optional(f.Username), AccessKeyId: optional(f.AccessKeyID),
	}
	if out.Username == nil {
		out.Username = optional(f.PersonID)
	}
	for i, r := range f.Resources {
		out.Resources[i] = api.Resource{ResourceType: optional(r.Type), ResourceName: optional(r.Name)}
	}
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
