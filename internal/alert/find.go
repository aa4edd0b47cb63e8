package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// store records what a batch comes to, in one transaction with the cursor.
func (b *work) store(ctx context.Context, l store.Lease) error {
	var flooded flood
	err := b.e.DB.UpdateRelaxed(ctx, func(tx *store.Tx) error {
		if err := tx.Holds(l); err != nil {
			return err
		}
		f := &finder{tx: tx, book: b.book, flood: b.e.flood.copy(), counts: map[[2]string]*counted{}}
		for _, s := range b.saw {
			if err := tx.SawForAlert(s.subject, s.value); err != nil {
				return fmt.Errorf("remember address: %w", err)
			}
		}
		for _, h := range b.hits {
			if err := f.take(h); err != nil {
				return err
			}
		}
		flooded = f.flood
		return errors.Join(f.keepCounts(), wrap(tx.SetAuditCursor(sink, b.last), "store cursor"))
	})
	if err != nil {
		return fmt.Errorf("store alerts: %w", err)
	}
	b.e.flood = flooded
	return nil
}

// finder makes alerts of hits.
type finder struct {
	tx     *store.Tx
	book   *book
	flood  flood
	counts map[[2]string]*counted // by rule and group, of this batch
	rules  map[[2]string]*rule
}

func (f *finder) take(h hit) error {
	events, group := []string{h.event.id}, ""
	if h.rule.Count > 1 {
		group = key(h.event.envelope, h.rule.GroupBy)
		var err error
		if events, err = f.count(h, group); err != nil || events == nil {
			return err
		}
	}
	a := store.Alert{
		ID: arn.NewTimeUUID(f.tx.Now()), RuleID: h.rule.ID, RuleName: h.rule.Name, Severity: h.rule.Severity, At: h.event.at, MadeAt: f.tx.Now(),
		EventID: h.event.id, EventIDs: events, Event: shown(h.event.envelope), Message: message(h.rule, h.event, len(events)),
		State: store.AlertOpen, SilenceID: f.book.silenced(h.rule, h.event, f.tx.Now()), LastAt: h.event.at, LastEvent: h.event.id,
	}
	return f.alert(h, a, group)
}

// count counts a hit, and returns the events that reach the threshold.
func (f *finder) count(h hit, group string) ([]string, error) {
	at := [2]string{h.rule.ID, group}
	c := f.counts[at]
	if c == nil {
		kept, err := f.tx.AlertCount(h.rule.ID, group)
		if err != nil {
			return nil, fmt.Errorf("read count: %w", err)
		}
		read, err := readCounted(kept)
		if err != nil {
			return nil, err
		}
		c = &read
		f.counts[at] = c
	}
	if f.rules == nil {
		f.rules = map[[2]string]*rule{}
	}
	f.rules[at] = h.rule
	e := entry{At: h.event.at.UnixMicro(), ID: h.event.id}
	if h.rule.Distinct != "" {
		e.Value = key(h.event.envelope, []string{h.rule.Distinct})
	}
	return c.add(e, h.rule.Count, h.rule.Window, h.rule.Distinct != ""), nil
}

func (f *finder) keepCounts() error {
	for at, c := range f.counts { // one write for each group of a batch
		if err := f.tx.PutAlertCount(at[0], at[1], c.text(), c.expires(f.rules[at].Window)); err != nil {
			return fmt.Errorf("store count: %w", err)
		}
	}
	return nil
}

// alert adds an alert, or adds to the one that it repeats.
func (f *finder) alert(h hit, a store.Alert, group string) error {
	r := h.rule
	span := r.DedupWindow
	switch {
	case len(r.DedupKey) > 0:
		a.DedupKey = key(h.event.envelope, r.DedupKey)
	case r.Count > 1:
		a.DedupKey = group
	}
	if r.Count > 1 && span == 0 {
		span = r.Window // each event beyond the threshold reaches it anew
	}
	same, err := f.same(r, a, span)
	if err != nil {
		return err
	}
	if same == "" {
		same = f.flood.beyond(r.ID, f.tx.Now())
	}
	if same != "" {
		return wrap(f.tx.RepeatAlert(same, 1, a.At, a.EventID), "add to alert")
	}
	fresh, err := f.tx.InsertAlert(a)
	if err != nil || !fresh {
		return wrap(err, "store alert")
	}
	f.flood.made(r.ID, a.ID, f.tx.Now())
	if a.SilenceID != "" {
		return nil
	}
	return send(f.tx, a.ID, f.book.goes(r.Targets, a.Severity, h.event.recorded))
}

// same is the alert that another one repeats: the last of its key, unless that was closed, or silenced when this one is not.
func (f *finder) same(r *rule, a store.Alert, span time.Duration) (string, error) {
	if span == 0 {
		return "", nil
	}
	last, err := f.tx.SameAlert(r.ID, a.DedupKey)
	if absent(err) != nil {
		return "", fmt.Errorf("look for the same alert: %w", err)
	}
	if err != nil || last.Test || last.State == store.AlertClosed || last.SilenceID != "" && a.SilenceID == "" || a.At.Sub(last.At).Abs() >= span {
		return "", nil
	}
	return last.ID, nil
}

func send(tx *store.Tx, alert string, targets []string) error {
	for _, t := range targets { // fifty at most
		if err := tx.InsertDelivery(alert, t); err != nil {
			return fmt.Errorf("store delivery: %w", err)
		}
	}
	return nil
}

// shown is an event as it is kept with its alert; "" when it is too large.
func shown(envelope map[string]any) string {
	b, err := json.Marshal(envelope)
	if err != nil || len(b) > maxEvent {
		return ""
	}
	return string(b)
}

// flood bounds how many alerts a rule makes in a minute: a rule that wants everything must not fill the disk, and mailboxes.
type flood map[string]minute

type minute struct {
	of   int64
	made int
	last string // alert
}

func (f flood) copy() flood {
	out := make(flood, len(f))
	for k, v := range f {
		out[k] = v
	}
	return out
}

// beyond is the alert to which what a rule finds now is added; "": it may make another.
func (f flood) beyond(rule string, now time.Time) string {
	if m := f[rule]; m.of == now.Unix()/60 && m.made >= maxPerMinute {
		return m.last
	}
	return ""
}

func (f flood) made(rule, alert string, now time.Time) {
	m := f[rule]
	if m.of != now.Unix()/60 {
		m = minute{of: now.Unix() / 60}
	}
	m.made, m.last = m.made+1, alert
	f[rule] = m
}
