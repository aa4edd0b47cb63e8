package alert

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// packText are the rules that come with the program.
//
//go:embed pack.json
var packText []byte

// packed is a rule as pack.json has it.
type packed struct {
	Name        string
	Description string
	Severity    string
	Pattern     json.RawMessage
	Count       int
	Window      string
	GroupBy     []string
	Distinct    string
	DedupWindow string
	DedupKey    []string
}

// ByPack is who makes and changes the rules that come with the program.
const ByPack = "sallyport"

// packName is the fact that says which pack was installed last.
const packName = "alert.pack"

// Pack reads the rules that come with the program.
func Pack() ([]store.AlertRule, error) {
	var all []packed
	if err := json.Unmarshal(packText, &all); err != nil {
		return nil, fmt.Errorf("read pack of alert rules: %w", err)
	}
	out := make([]store.AlertRule, len(all))
	for i, p := range all {
		r := store.AlertRule{
			Name: p.Name, Description: p.Description, Severity: p.Severity, Enabled: true, Pattern: string(p.Pattern), Count: max(1, p.Count), GroupBy: p.GroupBy,
			Distinct: p.Distinct, DedupKey: p.DedupKey,
		}
		var errs [2]error
		r.Window, errs[0] = span(p.Window)
		r.DedupWindow, errs[1] = span(p.DedupWindow)
		if err := errors.Join(errs[0], errs[1], check(r)); err != nil {
			return nil, fmt.Errorf("rule %s of the pack: %w", p.Name, err)
		}
		r.Pack = hash(r)
		out[i] = r
	}
	return out, nil
}

func span(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return time.ParseDuration(text)
}

// Install brings the rules that come with the program into the database: those that are not there, and those that nobody has changed. Whether
// a rule is on and where its alerts go stays as people have it. The first time, evaluation begins with the log's end: what happened before
// there were rules makes no alerts.
func Install(tx *store.Tx) error {
	pack, err := Pack()
	if err != nil {
		return err
	}
	last, err := tx.Meta(packName)
	if absent(err) != nil {
		return fmt.Errorf("read installed pack: %w", err)
	}
	if first := err != nil; first {
		head, err := tx.AuditHead()
		if err == nil {
			err = tx.SetAuditCursor(sink, head)
		}
		if err != nil {
			return fmt.Errorf("begin at the log's end: %w", err)
		}
	}
	if now := digest(string(packText)); last != now {
		return errors.Join(merge(tx, pack), wrap(tx.SetMeta(packName, now), "record pack"), changed(tx))
	}
	return nil
}

func merge(tx *store.Tx, pack []store.AlertRule) error {
	have, err := tx.AlertRules()
	if err != nil {
		return fmt.Errorf("list alert rules: %w", err)
	}
	for _, old := range have {
		gone := !slices.ContainsFunc(pack, func(r store.AlertRule) bool { return r.Name == old.Name })
		if old.Pack != "" && gone { // a rule that comes with the program no more is people's
			old.Pack, old.Edited = "", false
			if err := tx.PutAlertRule(old); err != nil {
				return fmt.Errorf("store alert rule: %w", err)
			}
		}
	}
	for _, r := range pack {
		i := slices.IndexFunc(have, func(old store.AlertRule) bool { return old.Name == r.Name })
		if i < 0 {
			r.ID, r.CreatedAt, r.CreatedBy = arn.NewUUID(), tx.Now(), ByPack
		} else {
			var mine bool
			if r, mine = over(r, have[i]); !mine {
				continue
			}
		}
		r.UpdatedAt, r.UpdatedBy = tx.Now(), ByPack
		if err := tx.PutAlertRule(r); err != nil {
			return fmt.Errorf("store alert rule: %w", err)
		}
	}
	return nil
}

// over is a rule of the pack in place of an older one; false: that stays as it is.
func over(r, old store.AlertRule) (store.AlertRule, bool) {
	switch {
	case old.Pack == "" || old.Pack == r.Pack: // a person's own of this name, or nothing new
		return old, false
	case old.Edited:
		old.Pack = r.Pack
		old.Edited = hash(old) != r.Pack
		return old, true
	}
	r.Before = old.Before
	r.ID, r.CreatedAt, r.CreatedBy, r.Enabled, r.Targets = old.ID, old.CreatedAt, old.CreatedBy, old.Enabled, old.Targets
	return r, true
}
