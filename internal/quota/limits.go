package quota

import (
	"fmt"
	"time"

	"sallyport/internal/fault"
)

// Limits are the values that hold for one piece of work. The zero Limits are AWS's values, and count anew each time.
type Limits struct {
	mode Mode
	book *Book
}

// Mode is whose values hold.
func (l Limits) Mode() Mode {
	if l.mode == Relaxed {
		return Relaxed
	}
	return Strict
}

// Of is the value of a limit, None where nothing is bounded.
func (l Limits) Of(n Name) int {
	if l.book != nil {
		if v, ok := l.book.Replace[n]; ok {
			return v
		}
	}
	row := find(n)
	if l.mode == Relaxed {
		return row.Relaxed
	}
	return row.AWS
}

// Exceeds tells whether n is more than the limit allows.
func (l Limits) Exceeds(name Name, n int) bool {
	limit := l.Of(name)
	return limit != None && n > limit
}

// Rate is how often a second something may be asked: AWS's value in either mode, since calls are throttled only where that is wanted.
func (l Limits) Rate(n Name) int { return Limits{Strict, l.book}.Of(n) }

// Reached is the fault of whoever would pass a limit.
func (l Limits) Reached(n Name) *fault.Error {
	return fault.Quotaf("A limit is reached: there can be at most %d %s.", l.Of(n), find(n).Bounds)
}

// Admit says whether there is room for one more: nil, or the fault. key tells apart what is counted for itself, such as one
// instance from another. count counts what there is, no further than the bound that it is given, in the caller's transaction.
//
// Counting is left out while there is plenty of room, see [Book].
func (l Limits) Admit(n Name, key string, now time.Time, count func(bound int) (int, error)) error {
	limit := l.Of(n)
	if limit == None || l.book.spend(n, key, limit, now) {
		return nil
	}
	have, err := count(limit)
	if err != nil {
		return fmt.Errorf("count %s: %w", n, err)
	}
	if have >= limit {
		return l.Reached(n)
	}
	l.book.grant(n, key, limit, have, now)
	return nil
}

// Most is the largest value that a limit has in any mode: how many there may be of what was made before the mode changed.
func Most(n Name) int {
	row := find(n)
	return max(row.AWS, row.Relaxed)
}

func find(n Name) Limit {
	for _, row := range Table {
		if row.Name == n {
			return row
		}
	}
	panic("quota: no limit " + string(n)) // a mistake of the program: names are constants
}
