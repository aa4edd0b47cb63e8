package stream_test

import (
	"strings"
	"testing"

	"sallyport/internal/fault"
	"sallyport/internal/store"
	"sallyport/internal/stream"
)

// TestManage: what an operator may say, and what not.
func TestManage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.add("siem", nowhere, false, nil)
	w.update(func(tx *store.Tx) error {
		for name, c := range map[string]stream.Change{
			"a secret is good for one":      {Address: new("https://elsewhere.example.org/")},
			"must be https":                 {Address: new("http://siem.example.org/"), Secret: new(secret)},
			"is that of the log's own file": {Name: new("file")},
			"no event format":               {Format: new(stream.Format("morse"))},
			"at least 16 characters":        {Secret: new("short")},
			"needs a secret":                {Secret: new("")},
			"no option":                     {Options: map[string]string{"x": "y"}},
			"There is no certificate":       {CA: new("nonsense")},
			"array or ndjson":               {Options: map[string]string{"body": "xml"}},
		} {
			_, err := stream.Update(tx, w.ring, s.ID, c)
			if fault.As(err) == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(name)) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := stream.Create(tx, w.ring, "PIGEON", stream.Change{Name: new("x"), Address: new(nowhere)}, false, "test"); fault.As(err) == nil {
			t.Errorf("unknown kind: %v", err)
		}
		if _, err := stream.Find(tx, "nobody"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("unknown sink: %v", err)
		}
		if _, err := stream.Update(tx, w.ring, s.ID, stream.Change{Address: new("https://elsewhere.example.org/"), Secret: new(secret)}); err != nil {
			t.Error(err)
		}
		return nil
	})
	if got := w.sink(s.ID); strings.Contains(string(got.Config), secret) || strings.Contains(string(got.Secret), secret) || got.Version != 2 {
		t.Errorf("%+v", got)
	}
	if err := w.db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := stream.Create(tx, w.ring, stream.Webhook, stream.Change{Name: new("siem"), Address: new(nowhere), Secret: new(secret)}, false, "test")
		return err
	}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same name: %v", err)
	}
	w.update(func(tx *store.Tx) error { return stream.Delete(tx, s.ID) })
	w.view(func(tx *store.Tx) error {
		if all, err := tx.EventSinks(); len(all) != 0 || err != nil {
			t.Errorf("%v, %v", all, err)
		}
		return nil
	})
}
