package alert

import (
	"fmt"
	"strings"
	"time"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// enricher tells what an event alone does not. It makes detail.sallyport:
//
//	pipeline      of calls that change something: whether the caller is on the list of the setting alerts.pipelines
//	grantsAccess  of group memberships that are added: whether an account or an application is assigned to the group
//	weakened      of settings that are changed: whether the new value demands less of people than the old one
//	newAddress    of calls with an operator's key: whether the key was used before, but never from this address
type enricher struct {
	tx      *store.Tx
	callers pipeline
	known   map[sighting]time.Time // that are remembered, and when that was noted last

	saw []sighting
}

// sighting is a value that a subject had.
type sighting struct{ subject, value string }

const (
	seenAgain = 24 * time.Hour // after that it is remembered anew that a value was seen
	maxKnown  = 4096           // of those that need not be looked for again
)

func (x *enricher) enrich(detail map[string]any, fresh bool) (map[string]any, error) {
	more := map[string]any{}
	if readOnly, _ := detail["readOnly"].(bool); !readOnly {
		more["pipeline"] = x.list(detail).has(detail)
	}
	switch text(detail, "eventName") {
	case "PutSetting", "ResetSetting":
		name := text(detail, "requestParameters", "name")
		more["weakened"] = setting.Weakens(name, text(detail, "additionalEventData", "previousValue"), text(detail, "additionalEventData", "newValue"))
	case "CreateGroupMembership", "AddMemberToGroup":
		grants, err := x.grants(detail)
		if err != nil {
			return nil, err
		}
		more["grantsAccess"] = grants
	}
	if fresh {
		more["newAddress"] = true
	}
	return more, nil
}

// list are the pipelines' callers. Whoever changes that list is judged by what it was before: nobody can put themselves on it unseen.
func (x *enricher) list(detail map[string]any) pipeline {
	if text(detail, "requestParameters", "name") == "alerts.pipelines" {
		return pipelineOf(text(detail, "additionalEventData", "previousValue"))
	}
	return x.callers
}

// grants says whether the group of an event has access to anything.
func (x *enricher) grants(detail map[string]any) (bool, error) {
	for _, p := range [][]string{{"requestParameters", "groupId"}, {"serviceEventDetails", "groupId"}} {
		id := text(detail, p...)
		if id == "" {
			continue
		}
		some, err := x.tx.AssignedAnything(store.PrincipalGroup, id)
		if err != nil {
			return false, fmt.Errorf("look for assignments: %w", err)
		}
		return some, nil
	}
	return false, nil
}

// address says whether an operator's key is used from an address that is new for it. The first one of a key is no news.
func (x *enricher) address(g store.Glance) (bool, error) {
	if g.Identity != "IAMUser" || g.AccessKeyID == "" || g.Address == "" {
		return false, nil
	}
	s := sighting{"key " + g.AccessKeyID, g.Address}
	if noted, ok := x.known[s]; ok && x.tx.Now().Sub(noted) < seenAgain {
		return false, nil
	}
	another := false
	for _, o := range x.saw {
		if o == s {
			return false, nil
		}
		another = another || o.subject == s.subject
	}
	noted, err := x.tx.SeenForAlert(s.subject, s.value)
	if err != nil {
		return false, fmt.Errorf("look for address: %w", err)
	}
	if !noted.IsZero() && x.tx.Now().Sub(noted) < seenAgain {
		x.remember(s, noted)
		return false, nil
	}
	x.saw = append(x.saw, s)
	if !noted.IsZero() || another {
		return noted.IsZero(), nil
	}
	if another, err = x.tx.AnySeenForAlert(s.subject); err != nil {
		return false, fmt.Errorf("look for addresses: %w", err)
	}
	return another, nil
}

// remember spares others the look for what is there.
func (x *enricher) remember(s sighting, noted time.Time) {
	if len(x.known) >= maxKnown {
		clear(x.known)
	}
	x.known[sighting{strings.Clone(s.subject), strings.Clone(s.value)}] = noted
}
