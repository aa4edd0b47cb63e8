package alert

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// counted is what a rule with a threshold has counted of a group: of the events within its window before the last one, as many as the
// threshold needs. In the database it is JSON.
type counted struct {
	Entries []entry `json:"e"`
}

type entry struct {
	At    int64  `json:"t"` // microseconds
	ID    string `json:"i"`
	Value string `json:"v,omitempty"` // where different values are counted
}

func readCounted(text string) (c counted, err error) {
	if text == "" {
		return c, nil
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return c, fmt.Errorf("decode count: %w", err)
	}
	return c, nil
}

// add counts an event, and returns those that reach the threshold with it; nil: they do not. Events come nearly in order: one that comes
// late is counted where it belongs, if all that is newer has not filled the window already.
func (c *counted) add(e entry, most int, window time.Duration, distinct bool) []string {
	if distinct {
		if i := slices.IndexFunc(c.Entries, func(o entry) bool { return o.Value == e.Value }); i >= 0 {
			if c.Entries[i].At > e.At {
				return nil
			}
			c.Entries = slices.Delete(c.Entries, i, i+1)
		}
	}
	at := len(c.Entries)
	for at > 0 && c.Entries[at-1].At > e.At {
		at--
	}
	c.Entries = slices.Insert(c.Entries, at, e)
	var reached []string
	for last := max(at, most-1); last < len(c.Entries) && last-most+1 <= at; last++ {
		within := c.Entries[last-most+1 : last+1]
		if within[most-1].At-within[0].At < window.Microseconds() {
			reached = ids(within)
			break
		}
	}
	c.trim(most, window)
	return reached
}

func ids(all []entry) []string {
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = e.ID
	}
	return out
}

// trim forgets what can count no more.
func (c *counted) trim(most int, window time.Duration) {
	newest := c.Entries[len(c.Entries)-1].At
	for len(c.Entries) > most || c.Entries[0].At <= newest-window.Microseconds() {
		c.Entries = c.Entries[1:]
	}
}

func (c counted) text() string {
	b, _ := json.Marshal(c) // texts and numbers can always be encoded
	return string(b)
}

// expires is when nothing of it can count any more.
func (c counted) expires(window time.Duration) time.Time {
	return time.UnixMicro(c.Entries[len(c.Entries)-1].At).Add(window)
}
