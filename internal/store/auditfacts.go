package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sallyport/internal/skim"
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

// Glance is what an event shows to those who look at each to find the few that they want.
type Glance struct {
	Source, Name string
	Identity     string // userIdentity.type
	AccessKeyID  string
	Address      string // where it was called from
}

// Glance reads the beginning of the event, where these are.
func (e Event) Glance() (g Glance) {
	c := skim.New(e.JSON)
	c.Members(func(key string) {
		switch key {
		case "userIdentity":
			c.Members(func(key string) {
				switch key {
				case "type":
					g.Identity = c.Text()
				case "accessKeyId":
					g.AccessKeyID = c.Text()
				}
			})
		case "eventSource":
			g.Source = c.Text()
		case "eventName":
			g.Name = c.Text()
		case "sourceIPAddress":
			g.Address = c.Text()
		case "requestParameters": // it comes after them all
			c.Stop()
		}
	})
	return g
}

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
	var about [3]subject // in the order in which they are told
	c := skim.New(e.JSON)
	c.Members(func(key string) {
		switch key {
		case "eventName":
			f.Name = c.Text()
		case "eventSource":
			f.Source = c.Text()
		case "eventTime":
			if at, err := time.Parse(time.RFC3339, c.Text()); err == nil {
				f.Time = at.UTC()
			}
		case "readOnly":
			f.ReadOnly = c.Bool()
		case "userIdentity":
			f.identity(c)
		case "additionalEventData":
			signedIn, person = f.additional(c)
		case "resources":
			c.Items(func() { f.resource(c) })
		case "requestParameters":
			about[0].read(c)
		case "responseElements":
			about[1].read(c)
		case "serviceEventDetails":
			about[2].read(c)
		}
	})
	f.Username, f.PersonID = cmp.Or(f.Username, signedIn), cmp.Or(f.PersonID, person)
	for _, s := range about {
		s.tell(&f)
	}
	return f
}

// identity reads who acted (behaviour reference §10.5).
func (f *Facts) identity(c *skim.Scanner) {
	var name, arn string
	c.Members(func(key string) {
		switch key {
		case "userName":
			name = c.Text()
		case "arn":
			arn = c.Text()
		case "accessKeyId":
			f.AccessKeyID = c.Text()
		case "credentialId":
			f.join(c.Text())
		case "onBehalfOf":
			c.Members(func(key string) {
				if key == "userId" {
					f.PersonID = c.Text()
				}
			})
		}
	})
	f.Username = cmp.Or(name, sessionName(arn))
}

// additional reads whom a sign-in was about (behaviour reference §10.4).
func (f *Facts) additional(c *skim.Scanner) (name, person string) {
	c.Members(func(key string) {
		switch key {
		case "UserName":
			name = c.Text()
		case "identitystore:UserId":
			person = c.Text()
		case "AuthWorkflowID", "identitycenter:CorrelationId":
			f.join(c.Text())
		}
	})
	return name, person
}

func (f *Facts) join(id string) {
	if id != "" {
		f.Joins = append(f.Joins, id)
	}
}

func (f *Facts) resource(c *skim.Scanner) {
	var r EventResource
	c.Members(func(key string) {
		switch key {
		case "ARN":
			r.Name = c.Text()
		case "type":
			r.Type = c.Text()
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
