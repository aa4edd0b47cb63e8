package sallyport_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/clock"
	"sallyport/internal/directory"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// sessions lists all pages.
func sessions(w *world, in api.ListSessionsRequest) (ids []string) {
	w.t.Helper()
	in.MaxResults = new(int32(2))
	for {
		out := must[api.ListSessionsResponse](w, &in)
		for _, s := range out.Sessions {
			ids = append(ids, s.SessionId)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			slices.Sort(ids)
			return ids
		}
	}
}

func sorted(ids ...string) []string {
	slices.Sort(ids)
	return ids
}

func TestSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		bea := w.person("bea")
		p1, c1, t1 := w.signIn(w.user, client1)
		p2, c2, t2 := w.signIn(w.user, client2)
		p3, c3, t3 := w.signIn(bea, client1)
		check := func(what string, got []string, want ...string) {
			t.Helper()
			if diff := cmp.Diff(sorted(want...), got); diff != "" {
				t.Errorf("%s:\n%s", what, diff)
			}
		}
		everything, ofAna := api.ListSessionsRequest{IncludeEnded: new(true)}, api.ListSessionsRequest{UserId: &w.user.ID}
		check("all", sessions(w, api.ListSessionsRequest{}), p1.ID, c1.ID, p2.ID, c2.ID, p3.ID, c3.ID)
		check("ana's", sessions(w, ofAna), p1.ID, c1.ID, p2.ID, c2.ID)

		must[api.EndSessionResponse](w, &api.EndSessionRequest{SessionId: p1.ID})
		must[api.EndSessionResponse](w, &api.EndSessionRequest{SessionId: p1.ID}) // changes nothing
		fails(w.with(t1), &api.ListMySessionsRequest{}, "ExpiredTokenException")
		check("after one", sessions(w, ofAna), p2.ID, c2.ID)
		check("with the ended ones", sessions(w, everything), p1.ID, c1.ID, p2.ID, c2.ID, p3.ID, c3.ID)
		if _, fields := fails(w, &api.EndSessionRequest{SessionId: unknown}, notFound); fields["ResourceType"] != "SESSION" {
			t.Errorf("%v", fields)
		}
		if out := must[api.EndUserSessionsResponse](w, &api.EndUserSessionsRequest{UserId: w.user.ID}); out.Ended != 2 {
			t.Errorf("%d of ana's ended", out.Ended)
		}
		fails(w.with(t2), &api.ListMySessionsRequest{}, "ExpiredTokenException")
		must[api.ListMySessionsResponse](w.with(t3), &api.ListMySessionsRequest{})
		if out := must[api.EndAllSessionsResponse](w, &api.EndAllSessionsRequest{}); out.Ended != 2 {
			t.Errorf("%d ended", out.Ended)
		}
		fails(w.with(t3), &api.ListMySessionsRequest{}, "ExpiredTokenException")
		check("none", sessions(w, api.ListSessionsRequest{}))
	})
}

// TestSessionFields: what is told of a session; of one whose user is gone, too.
func TestSessionFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, child, _ := w.signIn(w.user, client1)
	w.update(func(tx *store.Tx) error {
		return tx.PutRoleUse(store.RoleUse{SessionID: child.ID, Account: string(member), Set: "x", Until: tx.Now().Add(time.Hour)})
	})
	out := must[api.ListSessionsResponse](w, &api.ListSessionsRequest{UserId: &w.user.ID}).Sessions
	want := []api.Session{
		{
			SessionId: p.ID, Kind: "PORTAL", UserId: w.user.ID, UserName: "ana", IpAddress: "192.0.2.7", UserAgent: "Firefox",
			CreatedAt: p.CreatedAt, LastUsedAt: p.SeenAt, ExpiresAt: p.ExpiresAt, MfaAt: &p.MFAAt, RolesInUse: 1,
		},
		{
			SessionId: child.ID, ParentSessionId: &p.ID, Kind: "CLIENT", ClientName: new("aws-cli"), UserId: w.user.ID, UserName: "ana", IpAddress: "192.0.2.7",
			UserAgent: "Firefox", CreatedAt: p.CreatedAt, LastUsedAt: p.SeenAt, ExpiresAt: p.ExpiresAt, MfaAt: &p.MFAAt, RolesInUse: 1,
		},
	}
	slices.SortFunc(out, func(a, b api.Session) int { return strings.Compare(string(b.Kind), string(a.Kind)) })
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	must[api.CloseAccountResponse](w, &api.CloseAccountRequest{AccountId: string(member)})
	for _, s := range must[api.ListSessionsResponse](w, &api.ListSessionsRequest{UserId: &w.user.ID}).Sessions {
		if s.RolesInUse != 0 {
			t.Errorf("%s has %d roles in use that were cut off", s.SessionId, s.RolesInUse)
		}
	}
	w.update(func(tx *store.Tx) error { return directory.DeleteUser(tx, w.instance.StoreID, w.user.ID, "") })
	out = must[api.ListSessionsResponse](w, &api.ListSessionsRequest{IncludeEnded: new(true)}).Sessions
	if len(out) != 2 || out[0].UserName != "" || out[0].EndedAt == nil || out[0].RolesInUse != 0 {
		t.Errorf("of a deleted user: %+v", out)
	}
}

