package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storetypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/google/go-cmp/cmp"

	"sallyport/internal/store/storetest/pgtest"
)

// What a directory sends in these tests: every group has every third user, each by a request of its own.
const (
	sentUsers  = 60
	sentGroups = 6
	sentEvery  = 3
)

// sentCompany is what a directory has sent, by id.
type sentCompany struct {
	users, groups []string
}

// members are those of a group, in order.
func (d sentCompany) members(group int) (ids []string) {
	for i := group % sentEvery; i < len(d.users); i += sentEvery {
		ids = append(ids, d.users[i])
	}
	return ids
}

// TestCrashSCIM kills the server at a random moment of a directory's first synchronization, whose client tries again what was not
// answered. In the end everything is there, once: what was acknowledged has stayed, and nothing was made twice.
func TestCrashSCIM(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(testing.TB) []string{
		"SQLite":     func(testing.TB) []string { return nil },
		"PostgreSQL": func(tb testing.TB) []string { return []string{"--database", pgtest.NewDatabase(tb)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range max(1, crashes(t)/5) { // each takes longer than TestCrash's
				t.Run(strconv.Itoa(i+1), func(t *testing.T) {
					t.Parallel()
					crashSync(t, database(t))
				})
			}
		})
	}
}

func crashSync(t *testing.T, args []string) {
	s := startDev(t, args...)
	c := s.scim()
	requests := sentUsers + sentGroups + sentGroups*sentUsers/sentEvery
	c.answered = make(chan struct{}, 4*requests)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	var d sentCompany
	done := make(chan error, 1)
	go func() (err error) {
		defer func() { done <- err }()
		d, err = c.sendCompany(ctx)
		return err
	}()

	moment, delay := rand.N(requests), rand.N(10*time.Millisecond)
	defer func() {
		if t.Failed() {
			t.Logf("killed %v after answer %d of %d", delay, moment, requests)
		}
	}()
	for range moment {
		select {
		case <-c.answered:
		case err := <-done:
			t.Fatalf("the synchronization has ended early: %v", err)
		}
	}
	time.Sleep(delay)
	s.kill()
	s.start()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	c.answered = nil
	if s.checkCompany(ctx, c, d); !t.Failed() { // of what is lost no log will tell
		s.awaitSCIM(ctx, d)
	}
}

// sendCompany sends the whole of it.
func (c *scimClient) sendCompany(ctx context.Context) (d sentCompany, err error) {
	if d.users, err = manyAtOnce(sentUsers, func(i int) (string, error) { return c.createUser(ctx, i) }); err != nil {
		return d, err
	}
	if d.groups, err = manyAtOnce(sentGroups, func(i int) (string, error) { return c.createGroup(ctx, i) }); err != nil {
		return d, err
	}
	each := sentUsers / sentEvery
	_, err = manyAtOnce(sentGroups*each, func(i int) (string, error) {
		return "", c.change(ctx, d.groups[i/each], "add", d.members(i / each)[i%each])
	})
	return d, err
}

// checkCompany compares what the server has with what was sent, by SCIM and by the identity store's API.
func (s *server) checkCompany(ctx context.Context, c *scimClient, d sentCompany) {
	s.tb.Helper()
	for kind, want := range map[string][]string{"/Users": d.users, "/Groups": d.groups} {
		names, ids, err := c.all(ctx, kind)
		if err != nil {
			s.tb.Fatal(err)
		}
		var have []string
		for i, name := range names { // the world has people and groups of its own, too
			if strings.HasPrefix(strings.ToLower(name), "sent") {
				have = append(have, ids[i])
			}
		}
		s.sameIDs(kind, want, have)
	}
	for i, id := range d.users {
		found, err := c.find(ctx, "/Users", fmt.Sprintf(`externalId eq "ext-%d"`, i))
		if err != nil || len(found) != 1 || found[0] != id {
			s.tb.Errorf("user %d is found by its external id as %v (%v), want %s", i, found, err, id)
		}
	}
	people := identitystore.NewFromConfig(s.operatorConfig(), func(o *identitystore.Options) { o.RetryMaxAttempts = 10 })
	for i, id := range d.groups {
		var have []string
		pages := identitystore.NewListGroupMembershipsPaginator(people, &identitystore.ListGroupMembershipsInput{IdentityStoreId: &s.IdentityStoreID, GroupId: aws.String(id)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				s.tb.Fatal(err)
			}
			for _, m := range page.GroupMemberships {
				have = append(have, m.MemberId.(*storetypes.MemberIdMemberUserId).Value)
			}
		}
		s.sameIDs(fmt.Sprintf("members of group %d", i), d.members(i), have)
	}
}

// sameIDs compares ids in any order, each as often as it is there.
func (s *server) sameIDs(what string, want, have []string) {
	s.tb.Helper()
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(have))); diff != "" {
		s.tb.Errorf("%s (-want +have):\n%s", what, diff)
	}
}

// awaitSCIM waits until the log tells of each user, group and membership that it was made. It tells so once, as the event is stored
// with what it tells of; however often a client has asked.
func (s *server) awaitSCIM(ctx context.Context, d sentCompany) {
	s.tb.Helper()
	want := slices.Concat(d.users, d.groups)
	for i, group := range d.groups {
		for _, user := range d.members(i) {
			want = append(want, group+" "+user)
		}
	}
	for {
		told := map[string]int{}
		for _, e := range s.auditLog() {
			switch {
			case e.ErrorCode != "":
			case e.EventName == "CreateUser", e.EventName == "CreateGroup":
				told[e.ResponseElements.ID]++
			case e.EventName == "AddMemberToGroup":
				told[e.ServiceEventDetails.GroupID+" "+e.ServiceEventDetails.MemberID]++
			}
		}
		missing := 0
		for _, what := range want {
			if told[what] > 1 {
				s.tb.Fatalf("the log tells %d times that %s was made", told[what], what)
			}
			missing += 1 - told[what]
		}
		if missing == 0 {
			return
		}
		select {
		case <-ctx.Done():
			s.tb.Fatalf("the log tells nothing of %d that were made", missing)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
