package format

import "sallyport/internal/store"

// Head is what senders need of an event beside its bytes: for headers, keys and priorities.
type Head struct {
	Source, Name string
	Account      string // that the event is recorded for
	Severity     int    // of OCSF: 1 informational, 2 low, 3 medium, 4 high
}

// HeadOf reads an event's head. What is no event has an empty one.
func HeadOf(e store.SealedEvent) Head {
	r, err := read(e)
	if err != nil {
		return Head{Severity: informational}
	}
	rule, _ := r.classify()
	return Head{r.source(), r.name(), r.text("recipientAccountId"), rule.severity}
}
