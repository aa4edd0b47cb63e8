package store

import (
	"strconv"
	"strings"
	"sync"
)

// query is one SQL statement that both engines take. Its constants are EXPLAINed in a test.
type query string

// widths are how many rows or values a statement is made for: a few sizes are enough, so that each is prepared once.
var widths = []int{64, 8, 1}

// widest is the largest of them.
const widest = 64

// largest is the largest width that n fill.
func largest(n int) int {
	for _, w := range widths {
		if n >= w {
			return w
		}
	}
	return 1
}

// widened are the statements that have been made of others, by those and their width.
var widened sync.Map

type widening struct {
	of query
	n  int
}

// wide is the statement that widen makes of q, once.
func (q query) wide(n int, widen func() query) query {
	if made, ok := widened.Load(widening{q, n}); ok {
		return made.(query)
	}
	made := widen()
	widened.Store(widening{q, n}, made)
	return made
}

// rows makes an INSERT of one row one of n rows.
func (q query) rows(n int) query {
	if n == 1 {
		return q
	}
	return q.wide(n, func() query { return q.widenRows(n) })
}

func (q query) widenRows(n int) query {
	head, list, _ := strings.Cut(string(q), " VALUES ")
	list, tail, _ := strings.Cut(list, ")")
	columns := strings.Count(list, "$")
	var b strings.Builder
	b.WriteString(head + " VALUES ")
	for i := range n * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	return query(b.String() + ")" + tail)
}

// in makes a statement whose last placeholder is all that an IN compares with, one for a list of at least one value and at most
// [widest], and returns it with its arguments: those before, and the list.
func (q query) in(list []string, before ...any) (query, []any) {
	values := make([]any, len(list))
	for i, v := range list {
		values[i] = v
	}
	return q.among(values, before...)
}

// among is in for values of any type.
func (q query) among(list []any, before ...any) (query, []any) {
	size := widest
	for size > 8 && size/2 >= len(list) { // not much wider than it must be: each place costs
		size /= 2
	}
	if len(list) == 1 {
		size = 1
	}
	args := make([]any, 0, len(before)+size)
	args = append(args, before...)
	for i := range size {
		args = append(args, list[min(i, len(list)-1)]) // what is left is the last again
	}
	return q.wide(size, func() query {
		at := len(before) + 1
		places := make([]string, size)
		for i := range places {
			places[i] = "$" + strconv.Itoa(at+i)
		}
		return query(strings.Replace(string(q), "("+places[0]+")", "("+strings.Join(places, ", ")+")", 1))
	}), args
}
