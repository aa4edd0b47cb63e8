package audit

import (
	"fmt"
	"strings"
)

// Refused says which events of a batch a sink will never take; it has taken the others.
type Refused struct {
	Seqs   []int64
	Reason string
}

func (r *Refused) Error() string {
	const most = 5
	var b strings.Builder
	for i, seq := range r.Seqs {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(r.Seqs)-most)
			break
		}
		fmt.Fprintf(&b, " %d", seq)
	}
	return fmt.Sprintf("%d events refused (numbers%s): %s", len(r.Seqs), b.String(), r.Reason)
}
