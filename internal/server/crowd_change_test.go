package server

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/awsapi"
	"sallyport/internal/directory"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// turn makes a fact what it is not yet, and then uses what hangs on it: rights of a user, or of anybody for -1.
func (c *crowd) turn(d *dice, f *fact, on bool, user int, do func() error) error {
	err := f.change(on, do)
	for range 4 {
		c.use(d, user)
	}
	return err
}

// toggle assigns or takes away. What is taken away is gone when the deletion is answered, long before it has ended.
func (c *crowd) toggle(d *dice, f *fact, user, set int, kind, principal string) error {
	if !f.look().on {
		return c.turn(d, f, true, user, func() error { return c.assign("Create", set, kind, principal) })
	}
	var wait func() error
	err := c.turn(d, f, false, user, func() (err error) {
		wait, err = c.begin("Delete", set, kind, principal)
		return err
	})
	if err != nil {
		return err
	}
	return wait()
}

// changers are those who change something, each what no other does.
func (c *crowd) changers() []func(*dice) error {
	return []func(*dice) error{
		func(d *dice) error { return c.toggleMember(d, d.roll(people), d.roll(groups)) },
		func(d *dice) error {
			u, k := d.roll(people), d.roll(sets)
			return c.toggle(d, c.direct[u][k], u, k, "USER", c.users[u].ID)
		},
		func(d *dice) error {
			g, k := d.roll(groups), d.roll(sets)
			return c.toggle(d, c.assigned[g][k], -1, k, "GROUP", c.groups[g])
		},
		func(d *dice) error { return c.passingGroup(d, d.roll(people)) },
		func(d *dice) error { return c.disable(d, d.roll(people)) },
		c.signInOrOut,
	}
}

func (c *crowd) toggleMember(d *dice, u, g int) error {
	f, who := c.member[u][g], fmt.Sprintf(`"GroupId": %q, "MemberId": {"UserId": %q}`, c.groups[g], c.users[u].ID)
	if !f.look().on {
		return c.turn(d, f, true, u, func() error {
			_, err := c.admin("identitystore", "CreateGroupMembership", "{"+who+"}")
			return err
		})
	}
	id, err := c.make("identitystore", "GetGroupMembershipId", "{"+who+"}", "MembershipId")
	if err != nil {
		return err
	}
	return c.turn(d, f, false, u, func() error {
		_, err := c.admin("identitystore", "DeleteGroupMembership", fmt.Sprintf(`{"MembershipId": %q}`, id))
		return err
	})
}

// passingGroup makes a group that grants something to a user, and deletes it. Its assignment stays behind until it is deleted.
func (c *crowd) passingGroup(d *dice, u int) error {
	var id string
	err := c.turn(d, c.passing[u], true, u, func() (err error) {
		if id, err = c.make("identitystore", "CreateGroup", `{"DisplayName": "passing"}`, "GroupId"); err != nil {
			return err
		}
		if _, err = c.admin("identitystore", "CreateGroupMembership", fmt.Sprintf(`{"GroupId": %q, "MemberId": {"UserId": %q}}`, id, c.users[u].ID)); err != nil {
			return err
		}
		return c.assign("Create", 0, "GROUP", id)
	})
	if err != nil {
		return err
	}
	err = c.turn(d, c.passing[u], false, u, func() error {
		_, err := c.admin("identitystore", "DeleteGroup", fmt.Sprintf(`{"GroupId": %q}`, id))
		return err
	})
	if err != nil {
		return err
	}
	return c.assign("Delete", 0, "GROUP", id)
}

// disable takes everything from a user for a moment. What the user held is good again afterwards, but for sessions that
// somebody ended.
func (c *crowd) disable(d *dice, u int) error {
	set := func(status store.UserStatus) func() error {
		return func() error {
			return c.server.db.Update(c.ctx, func(tx *store.Tx) error {
				now, err := tx.User(c.users[u].ID)
				if err != nil {
					return err
				}
				now.Status = status
				_, err = directory.UpdateUser(tx, now, "", byDev)
				return err
			})
		}
	}
	if err := c.turn(d, c.enabled[u], false, u, set(store.UserDisabled)); err != nil {
		return err
	}
	return c.turn(d, c.enabled[u], true, u, set(store.UserEnabled))
}

// signInOrOut signs somebody in, or ends one of the sessions, from the browser or from the client.
func (c *crowd) signInOrOut(d *dice) error {
	c.mu.Lock()
	var live []*signedIn
	for _, l := range c.logins {
		if l.portal.look().on && l.client.look().on {
			live = append(live, l)
		}
	}
	c.mu.Unlock()
	if len(live) < 2*people {
		return c.signIn(d.roll(people))
	}
	l := live[d.roll(len(live))]
	if d.roll(2) == 0 {
		return c.turn(d, l.portal, false, l.user, func() error { return c.end(l.portalID) })
	}
	return c.turn(d, l.client, false, l.user, func() error {
		_, _, err := c.exchange(c.ctx, l.caller, "sso", "Logout", "{}")
		var refused *awsapi.ResponseError
		if errors.As(err, &refused) && refused.Code == "UnauthorizedException" { // the user is disabled at the moment
			return c.end(l.clientID)
		}
		return err
	})
}

func (c *crowd) end(sessionID string) error {
	return c.server.db.Update(c.ctx, func(tx *store.Tx) error { return c.server.sessions.End(tx, sessionID, "test") })
}

// signIn is the CLI's sign-in by the rules, as the person's browser and client.
func (c *crowd) signIn(u int) error {
	s, from := c.server.sessions, session.Origin{IP: fmt.Sprintf("192.0.2.%d", u), UserAgent: "crowd"}
	l := &signedIn{user: u, portal: newFact(true), client: newFact(true)}
	client, err := s.Register(session.Registration{Name: "crowd", Type: "public"}, from)
	if err != nil {
		return err
	}
	device, err := s.StartDevice(client.ID, string(client.Secret), c.instance.StartURL, from)
	if err != nil {
		return err
	}
	grant, err := s.OpenGrant(session.TokenRequest{ClientID: client.ID, ClientSecret: string(client.Secret), GrantType: session.DeviceGrant, DeviceCode: string(device.DeviceCode)}, from)
	if err != nil {
		return err
	}
	var outcome session.Outcome
	err = c.server.db.Update(c.ctx, func(tx *store.Tx) error {
		_, portal, err := s.StartPortal(tx, c.users[u], from, time.Time{})
		if err != nil {
			return err
		}
		l.portalID = portal.ID
		if err := s.ApproveDevice(tx, portal, device.UserCode, from); err != nil {
			return err
		}
		outcome, err = s.Redeem(tx, grant)
		return err
	})
	if err != nil || outcome.Refused != nil { // disabled at the moment
		return err
	}
	l.clientID, l.caller = outcome.Session.ID, caller{bearer: string(outcome.Token.Access)}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.logins = append(c.logins, l)
	return nil
}
