package store

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// Facts are what a sealed event can be looked up by (wire-protocols §12), read from its JSON.
type Facts struct {
	ID, Name, Source string
	Username         string // a user's name, or the name of a role session
	PersonID         string // the person of the directory for whom the call was made
	AccessKeyID      string
	ReadOnly         bool
	Time             time.Time // when it happened, in whole seconds
	Resources        []EventResource
	Joins            []string // ids that it shares with others: of a sign-in, of a session in the portal, of a role session
}

// EventResource is a thing that an event is about.
type EventResource struct{ Type, Name string }

// subject are the members of requests and answers that name a thing. CloudTrail takes the resources of a look-up from such members;
// instances and identity stores are left out, as nearly every event names them.
type subject struct {
	permissionSet, application, tokenIssuer string
	user, member, group, membership         string
	principalType, principal                string
	targetType, target, account             string
}

// Facts reads the event. What is not as events are has fewer of them.
func (e SealedEvent) Facts() Facts {
	f := Facts{ID: e.ID, Time: e.At.Truncate(time.Second)}
	var person, signedIn string
	var about [3]subject                                                  // in the order in which they are told
	c := scanner{s: unsafe.String(unsafe.SliceData(e.JSON), len(e.JSON))} // nobody changes an event's JSON; a copy of it would be half of the work
	c.members(func(key string) {
		switch key {
		case "eventName":
			f.Name = c.text()
		case "eventSource":
			f.Source = c.text()
		case "eventTime":
			if at, err := time.Parse(time.RFC3339, c.text()); err == nil {
				f.Time = at.UTC()
			}
		case "readOnly":
			f.ReadOnly = c.truth()
		case "userIdentity":
			f.identity(&c)
		case "additionalEventData":
			signedIn, person = f.additional(&c)
		case "resources":
			c.items(func() { f.resource(&c) })
		case "requestParameters":
			about[0].read(&c)
		case "responseElements":
			about[1].read(&c)
		case "serviceEventDetails":
			about[2].read(&c)
		}
	})
	f.Username, f.PersonID = cmp.Or(f.Username, signedIn), cmp.Or(f.PersonID, person)
	for _, s := range about {
		s.tell(&f)
	}
	return f
}

// identity reads who acted (behaviour reference §10.5).
func (f *Facts) identity(c *scanner) {
	var name, arn string
	c.members(func(key string) {
		switch key {
		case "userName":
			name = c.text()
		case "arn":
			arn = c.text()
		case "accessKeyId":
			f.AccessKeyID = c.text()
		case "credentialId":
			f.join(c.text())
		case "onBehalfOf":
			c.members(func(key string) {
				if key == "userId" {
					f.PersonID = c.text()
				}
			})
		}
	})
	f.Username = cmp.Or(name, sessionName(arn))
}

// additional reads whom a sign-in was about (behaviour reference §10.4).
func (f *Facts) additional(c *scanner) (name, person string) {
	c.members(func(key string) {
		switch key {
		case "UserName":
			name = c.text()
		case "identitystore:UserId":
			person = c.text()
		case "AuthWorkflowID", "identitycenter:CorrelationId":
			f.join(c.text())
		}
	})
	return name, person
}

func (f *Facts) join(id string) {
	if id != "" {
		f.Joins = append(f.Joins, id)
	}
}

func (f *Facts) resource(c *scanner) {
	var r EventResource
	c.members(func(key string) {
		switch key {
		case "ARN":
			r.Name = c.text()
		case "type":
			r.Type = c.text()
		}
	})
	f.about(r.Type, r.Name)
}

// sessionName is the name of a role session, by its ARN (arn:aws:sts::account:assumed-role/role/session).
func sessionName(arn string) string {
	if !strings.Contains(arn, ":assumed-role/") {
		return ""
	}
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

// maxResources bounds what one event takes in the index.
const maxResources = 20

func (f *Facts) about(kind, name string) {
	r := EventResource{kind, name}
	if name != "" && len(f.Resources) < maxResources && !slices.Contains(f.Resources, r) {
		f.Resources = append(f.Resources, r)
	}
}