// TestMySessions: people see and end what is theirs, and nothing else.
func TestMySessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, hers, _ := w.signIn(w.person("bea"), client1)
	p1, c1, token := w.signIn(w.user, client1)
	p2, _, _ := w.signIn(w.user, client2)
	_, _, t3 := w.signIn(w.user, client2)
	me := w.with(token)
	first := must[api.ListMySessionsResponse](me, &api.ListMySessionsRequest{MaxResults: new(int32(2))})
	for _, s := range first.Sessions {
		if *s.Current != (s.SessionId == c1.ID) {
			t.Errorf("session %s is current: %v", s.SessionId, *s.Current)
		}
	}
	if got := sorted(first.Sessions[0].SessionId, first.Sessions[1].SessionId); !slices.Equal(got, sorted(p1.ID, c1.ID)) {
		t.Errorf("first page: %v", got)
	}
	if rest := must[api.ListMySessionsResponse](me, &api.ListMySessionsRequest{NextToken: first.NextToken}); len(rest.Sessions) != 4 || rest.NextToken != nil {
		t.Errorf("second page: %d", len(rest.Sessions))
	}
	fails(me, &api.EndMySessionRequest{SessionId: hers.ID}, notFound)
	fails(me, &api.EndMySessionRequest{SessionId: unknown}, notFound)
	must[api.EndMySessionResponse](me, &api.EndMySessionRequest{SessionId: p2.ID})
	if out := must[api.EndMyOtherSessionsResponse](me, &api.EndMyOtherSessionsRequest{}); out.Ended != 2 {
		t.Errorf("%d others ended", out.Ended)
	}
	fails(w.with(t3), &api.ListMySessionsRequest{}, "ExpiredTokenException")
	if out := must[api.ListMySessionsResponse](me, &api.ListMySessionsRequest{}); len(out.Sessions) != 2 {
		t.Errorf("%d left", len(out.Sessions))
	}
	if out := must[api.ListMySessionsResponse](me, &api.ListMySessionsRequest{IncludeEnded: new(true)}); len(out.Sessions) != 6 {
		t.Errorf("%d with the ended ones", len(out.Sessions))
	}
	if got := sessions(w, api.ListSessionsRequest{}); len(got) != 4 { // two of bea's
		t.Errorf("%d live in all", len(got))
	}
}

