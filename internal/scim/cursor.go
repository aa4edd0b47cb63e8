package scim

import (
	"cmp"
	"strconv"
	"time"

	"sallyport/internal/fault"
	"sallyport/internal/page"
)

// cursorLife is how long a cursor is good.
const cursorLife = 24 * time.Hour

// place is where a resource is in a list: by what it is sorted by, then by its type, then in the order of creation, which does not shift
// when others are made.
type place struct {
	key     string
	kind    int
	created int64 // microseconds
	id      string
}

// compare says which of two resources comes first. Those without a value to sort by come last, and first when the order is reversed
// (RFC 7644 §3.4.2.3).
func (s *search) compare(a, b place) int {
	by := cmp.Compare(a.key, b.key)
	if (a.key == "") != (b.key == "") {
		by = -by
	}
	if s.desc {
		by = -by
	}
	return cmp.Or(by, cmp.Compare(a.kind, b.kind), cmp.Compare(a.created, b.created), cmp.Compare(a.id, b.id))
}

// sealCursor writes the cursor of the page after a place.
func (c *call) sealCursor(s *search, at place, total int) string {
	return c.s.Pages.Seal(s.scope, page.Key{
		strconv.FormatInt(c.tx.Now().Unix(), 10), strconv.Itoa(total), at.key, strconv.Itoa(at.kind), strconv.FormatInt(at.created, 10), at.id,
	})
}

// openCursor reads a cursor; "" is the start.
func (c *call) openCursor(s *search, text string) error {
	if text == "" {
		return nil
	}
	key, err := c.s.Pages.Open(s.scope, text)
	if err != nil || len(key) != 6 {
		return fault.Invalidf("The cursor belongs to another request, or was changed. Start again with an empty one.").WithReason("invalidCursor")
	}
	var n [4]int64
	for i, text := range []string{key[0], key[1], key[3], key[4]} {
		n[i], _ = strconv.ParseInt(text, 10, 64) // sealed by us
	}
	if c.tx.Now().Sub(time.Unix(n[0], 0)) > cursorLife {
		return fault.Invalidf("The cursor is older than %s. Start again with an empty one.", cursorLife).WithReason("expiredCursor")
	}
	s.seen, s.after = int(n[1]), &place{key: key[2], kind: int(n[2]), created: n[3], id: key[5]}
	return nil
}
