package scim

import (
	"net/http"
	"strings"

	"sallyport/internal/directory"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/scim/resource"
	"sallyport/internal/store"
)

// delta is what a request changes of a group. Members are told by what is said of them, so that a group of thousands is not read to
// change one: the last that is said of somebody holds.
type delta struct {
	said       map[string]bool // whether a user, by id in lower case, is to be a member
	order      []string
	replaced   bool // whoever nothing is said of is none
	name       *string
	externalID *string
}

func newDelta() *delta { return &delta{said: map[string]bool{}} }

func (d *delta) say(ids []string, in bool) {
	for _, id := range ids {
		id = strings.ToLower(id) // some clients write ids in capitals (case S01)
		if _, before := d.said[id]; !before {
			d.order = append(d.order, id)
		}
		d.said[id] = in
	}
}

// replace makes those all that there are.
func (d *delta) replace(ids []string) {
	d.said, d.order, d.replaced = map[string]bool{}, nil, true
	d.say(ids, true)
}

// those are the users of whom it is said that they are, or are not, to be members.
func (d *delta) those(in bool) (out []string) {
	for _, id := range d.order {
		if d.said[id] == in {
			out = append(out, id)
		}
	}
	return out
}

// patchGroup changes a group's name, external id or members. It is answered without a body, unless attributes are asked for: as AWS does,
// and as RFC 7644 §3.5.2 allows.
func patchGroup(c *call) (answer, error) {
	g, err := c.groupToChange()
	if err != nil {
		return answer{}, err
	}
	ops, err := c.groups().Operations(c.tree)
	if err != nil {
		return answer{}, err
	}
	d := newDelta()
	for _, o := range ops {
		if err := c.take(d, g, o); err != nil {
			return answer{}, err
		}
	}
	if c.strict() {
		switch {
		case d.replaced:
			return answer{}, fault.Invalidf("All members of a group cannot be replaced or removed at once.")
		case len(d.order) > maxDelta:
			return answer{}, errMembers()
		}
	}
	if err := c.carryOut(g, d); err != nil {
		return answer{}, err
	}
	show, err := c.projection(c.groups())
	if err == nil && show.Asked() {
		return c.answerGroup(http.StatusOK, g.ID)
	}
	return answer{status: http.StatusNoContent}, err
}

// take adds an operation to what is to be done.
func (c *call) take(d *delta, g store.Group, o resource.Operation) error {
	text := func() (*string, error) {
		if o.Op == "remove" {
			return new(""), nil
		}
		s, ok := o.Value.(string)
		if !ok {
			return nil, resource.ErrSyntax()
		}
		return &s, nil
	}
	var err error
	switch o.Path.Attr.Name {
	case "displayName":
		d.name, err = text()
	case "externalId":
		d.externalID, err = text()
	case "members":
		err = c.takeMembers(d, g, o)
	default:
		err = fault.Invalidf("Of a group displayName, externalId and members can be changed.").WithReason("mutability")
	}
	return err
}

func (c *call) takeMembers(d *delta, g store.Group, o resource.Operation) error {
	ids, err := o.Values()
	if err != nil {
		return err
	}
	switch chosen, id := o.Path.Chosen(); {
	case chosen && o.Op == "replace":
		return fault.Invalidf("Members are added and removed, not made others.").WithReason("mutability")
	case id != "":
		ids = append([]string{id}, ids...)
	case chosen && (c.strict() || o.Op != "remove"):
		return fault.Invalidf("Members are chosen by value.").WithReason("invalidFilter")
	case chosen:
		return c.leaveChosen(d, g, o.Path)
	}
	switch {
	case o.Op == "add":
		d.say(ids, true)
	case o.Op == "remove" && len(ids) > 0:
		d.say(ids, false)
	default: // replace, or remove without saying whom
		d.replace(ids)
	}
	return nil
}

// leaveChosen takes out members that a filter chooses of those that there are.
func (c *call) leaveChosen(d *delta, g store.Group, p resource.Path) error {
	all, err := c.members(g.ID)
	if err != nil {
		return err
	}
	var out []string
	for _, m := range all {
		member := object(m.(map[string]any))
		if p.Chooses(member) {
			out = append(out, member.text("value"))
		}
	}
	d.say(out, false)
	return nil
}

// carryOut does what a request asks for, whole or not at all.
func (c *call) carryOut(g store.Group, d *delta) error {
	if d.name != nil || d.externalID != nil || g.Source != c.from.ID {
		if d.name != nil {
			g.DisplayName = *d.name
		}
		if d.externalID != nil {
			if err := c.checkExternalID(*d.externalID); err != nil {
				return err
			}
			g.ExternalIDs = c.withExternalID(g.ExternalIDs, *d.externalID)
		}
		g.Source = c.from.ID
		if _, err := directory.UpdateGroup(c.tx, g, "", c.by()); err != nil {
			return err
		}
	}
	if d.replaced {
		if err := c.sayOfOthers(g, d); err != nil {
			return err
		}
	}
	return c.changeMembers(g, d.those(true), d.those(false))
}

// sayOfOthers says of members of whom nothing is said that they are to be none.
func (c *call) sayOfOthers(g store.Group, d *delta) error {
	for q := (page.Query{Limit: 1000}); ; {
		rows, next, err := c.tx.MembersNamed(g.ID, q)
		if err != nil {
			return err
		}
		for _, m := range rows {
			if _, said := d.said[strings.ToLower(m.ID)]; !said {
				d.say([]string{m.ID}, false)
			}
		}
		if q.After = next; next == nil {
			return nil
		}
	}
}
