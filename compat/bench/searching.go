package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/store"
)

const (
	fewEvents  = 20_000
	manyEvents = 2_000_000
	foundPage  = 50
	rareEvents = 40 // of one user, far apart; and as many of another, all of them old
)

// searched are what events are looked up by, and how many of them a page has.
var searched = []struct {
	what, key, value string
	page             int
}{
	{"of an operation that every 20th event is of", "EventName", "Operation3", foundPage},
	{"of a user who is seldom here", "Username", "seldom", rareEvents},
	{"of a user who was here at the very beginning", "Username", "founder", rareEvents},
	{"of a user who was never here", "Username", "nobody", 0},
	{"by an attribute that half of the events have", "ReadOnly", "false", foundPage},
}

// searching measures a page of LookupEvents at 2,000,000 events. Beside it runs the same at 20,000.
func searching(ctx context.Context, b bench) ([]row, error) {
	few, err := b.searchedWorld(ctx, "few", fewEvents)
	if err != nil {
		return nil, err
	}
	many, err := b.searchedWorld(ctx, "many", manyEvents)
	if err != nil {
		return nil, err
	}
	var targets []target
	for i := range searched {
		targets = append(targets, few.search(ctx, i), many.search(ctx, i))
	}
	rates, err := b.measure(ctx, targets...)
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, s := range searched {
		slower := ratio(rates[2*i], rates[2*i+1])
		rows = append(rows, row{
			"LookupEvents at 2,000,000 events, " + s.what + ", per second", summarize(rates[2*i+1]).String(), "at 20,000: " + summarize(rates[2*i]).String(),
			slower.String() + " slower", "at most 1.5", slower.median <= 1.5,
		})
	}
	return rows, nil
}

// trail is a server with a log to be searched.
type trail struct {
	addr   string
	client client
}

// search is one of those that are measured.
func (t trail) search(ctx context.Context, i int) target {
	return target{name: searched[i].what, addr: t.addr, conns: listConns, requests: func() ([][]byte, error) {
		r, err := t.client.render(ctx, &cloudtrail.Info, "LookupEvents", lookupOf(i))
		return [][]byte{r}, err
	}}
}

func lookupOf(i int) *cloudtrail.LookupEventsRequest {
	return &cloudtrail.LookupEventsRequest{LookupAttributes: []cloudtrail.LookupAttribute{{AttributeKey: searched[i].key, AttributeValue: searched[i].value}}}
}

// searchedWorld makes and starts a world with n events, and sees that what is measured finds what it should.
func (b bench) searchedWorld(ctx context.Context, name string, n int) (trail, error) {
	dir := filepath.Join(b.dir, name)
	if _, _, err := b.emptyWorld(ctx, dir, func(*store.Tx) error { return nil }); err != nil {
		return trail{}, err
	}
	if err := b.offline(ctx, dir, func(db *store.DB) error { return fillLog(ctx, db, n) }); err != nil {
		return trail{}, err
	}
	server, w, err := b.dev(ctx, dir)
	if err != nil {
		return trail{}, err
	}
	t := trail{server.addr, w.client(server.addr)}
	for i, s := range searched {
		page, _, err := call[*cloudtrail.LookupEventsResponse](ctx, t.client, &cloudtrail.Info, "LookupEvents", lookupOf(i))
		if err != nil {
			return t, err
		}
		if len(page.Events) != s.page {
			return t, fmt.Errorf("a page %s has %d events, expected %d", s.what, len(page.Events), s.page)
		}
	}
	return t, nil
}

// fillLog adds n events to the log, and to its index.
func fillLog(ctx context.Context, db *store.DB, n int) error {
	const batch = 2000
	began := db.Now().Add(-time.Duration(n) * time.Second)
	for from := 0; from < n; from += batch {
		events := make([]store.Event, batch)
		for i := range events {
			events[i] = loggedEvent(from+i, n, began)
		}
		if err := db.AppendEvents(ctx, events...); err != nil {
			return fmt.Errorf("add events: %w", err)
		}
	}
	for more := true; more; {
		var err error
		if more, err = db.IndexSome(ctx); err != nil {
			return fmt.Errorf("index events: %w", err)
		}
	}
	return nil
}

// loggedEvent is the i-th of n events, one a second: each about a user of its own, by one of 5,000.
func loggedEvent(i, n int, began time.Time) store.Event {
	at := began.Add(time.Duration(i) * time.Second)
	user := fmt.Sprintf("user-%d", i*7919%5000)
	switch {
	case i%10 == 0 && i/10 < rareEvents:
		user = "founder"
	case i%(n/rareEvents) == 13:
		user = "seldom"
	}
	id := arn.NewTimeUUID(at)
	return store.Event{ID: id, At: at, JSON: fmt.Appendf(nil, `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","accountId":"999988887777","accessKeyId":"AKIA%016d","userName":%q},`+
		`"eventTime":%q,"eventSource":"identitystore.amazonaws.com","eventName":"Operation%d","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"bench",`+
		`"requestParameters":{"userName":"user-%d"},"responseElements":{"userId":%q},"requestID":%q,"eventID":%q,"readOnly":%v,"eventType":"AwsApiCall","managementEvent":true,`+
		`"recipientAccountId":"999988887777","eventCategory":"Management"}`, i*7919%5000, user, at.UTC().Format(time.RFC3339), i%20, i, arn.NewUUID(), arn.NewUUID(), id, i%2 == 0)}
}