// TestNotices: people see what they were told, and disown what was not them, which ends everything of theirs.
func TestNotices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bea := w.person("bea")
	var notices []store.Notice
	for _, n := range []store.Notice{
		{UserID: w.user.ID, Kind: store.PasswordChanged, IP: "192.0.2.9"},
		{UserID: w.user.ID, Kind: store.ClientApproved, Detail: "aws-cli", Subject: client1, IP: "192.0.2.7"},
		{UserID: bea.ID, Kind: store.PasswordChanged, IP: "192.0.2.9"},
	} {
		w.update(func(tx *store.Tx) (err error) { n, err = tx.InsertNotice(n); return err })
		notices = append(notices, n)
		w.clock.Advance(time.Second)
	}
	_, _, token := w.signIn(w.user, client1)
	me := w.with(token)
	out := must[api.ListMyNoticesResponse](me, &api.ListMyNoticesRequest{MaxResults: new(int32(1))})
	want := []api.Notice{{NoticeId: notices[1].ID, Kind: "CLIENT_APPROVED", Detail: "aws-cli", IpAddress: "192.0.2.7", CreatedAt: notices[1].CreatedAt}}
	if diff := cmp.Diff(want, out.Notices); diff != "" || out.NextToken == nil {
		t.Error(diff)
	}
	if out = must[api.ListMyNoticesResponse](me, &api.ListMyNoticesRequest{NextToken: out.NextToken}); len(out.Notices) != 1 || out.Notices[0].NoticeId != notices[0].ID {
		t.Errorf("second page: %+v", out)
	}
	if _, fields := fails(me, &api.DisownNoticeRequest{NoticeId: notices[2].ID}, notFound); fields["ResourceType"] != "NOTICE" {
		t.Errorf("%v", fields)
	}
	must[api.DisownNoticeResponse](me, &api.DisownNoticeRequest{NoticeId: notices[0].ID})
	fails(me, &api.ListMyNoticesRequest{}, "ExpiredTokenException")
}

func TestClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signIn(w.person("bea"), client1)
	_, _, t1 := w.signIn(w.user, client1)
	_, child, t3 := w.signIn(w.user, client3)
	must[api.BlockClientResponse](w, &api.BlockClientRequest{ClientKey: client2}) // which nobody has approved
	must[api.BlockClientResponse](w, &api.BlockClientRequest{ClientKey: client2})
	type row struct {
		key      string
		sessions int32
		blocked  bool
	}
	list := func(most int32) (rows []row) {
		in := &api.ListClientsRequest{MaxResults: &most}
		for {
			out := must[api.ListClientsResponse](w, in)
			for _, c := range out.Clients {
				rows = append(rows, row{c.ClientKey, c.Sessions, c.Blocked})
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return rows
			}
		}
	}
	want := []row{{client1, 2, false}, {client2, 0, true}, {client3, 1, false}}
	for most := range int32(4) {
		if diff := cmp.Diff(want, list(most+1), cmp.AllowUnexported(row{})); diff != "" {
			t.Errorf("in pages of %d:\n%s", most+1, diff)
		}
	}
	must[api.BlockClientResponse](w, &api.BlockClientRequest{ClientKey: client1})
	fails(w.with(t1), &api.ListMySessionsRequest{}, "ExpiredTokenException")
	want[0] = row{client1, 0, true}
	if diff := cmp.Diff(want, list(2), cmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("after blocking:\n%s", diff)
	}
	must[api.UnblockClientResponse](w, &api.UnblockClientRequest{ClientKey: client1})
	if _, fields := fails(w, &api.UnblockClientRequest{ClientKey: client1}, notFound); fields["ResourceType"] != "CLIENT" {
		t.Errorf("%v", fields)
	}

	me := w.with(t3)
	mine := must[api.ListMyClientsResponse](me, &api.ListMyClientsRequest{})
	if diff := cmp.Diff([]api.Client{{ClientKey: client3, ClientName: new("aws-cli"), Sessions: 1, LastUsedAt: &child.SeenAt}}, mine.Clients); diff != "" {
		t.Error(diff)
	}
	fails(me, &api.EndMyClientRequest{ClientKey: client2}, notFound)
	if out := must[api.EndMyClientResponse](me, &api.EndMyClientRequest{ClientKey: client3}); out.Ended != 1 {
		t.Errorf("%d ended", out.Ended)
	}
	fails(me, &api.ListMySessionsRequest{}, "ExpiredTokenException")
}

// a permission set that nothing hangs on.
func (w *world) set(name string) string {
	w.t.Helper()
	id := arn.NewPermissionSet(w.instance.ID)
	w.update(func(tx *store.Tx) error {
		return tx.InsertPermissionSet(store.PermissionSet{PermissionSet: id, Name: name, SessionDuration: "PT1H", Revision: 1, CreatedAt: tx.Now()})
	})
	return id.ARN()
}
