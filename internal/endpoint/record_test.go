package endpoint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/audit"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/credential"
	"sallyport/internal/endpoint"
	"sallyport/internal/store"
)

// TestWriteAndItsEventAreOne: an event is there exactly if the change is.
func TestWriteAndItsEventAreOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tries := 0
	w.write = func(ctx context.Context, c *endpoint.Call, in *adminapi.CreatePermissionSetRequest) (*adminapi.CreatePermissionSetResponse, error) {
		tries++
		if err := c.Tx.SetMeta("made:"+in.Name, "yes"); err != nil {
			return nil, err
		}
		if in.Name == "lost" { // a statement that fails takes the transaction with it, though the operation says nothing of it
			_ = c.Tx.InsertIAMUser(store.IAMUser{ID: callers[full].PrincipalID})
		}
		return created(ctx, c, in)
	}
	if a := w.create(full, "kept"); a.status != 200 {
		t.Fatal(a.body)
	}
	if a := w.create(full, "lost"); a.status != 500 {
		t.Fatal(a.body)
	}
	made := map[string]bool{}
	err := w.db.View(t.Context(), func(tx *store.Tx) error {
		for _, name := range []string{"kept", "lost"} {
			_, err := tx.Meta("made:" + name)
			made[name] = err == nil
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	if err != nil || !made["kept"] || made["lost"] {
		t.Fatalf("%v, %v", made, err)
	}
	events := w.events()
	if len(events) != 2 || events[0]["errorCode"] != nil || events[1]["errorCode"] != "InternalServerException" || events[1]["responseElements"] != nil {
		t.Errorf("recorded %v", events)
	}
	if diff := cmp.Diff(map[string]any{"permissionSet": map[string]any{"name": "kept"}}, events[0]["responseElements"]); diff != "" {
		t.Error(diff)
	}
	if events[0]["eventID"] == events[1]["eventID"] {
		t.Error("two events have one id")
	}
}

// TestRequestIDs: the answer's request id is the event's, for whatever comes of the call.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request(http.MethodGet, "/assignment/accounts", "")
	r.Header.Set("X-Amz-Sso_bearer_token", bearer)
	answers := []answer{w.list(full, listInput), w.create(full, "x"), w.create(none, "x"), w.list(none, "["), w.send(r), w.send(w.sign(w.action(whoAmI), full, "sts"))}
	ids := map[any]int{}
	for _, e := range w.events() {
		ids[e["requestID"]]++
	}
	for i, a := range answers {
		if id := a.header.Get("X-Amzn-Requestid"); ids[id] != 1 {
			t.Errorf("answer %d, %s, has %d events", i, id, ids[id])
		}
	}
	if len(ids) != len(answers) {
		t.Errorf("%d request ids on record", len(ids))
	}
}

// TestLargeRequestsAreRecorded: what is refused for its size has an event of a size that consumers read.
func TestLargeRequestsAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.create(full, strings.Repeat("n", 400<<10)); a.code != "ValidationException" || len(a.body) > 4096 {
		t.Errorf("%s, %d bytes", a.code, len(a.body))
	}
	events := w.events()
	if len(events) != 1 || !strings.Contains(fmt.Sprint(events[0]["requestParameters"]), "requestParameters too large") {
		t.Errorf("recorded %.300v", events)
	}
}

// TestReadsAreWrittenSoon: the event of a read is in the log without anybody asking for it, and a full queue makes callers
// wait rather than lose one.
func TestReadsAreWrittenSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.api.Recorder.Run(ctx) }()
	const reads = 3000 // the queue takes 1,024
	for i := range reads {
		w.api.Recorder.Add(&audit.Event{EventName: fmt.Sprint(i)})
	}
	for n := 0; n < reads; {
		wake := w.db.AuditWake()
		err := w.db.View(ctx, func(tx *store.Tx) error {
			all, err := tx.AuditLog(0, reads+1)
			n = len(all)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n < reads {
			<-wake
		}
	}
	stop()
	<-done
}

// TestIdentities holds the shapes of userIdentity against behaviour reference §10.5.
func TestIdentities(t *testing.T) {
	t.Parallel()
	issued := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	session := credential.Caller{
		Kind: credential.RoleSession, Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/R/anna", PrincipalID: "AROAX:anna",
		AccessKeyID: "ASIAX", UserName: "anna", RoleARN: "arn:aws:iam::111122223333:role/p/R", RoleName: "R", RoleID: "AROAX", SessionName: "anna",
		UserID: "u-1", SessionID: "s-2", ParentID: "s-1", Issued: issued, MFATime: issued, SourceIdentity: "pipeline",
	}
	for name, tc := range map[string]struct {
		caller credential.Caller
		want   string
	}{
		"operator": {callers[full], `{"type":"IAMUser","principalId":"AIDAadmin","arn":"arn:aws:iam::999988887777:user/admin","accountId":"999988887777",
			"accessKeyId":"AKIAadmin","userName":"admin"}`},
		"role session": {session, `{"type":"AssumedRole","principalId":"AROAX:anna","arn":"arn:aws:sts::111122223333:assumed-role/R/anna",
			"accountId":"111122223333","accessKeyId":"ASIAX","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAX",
			"arn":"arn:aws:iam::111122223333:role/p/R","accountId":"111122223333","userName":"R"},
			"attributes":{"creationDate":"2026-11-02T09:00:00Z","mfaAuthenticated":"true"},"sourceIdentity":"pipeline"},
			"onBehalfOf":{"userId":"u-1","identityStoreArn":"arn:aws:identitystore::999988887777:identitystore/d-1234567890"},"credentialId":"s-1"}`},
		"person with a client": {
			credential.Caller{Kind: credential.Bearer, UserID: "u-1", SessionID: "s-2", ParentID: "s-1"},
			`{"type":"IdentityCenterUser","accountId":"999988887777","onBehalfOf":{"userId":"u-1",
			"identityStoreArn":"arn:aws:identitystore::999988887777:identitystore/d-1234567890"},"credentialId":"s-1"}`,
		},
		"person in a browser": {
			credential.Caller{Kind: credential.Bearer, UserID: "u-1", SessionID: "s-1"},
			`{"type":"IdentityCenterUser","accountId":"999988887777","onBehalfOf":{"userId":"u-1",
			"identityStoreArn":"arn:aws:identitystore::999988887777:identitystore/d-1234567890"},"credentialId":"s-1"}`,
		},
		"nobody": {credential.Caller{}, `{"type":"Unknown"}`},
	} {
		b, err := json.Marshal(endpoint.Identity(tc.caller, owner, "d-1234567890"))
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal(b, &got), json.Unmarshal([]byte(tc.want), &want)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestMetricsAreClosed: no value of a label comes from a request.
func TestMetricsAreClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		odd := fmt.Sprint("odd", i)
		w.send(w.target(odd, "{}"))
		w.send(w.action("Action=" + odd + "&Version=" + odd))
		w.send(w.request(http.MethodGet, "/assignment/"+odd, ""))
		w.list(none, `{"InstanceArn":"`+odd+`"}`)
		w.list("AKIA"+odd, listInput)
		w.create(other, odd)
	}
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]map[string]bool{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if values[l.GetName()] == nil {
					values[l.GetName()] = map[string]bool{}
				}
				values[l.GetName()][l.GetValue()] = true
			}
		}
	}
	if got := strings.Join(slices.Sorted(maps.Keys(values)), " "); got != "code operation service" {
		t.Errorf("labels: %s", got)
	}
	for name, seen := range values {
		for v := range seen {
			if strings.Contains(v, "odd") {
				t.Errorf("%s has the value %s", name, v)
			}
		}
	}
}
