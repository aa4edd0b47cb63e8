package alert_test

import (
	"testing"

	"sallyport/internal/alert"
)

func TestPackIsWhole(t *testing.T) {
	t.Parallel()
	all, err := alert.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range all {
		if r.Description == "" || i > 0 && all[i-1].Name >= r.Name {
			t.Errorf("%s: no description, or out of order", r.Name)
		}
	}
}
