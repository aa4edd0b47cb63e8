package ascode

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
)

// Action is what a step does to its object.
type Action string

// The actions.
const (
	Create    Action = "create"
	Change    Action = "change"
	Delete    Action = "delete"
	Provision Action = "provision"
)

// Step is one change.
type Step struct {
	Action  Action   `json:"action"`
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	Details []string `json:"details,omitempty"`

	phase phase
	// still is whether the object is as it was when the plan was made; nil: the operation tells by itself.
	still func(context.Context, *apply) (bool, error)
	do    func(context.Context, *apply) error
}

// phase orders steps: what others need comes before them, and what gives access before what takes it away.
type phase int

const (
	ofSettings phase = iota
	ofUsers
	ofGroups
	ofJoining
	ofIssuers
	ofAttributes
	ofApplications
	ofSets
	ofProvisioning
	ofAssigning
	ofUnassigning
	ofLeaving
	ofDeletingApplications
	ofDeletingIssuers
	ofDeletingSets
	ofDeletingGroups
	ofDeletingUsers
	ofAlerting // last, so that what is done meanwhile is held against the rules as they were
	phases
)

// Plan is what makes a live configuration what a document says.
type Plan struct {
	Steps   []Step   `json:"steps"`
	Effects []Effect `json:"effects"`
	// State is a fingerprint of the live configuration that the plan rests on.
	State string `json:"state"`

	live *Live
	want Document
}

// Renamed is what something is called by the source of a document, and here.
type Renamed struct{ Kind, Name, Source, Here string }

// Renamed lists the ids of the document's source beside those here, once the plan has been applied.
func (p *Plan) Renamed() (out []Renamed) {
	for _, u := range p.want.Users {
		if id, _ := u[sourceID].(string); id != "" {
			out = append(out, Renamed{"user", u.name(), id, p.live.ids[principal{adminapi.PrincipalTypeUser, fold(u.name())}]})
		}
	}
	for _, g := range p.want.Groups {
		if g.SourceID != "" {
			out = append(out, Renamed{"group", g.DisplayName, g.SourceID, p.live.ids[principal{adminapi.PrincipalTypeGroup, fold(g.DisplayName)}]})
		}
	}
	for _, s := range p.want.PermissionSets {
		if s.SourceARN != "" {
			out = append(out, Renamed{"permission set", s.Name, s.SourceARN, p.live.sets[s.Name]})
		}
	}
	return out
}

// planner collects steps.
type planner struct {
	live    *Live
	want    Document
	steps   []Step
	created map[principal]bool // users and groups that steps create
	deleted map[principal]bool // and delete
	faults  []error
}

// New plans the way from what is live to a document.
func New(live *Live, want Document) (*Plan, error) {
	p := &planner{live: live, want: want, created: map[principal]bool{}, deleted: map[principal]bool{}}
	for _, section := range []func(){p.settings, p.users, p.groups, p.issuers, p.attributes, p.applications, p.sets, p.alerts} {
		section()
	}
	if len(p.faults) > 0 {
		return nil, p.faults[0]
	}
	slices.SortStableFunc(p.steps, func(a, b Step) int { return cmp.Compare(a.phase, b.phase) })
	return &Plan{Steps: p.steps, Effects: p.effects(), State: live.fingerprint(), live: live, want: want}, nil
}

// fingerprint tells live configurations apart.
func (l *Live) fingerprint() string {
	text, err := json.Marshal(l.Document)
	if err != nil { // nothing of a document can't be JSON: it came as that
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (p *planner) add(s Step) { p.steps = append(p.steps, s) }

// differences tells what changes, a line for each.
type differences []string

func (d *differences) text(name, from, to string) {
	if from != to {
		*d = append(*d, fmt.Sprintf("%s: %s → %s", name, shown(from), shown(to)))
	}
}

func shown(s string) string {
	if s == "" {
		return "(none)"
	}
	if len(s) > 120 {
		s = s[:117] + "…"
	}
	return strings.Join(strings.Fields(s), " ")
}

// list tells of elements that come and go.
func (d *differences) list(name string, from, to []string) (added, removed []string) {
	for _, v := range to {
		if !slices.Contains(from, v) {
			added = append(added, v)
			*d = append(*d, "+ "+name+" "+v)
		}
	}
	for _, v := range from {
		if !slices.Contains(to, v) {
			removed = append(removed, v)
			*d = append(*d, "- "+name+" "+v)
		}
	}
	return added, removed
}

func (d *differences) tags(from, to map[string]string) (set map[string]string, removed []string) {
	set = map[string]string{}
	for _, k := range sortedKeys(to) {
		if old, ok := from[k]; !ok || old != to[k] {
			set[k] = to[k]
			d.text("tag "+k, old, to[k])
		}
	}
	for _, k := range sortedKeys(from) {
		if _, ok := to[k]; !ok {
			removed = append(removed, k)
			d.text("tag "+k, from[k], "")
		}
	}
	return set, removed
}

// matched calls both for what is in two lists, and one for what is in one of them only.
func matched[T any](live, want []T, key func(T) string, both func(l, w T), added, removed func(T)) {
	was := map[string]T{}
	for _, v := range live {
		was[key(v)] = v
	}
	for _, w := range want {
		if l, ok := was[key(w)]; ok {
			both(l, w)
			delete(was, key(w))
		} else {
			added(w)
		}
	}
	for _, v := range live {
		if _, ok := was[key(v)]; ok {
			removed(v)
		}
	}
}

// ask calls an operation whose answer is of no interest.
func ask[Out any](ctx context.Context, a *apply, in any) error {
	_, _, err := apiclient.Ask[Out](ctx, a.reader.Client, in)
	return err
}

func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}
