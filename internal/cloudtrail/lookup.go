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

// LookupEvents finds events by one attribute and by time, the newest first. Unlike on AWS it finds what only reads and what is
// older than 90 days, too.
func (*Service) LookupEvents(_ context.Context, c *endpoint.Call, in *api.LookupEventsRequest) (*api.LookupEventsResponse, error) {
	q, err := lookup(in)
	if err != nil {
		return nil, err
	}
	filter := scope(in)
	asked, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err == nil && asked.After != nil {
		q.Before, err = strconv.ParseInt(asked.After[0], 10, 64)
	}
	if err != nil {
		return nil, fault.Invalidf("The NextToken belongs to another request, or was changed. Start again without it.").WithReason("InvalidNextTokenException")
	}
	if in.EventCategory != nil { // there are no insights
		return &api.LookupEventsResponse{Events: []api.Event{}}, nil
	}
	found, next, err := c.Tx.LookupEvents(q)
	if err != nil {
		return nil, err
	}
	events := make([]api.Event, len(found))
	for i := range found {
		events[i] = wire(&found[i])
	}
	var after page.Key
	if next > 0 {
		after = page.Key{strconv.FormatInt(next, 10)}
	}
	return &api.LookupEventsResponse{Events: events, NextToken: c.NextToken(after, filter...)}, nil
}

// wire is an event as clients have it. Members that it has no value for are left out.
func wire(e *store.FoundEvent) api.Event {
	f := &e.Facts
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
