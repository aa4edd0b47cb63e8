package access

import (
	"testing"

	"sallyport/internal/policy"
)

// TestLostPolicies: what is not kept is named where it may have decided otherwise, and nowhere else.
func TestLostPolicies(t *testing.T) {
	t.Parallel()
	allowed, denied := policy.Decision{Allowed: true, Layer: policy.LayerIdentity}, policy.Decision{Explicit: true, Layer: policy.LayerIdentity}
	none, capped := policy.Decision{Layer: policy.LayerIdentity}, policy.Decision{Layer: policy.LayerBoundary}
	both, boundary := lost{policies: []string{"p"}, boundary: "b"}, lost{boundary: "b"}
	for n, c := range []struct {
		lost lost
		of   policy.Decision
		want int
	}{
		{both, allowed, 2},
		{both, denied, 0},
		{both, none, 2},
		{lost{policies: []string{"p"}}, capped, 0},
		{boundary, allowed, 1},
		{boundary, none, 0},
		{lost{}, allowed, 0},
	} {
		if got := c.lost.against(c.of); len(got) != c.want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
