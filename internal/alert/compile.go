package alert

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"sallyport/internal/alert/pattern"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// rule is a rule that was compiled.
type rule struct {
	store.AlertRule
	pattern *pattern.Pattern
	since   time.Time // of events that were recorded after that
	until   time.Time // or no later than that; zero: without an end

	sources, identities []string // that alone it can match; nil: any
}

// may says whether the rule can match an event that shows this.
func (r *rule) may(g store.Glance) bool {
	return (r.sources == nil || slices.Contains(r.sources, g.Source)) && (r.identities == nil || slices.Contains(r.identities, g.Identity))
}

// covers says whether the rule is held against an event that was recorded at a time.
func (r *rule) covers(at time.Time) bool {
	return at.After(r.since) && (r.until.IsZero() || !at.After(r.until))
}

// silence is a silence that was compiled.
type silence struct {
	store.AlertSilence
	pattern *pattern.Pattern // nil: every event
}

// book is all that an evaluator remembers: it is read anew when its version has changed.
type book struct {
	version  string
	byName   map[string][]*rule // by the eventName that their patterns want
	any      []*rule            // whose patterns take many
	silences []silence
	targets  []store.AlertTarget
	callers  pipeline // read each time: it is a setting
}

// read reads everything anew. A pattern that cannot be read, of a newer program perhaps, is left out and told of.
func read(tx *store.Tx, version string, log *slog.Logger) (*book, error) {
	b := &book{version: version}
	rules, err := tx.AlertRules()
	if err != nil {
		return nil, fmt.Errorf("list alert rules: %w", err)
	}
	b.index(rules, log)
	if b.targets, err = tx.AlertTargets(); err != nil {
		return nil, fmt.Errorf("list alert targets: %w", err)
	}
	silences, err := tx.AlertSilences(tx.Now())
	if err != nil {
		return nil, fmt.Errorf("list silences: %w", err)
	}
	for _, s := range silences {
		one := silence{s, nil}
		if s.Pattern != "" {
			if one.pattern, err = pattern.Parse(s.Pattern); err != nil {
				log.Error("a silence cannot be read and does not hold", "silence", s.ID, "error", err)
				continue
			}
		}
		b.silences = append(b.silences, one)
	}
	return b, nil
}

// follow reads what has changed since it was read last; a nil book is all new.
func (b *book) follow(tx *store.Tx, log *slog.Logger) (*book, error) {
	v, err := version(tx)
	if err == nil && (b == nil || b.version != v) {
		b, err = read(tx, v, log)
	}
	if err != nil {
		return nil, err
	}
	in, err := setting.Load(tx)
	if err != nil {
		return nil, err
	}
	b.callers = pipelineOf(in.AlertPipelines)
	return b, nil
}

func (b *book) index(rules []store.AlertRule, log *slog.Logger) {
	b.byName = map[string][]*rule{}
	for _, r := range rules {
		b.add(r, r.UpdatedAt, time.Time{}, log)
		var old store.AlertRule
		if r.Before != "" && json.Unmarshal([]byte(r.Before), &old) == nil {
			b.add(old, time.Time{}, r.UpdatedAt, log)
		}
	}
}

func (b *book) add(r store.AlertRule, since, until time.Time, log *slog.Logger) {
	if !r.Enabled {
		return
	}
	p, err := pattern.Parse(r.Pattern)
	if err != nil {
		log.Error("an alert rule cannot be read and finds nothing", "rule", r.Name, "error", err)
		return
	}
	if r.Before == "" && r.CreatedAt.Equal(r.UpdatedAt) && until.IsZero() {
		since = time.Time{} // it is new: what the evaluator has not come to yet is for it too
	}
	one := &rule{r, p, since, until, p.Only("detail", "eventSource"), p.Only("detail", "userIdentity", "type")}
	names := p.Only("detail", "eventName")
	if names == nil {
		b.any = append(b.any, one)
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		b.byName[n] = append(b.byName[n], one)
	}
}

// candidates are the rules that an event may match by what it shows.
func (b *book) candidates(g store.Glance) (all []*rule) {
	for _, some := range [][]*rule{b.byName[g.Name], b.any} {
		for _, r := range some {
			if r.may(g) {
				all = append(all, r)
			}
		}
	}
	return all
}

// silenced is the silence that covers what a rule has found now; "": none does. It covers nothing that was recorded before it was made, or with
// it: so whoever makes one is told of.
func (b *book) silenced(r *rule, f found, now time.Time) string {
	for _, s := range b.silences {
		if s.Until.After(now) && f.recorded.After(s.CreatedAt) && (s.RuleID == "" || s.RuleID == r.ID) && (s.pattern == nil || s.pattern.Matches(f.envelope)) {
			return s.ID
		}
	}
	return ""
}

// goes lists the targets to which an alert of what was recorded then goes: those that its rule names, or all; of them, those that its severity
// reaches.
func (b *book) goes(targets []string, severity string, recorded time.Time) (out []string) {
	for _, t := range b.targets {
		named := len(targets) == 0 || slices.Contains(targets, t.ID) || slices.Contains(targets, t.StoodFor)
		there := t.GoneAt.IsZero() || !recorded.After(t.GoneAt)
		if named && there && reaches(severity, t.MinSeverity) {
			out = append(out, t.ID)
		}
	}
	return out
}
