package setting

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// Setting is one setting as an operator sees it.
type Setting struct {
	Name        string
	Value       string
	Default     string
	AWS         string // AWS's value, where it is known
	Description string
	Words       []string // what it may be, when that is one of a few words
	UpdatedAt   time.Time
	UpdatedBy   string // empty: it is at its default
}

// definition is a row of the table.
type definition struct {
	name, byDefault, aws, description string
	words                             []string
	set                               func(v *Values, text string) error
	canonical                         func(text string) string
}

// Load reads the settings in force.
func Load(tx *store.Tx) (Values, error) {
	v := Defaults()
	rows, err := tx.Settings()
	if err != nil {
		return v, fmt.Errorf("load settings: %w", err)
	}
	for _, r := range rows {
		d, ok := find(r.Name)
		if !ok {
			continue // of a newer program that ran here before
		}
		if err := d.set(&v, r.Value); err != nil {
			return v, fmt.Errorf("read setting %s: %w", r.Name, err)
		}
	}
	return v, nil
}

// List is every setting, by name.
func List(tx *store.Tx) ([]Setting, error) {
	rows, err := tx.Settings()
	if err != nil {
		return nil, fmt.Errorf("load settings: %w", err)
	}
	out := make([]Setting, 0, len(table))
	for _, d := range table {
		s := Setting{Name: d.name, Value: d.byDefault, Default: d.byDefault, AWS: d.aws, Description: d.description, Words: d.words}
		if i := slices.IndexFunc(rows, func(r store.Setting) bool { return r.Name == d.name }); i >= 0 {
			s.Value, s.UpdatedAt, s.UpdatedBy = rows[i].Value, rows[i].UpdatedAt, rows[i].UpdatedBy
		}
		out = append(out, s)
	}
	return out, nil
}

// Get is one setting; a NotFound fault when there is none of the name.
func Get(tx *store.Tx, name string) (Setting, error) {
	all, err := List(tx)
	if err != nil {
		return Setting{}, err
	}
	i := slices.IndexFunc(all, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return Setting{}, unknown(name)
	}
	return all[i], nil
}

// Put sets a setting. by is the ARN of whoever does it. An Invalid fault says what the value may be.
func Put(tx *store.Tx, name, value, by string) (Setting, error) {
	d, ok := find(name)
	if !ok {
		return Setting{}, unknown(name)
	}
	var v Values
	if err := d.set(&v, value); err != nil {
		return Setting{}, fault.Invalidf("The setting %s cannot be %q: %v.", name, clip(value), err)
	}
	if err := tx.PutSetting(name, d.canonical(value), by); err != nil {
		return Setting{}, fmt.Errorf("store setting: %w", err)
	}
	return changed(tx, name)
}

// Reset puts a setting back to its default.
func Reset(tx *store.Tx, name string) (Setting, error) {
	if _, ok := find(name); !ok {
		return Setting{}, unknown(name)
	}
	if err := tx.DeleteSetting(name); err != nil {
		return Setting{}, fmt.Errorf("reset setting: %w", err)
	}
	return changed(tx, name)
}

// changed makes every node forget what it remembers that rests on settings.
func changed(tx *store.Tx, name string) (Setting, error) {
	if err := tx.Changed("setting:" + name); err != nil {
		return Setting{}, fmt.Errorf("record change of setting: %w", err)
	}
	return Get(tx, name)
}

func find(name string) (definition, bool) {
	i := slices.IndexFunc(table, func(d definition) bool { return d.name == name })
	if i < 0 {
		return definition{}, false
	}
	return table[i], true
}

func unknown(name string) error {
	f := fault.Missing("SETTING", clip(name))
	f.Message = "There is no setting " + clip(name) + ": `sallyport settings list` shows all."
	return f
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

func words(name, byDefault, aws string, field func(*Values) *string, allowed []string, description string) definition {
	set := func(v *Values, text string) error {
		if !slices.Contains(allowed, text) {
			return fmt.Errorf("it is one of %s", strings.Join(allowed, ", "))
		}
		*field(v) = text
		return nil
	}
	return definition{name, byDefault, aws, description, allowed, set, same}
}

func booleans(name string, byDefault bool, aws string, field func(*Values) *bool, description string) definition {
	set := func(v *Values, text string) error {
		if text != "true" && text != "false" {
			return fmt.Errorf("it is true or false")
		}
		*field(v) = text == "true"
		return nil
	}
	return definition{name, strconv.FormatBool(byDefault), aws, description, []string{"true", "false"}, set, same}
}

func numbers(name string, byDefault int, aws string, low, high int, field func(*Values) *int, description string) definition {
	set := func(v *Values, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high || strconv.Itoa(n) != text {
			return fmt.Errorf("it is a number from %d to %d", low, high)
		}
		*field(v) = n
		return nil
	}
	return definition{name, strconv.Itoa(byDefault), aws, description, nil, set, same}
}

func durations(name string, byDefault time.Duration, aws string, low, high time.Duration, zero bool, field func(*Values) *time.Duration, description string) definition {
	or := ""
	if zero {
		or = "0, or "
	}
	set := func(v *Values, text string) error {
		d, err := parse(text)
		if err != nil || (d < low || d > high) && !(zero && d == 0) {
			return fmt.Errorf("it is %sa time from %s to %s, written as 30m, 8h or 7d", or, Format(low), Format(high))
		}
		*field(v) = d
		return nil
	}
	canonical := func(text string) string {
		d, _ := parse(text) // set has taken it
		return Format(d)
	}
	return definition{name, Format(byDefault), aws, description, nil, set, canonical}
}

func same(text string) string { return text }

// parse reads a duration as people write it: whole days, or what Go reads (8h, 90m, 1h30m).
func parse(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * day, err
	}
	d, err := time.ParseDuration(text)
	if d%time.Second != 0 {
		return 0, fmt.Errorf("not in whole seconds")
	}
	return d, err
}

// Format writes a duration in the largest unit in which it is whole.
func Format(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d%day == 0:
		return strconv.FormatInt(int64(d/day), 10) + "d"
	case d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Minute == 0:
		return strconv.FormatInt(int64(d/time.Minute), 10) + "m"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
