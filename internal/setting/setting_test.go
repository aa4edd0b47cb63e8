package setting

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/clock/clocktest"
	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

func TestTable(t *testing.T) {
	t.Parallel()
	if !slices.IsSortedFunc(table, func(a, b definition) int { return strings.Compare(a.name, b.name) }) {
		for i := 1; i < len(table); i++ {
			if table[i-1].name >= table[i].name {
				t.Errorf("%s stands before %s", table[i-1].name, table[i].name)
			}
		}
	}
	for _, d := range table {
		var v Values
		if err := d.set(&v, d.byDefault); err != nil || d.canonical(d.byDefault) != d.byDefault {
			t.Errorf("%s: default %q: %v, canonical %q", d.name, d.byDefault, err, d.canonical(d.byDefault))
		}
		if !strings.HasSuffix(d.description, ".") || d.aws == "" {
			t.Errorf("%s: description %q, AWS %q", d.name, d.description, d.aws)
		}
		for _, bad := range []string{"", " ", "maybe", "-1", "99999999d", "1e9", "08", "1.5s"} {
			if err := d.set(&v, bad); err == nil {
				t.Errorf("%s takes %q", d.name, bad)
			}
		}
	}
}

func TestPutAndReset(t *testing.T) {
	t.Parallel()
	db := storetest.Open(t, clocktest.At(time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)))
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		s, err := Put(tx, "session.life", "120m", "arn:me")
		if err != nil || s.Value != "2h" || s.Default != "8h" || s.UpdatedBy != "arn:me" {
			t.Errorf("put: %+v, %v", s, err)
		}
		if v, err := Load(tx); err != nil || v.SessionLife != 2*time.Hour || v.MFAMode != Always {
			t.Errorf("load: %+v, %v", v, err)
		}
		_, err = Put(tx, "session.life", "91d", "arn:me")
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Message, "15m to 90d") {
			t.Errorf("too long: %v", err)
		}
		if s, err = Put(tx, "scim.guard.window", "0s", "arn:me"); err != nil || s.Value != "0" {
			t.Errorf("no window: %+v, %v", s, err)
		}
		if v, err := Load(tx); err != nil || v.SCIMGuardWindow != 0 {
			t.Errorf("no window: %+v, %v", v, err)
		}
		_, err = Put(tx, "scim.guard.window", "30s", "arn:me")
		if f := fault.As(err); f == nil || !strings.Contains(f.Message, "it is 0, or a time from 1m to 7d") {
			t.Errorf("too short: %v", err)
		}
		if _, err := Reset(tx, "scim.guard.window"); err != nil {
			t.Error(err)
		}
		if _, err = Put(tx, "session.lief", "1h", "arn:me"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("no such setting: %v", err)
		}
		if s, err = Reset(tx, "session.life"); err != nil || s.Value != "8h" || s.UpdatedBy != "" {
			t.Errorf("reset: %+v, %v", s, err)
		}
		if v, err := Load(tx); err != nil || v != Defaults() {
			t.Errorf("after reset: %+v, %v", v, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
