package store

import "fmt"

const (
	indexRows  query = `SELECT place, first_at, last_at, data FROM audit_index WHERE place IN ($1)`
	insertNode query = `INSERT INTO audit_index (place, first_at, last_at, data) VALUES ($1, $2, $3, $4)`
	// full scan: one row for each of four levels.
	indexMade query = `SELECT made FROM audit_indexed ORDER BY level`
	// Whoever was first has made the rows: leases only spare the others the work.
	moveMade  query = `UPDATE audit_indexed SET made = $1 WHERE level = $2 AND made = $3`
	dropNodes query = `DELETE FROM audit_index WHERE place >= $1 AND place < $2`
)

// made is how many rows each level has; that of level 1 is at 1.
type made [topLevel + 1]int64

// nodes is how many nodes of a level are whole.
func (m *made) nodes(level int) int64 { return m[level] >> rowBits(level) }

// events is how many events are indexed, counted from the first.
func (m *made) events() int64 { return m[1] * fanOut }

func (tx *Tx) indexMade() (m made, err error) {
	rows, err := list(tx, indexMade, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err })
	copy(m[1:], rows)
	return m, err
}

func scanNode(r row) (n node, err error) {
	err = r.Scan(&n.place, &n.first, &n.last, &n.data)
	return n, err
}

// indexRows reads rows of a level, at most 64; those that are not there are left out.
func (tx *Tx) indexRows(level int, rows []int64) (map[int64]*node, error) {
	places := make([]any, len(rows))
	for i, r := range rows {
		places[i] = place(level, r)
	}
	q, args := indexRows.among(places)
	nodes, err := list(tx, q, scanNode, args...)
	if err != nil {
		return nil, fmt.Errorf("read audit index: %w", err)
	}
	out := make(map[int64]*node, len(nodes))
	for i := range nodes {
		out[nodes[i].place-place(level, 0)] = &nodes[i]
	}
	return out, nil
}

// growth is what is added to a level of the index.
type growth struct {
	level    int
	from, to int64 // its number of rows before and after
	rows     []node
}

// grow writes it. It is ErrLost when somebody else has done so.
func (tx *Tx) grow(g *growth) error {
	if err := held(tx.exec(moveMade, g.to, g.level, g.from)); err != nil {
		return err
	}
	for rows := g.rows; len(rows) > 0; {
		size := largest(len(rows))
		args := make([]any, 0, 4*size)
		for _, n := range rows[:size] {
			args = append(args, n.place, n.first, n.last, n.data)
		}
		if _, err := tx.exec(insertNode.rows(size), args...); err != nil {
			return fmt.Errorf("write audit index: %w", err)
		}
		rows = rows[size:]
	}
	return nil
}

// leaves makes nodes of level 1 for the events that follow on those that are indexed; nil while there are too few.
func leaves(m *made, events []SealedEvent) *growth {
	if len(events) == 0 {
		return nil
	}
	g := &growth{level: 1, from: m[1], to: events[len(events)-1].Seq / fanOut}
	if g.to <= g.from {
		return nil
	}
	var terms pairs
	n := noTime()
	for i, e := range events {
		leaf := (e.Seq - 1) / fanOut
		if leaf >= g.to {
			break
		}
		f := e.Facts()
		f.terms(func(t uint64) { terms = append(terms, pair(t, (e.Seq-1)%fanOut)) })
		n.spans(f.Time.Unix(), f.Time.Unix())
		if i+1 == len(events) || (events[i+1].Seq-1)/fanOut != leaf {
			n.place, n.data = place(1, leaf), terms.encode(1)
			g.rows = append(g.rows, n)
			terms, n = terms[:0], noTime()
		}
	}
	return g
}

// due is the lowest level above 1 that has all it takes to make 64 more rows; 0 if none has.
func (m *made) due() int {
	for level := 2; level <= topLevel; level++ {
		if m.nodes(level-1) >= (m.nodes(level)+1)*fanOut {
			return level
		}
	}
	return 0
}

// merge makes 64 more rows of a level, of one row of each of a node's 64 children. Of what has been dropped nothing is made.
func (tx *Tx) merge(m *made, level int) (*growth, error) {
	from := m[level]
	parent := m.nodes(level)
	below := from & (1<<rowBits(level) - 1) >> fanBits // the row of the children
	rows := make([]int64, fanOut)
	for child := range rows {
		rows[child] = (parent*fanOut+int64(child))<<rowBits(level-1) | below
	}
	nodes, err := tx.indexRows(level-1, rows)
	g := &growth{level: level, from: from, to: from + fanOut}
	if err != nil || len(nodes) == 0 {
		return g, err
	}
	var parts [fanOut]pairs
	n := noTime()
	var all pairs
	for child, r := range rows {
		if c := nodes[r]; c != nil {
			n.spans(c.first, c.last)
			all = c.under(level, child, all)
		}
	}
	for _, p := range all {
		part := p >> (termBits + eventBits - rowBits(level)) % fanOut
		parts[part] = append(parts[part], p)
	}
	for i, part := range parts {
		n.place, n.data = place(level, from+int64(i)), part.encode(level)
		g.rows = append(g.rows, n)
	}
	return g, nil
}

// DropIndexed removes from the index what is about events up to a number alone, for when they are deleted. What it leaves of them, as
// it is about later ones too, finds nothing where they have been.
func (tx *Tx) DropIndexed(upTo int64) error {
	m, err := tx.indexMade()
	if err != nil {
		return err
	}
	for level := 1; level <= topLevel; level++ {
		nodes := min(upTo>>(fanBits*level), m.nodes(level))
		if nodes == 0 {
			break
		}
		if _, err := tx.exec(dropNodes, place(level, 0), place(level, nodes<<rowBits(level))); err != nil {
			return fmt.Errorf("drop audit index: %w", err)
		}
	}
	return nil
}
