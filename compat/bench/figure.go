package main

import (
	"fmt"
	"slices"
)

// figure is the median of several rounds and their range.
type figure struct{ median, low, high float64 }

func summarize(rounds []float64) figure {
	s := slices.Clone(rounds)
	slices.Sort(s)
	return figure{s[len(s)/2], s[0], s[len(s)-1]}
}

// String is the median and, in brackets, the range, with no more digits than a noisy machine deserves.
func (f figure) String() string {
	digits := 0
	switch {
	case f.median < 10:
		digits = 2
	case f.median < 100:
		digits = 1
	}
	return fmt.Sprintf("%.*f [%.*f–%.*f]", digits, f.median, digits, f.low, digits, f.high)
}

// ratio is a figure of quotients within one round: what a noisy machine can be trusted with.
func ratio(a, b []float64) figure {
	q := make([]float64, len(a))
	for i := range a {
		q[i] = a[i] / b[i]
	}
	return summarize(q)
}
