package endpoint_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/sigv4"
	"sallyport/internal/store"
)

// TestPageTokens: a token leads on in the list that it came from, for the account that got it, and nowhere else.
func TestPageTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.read = func(_ context.Context, c *endpoint.Call, in *adminapi.ListPermissionSetsRequest) (*adminapi.ListPermissionSetsResponse, error) {
		q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn)
		if err != nil {
			return nil, err
		}
		if q.After == nil {
			return &adminapi.ListPermissionSetsResponse{PermissionSets: []string{"a"}, NextToken: c.NextToken([]string{"a"}, in.InstanceArn)}, nil
		}
		return &adminapi.ListPermissionSetsResponse{PermissionSets: []string{"after " + q.After[0]}}, nil
	}
	first := w.list(full, listInput)
	_, rest, _ := strings.Cut(first.body, `"NextToken":"`)
	token, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal(first.body)
	}
	with := func(token, instance string) string {
		return fmt.Sprintf(`{"InstanceArn":%q,"NextToken":%q}`, instance, token)
	}
	if a := w.list(full, with(token, instance)); !strings.Contains(a.body, `["after a"]`) {
		t.Errorf("the next page: %s", a.body)
	}
	changed := "A" + token[1:]
	if changed == token {
		changed = "B" + token[1:]
	}
	for name, input := range map[string]string{
		"another list": with(token, "arn:aws:sso:::instance/ssoins-fedcba0987654321"), "changed": with(changed, instance),
		"cut": with(token[:len(token)-4], instance), "no token": with("nonsense", instance), "line break": with(token[:8]+`\n`+token[8:], instance),
	} {
		if a := w.list(full, input); a.code != "ValidationException" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestLargeRequests: a body past the bound is refused on the wire of the protocol, so that SDKs can read why, before
// anything else is looked at.
func TestLargeRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	large := strings.Repeat("x", 600<<10)
	register := w.request("POST", "/client/register", large)
	for name, tc := range map[string]struct {
		request *http.Request
		code    string
	}{
		"JSON":  {w.target("CreatePermissionSet", large), "RequestEntityTooLargeException"},
		"Query": {w.action("Action=GetCallerIdentity&Version=2011-06-15&X=" + large), "RequestEntityTooLarge"},
		"REST":  {register, "RequestEntityTooLargeException"},
	} {
		if a := w.send(tc.request); a.status != http.StatusRequestEntityTooLarge || a.code != tc.code {
			t.Errorf("%s: %d %s %.200s", name, a.status, a.code, a.body)
		}
	}
	long := sigv4.Credentials{AccessKeyID: expired, SecretAccessKey: secret, SessionToken: strings.Repeat("t", 9000)}
	if a := w.send(w.signAs(w.target("ListPermissionSets", listInput), long, region, "sso", w.clock.Now())); a.status != 400 || a.code == "ExpiredTokenException" {
		t.Errorf("a token of 9,000 bytes: %d %s", a.status, a.code)
	}
}

// TestCutOffBody: half a request is not one.
func TestCutOffBody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, err := net.Dial("tcp", w.web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: SWBExternalService.ListPermissionSets\r\nContent-Length: 100\r\n\r\n{")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != 400 || !strings.Contains(string(b), "SerializationException") {
		t.Errorf("%d %s", res.StatusCode, b)
	}
}

// TestHeadersOfAnswers: clients measure their clock's error from Date, and people search the log for the request id.
func TestHeadersOfAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, a := range []answer{w.list(full, listInput), w.list(none, listInput), w.send(w.target("ListPermissionSets", ""))} {
		if got := a.header.Get("Date"); got != "Mon, 02 Nov 2026 09:00:00 GMT" {
			t.Errorf("Date is %s", got)
		}
		if !strings.Contains(w.logs.String(), a.header.Get("X-Amzn-Requestid")) {
			t.Error("the request id is not in the log")
		}
	}
}

// TestInternalErrors: what went wrong on our side is for the log, with the request id; the client gets no word of it.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const detail = "dial tcp 10.1.2.3: password of sallyport"
	failures := map[string]error{
		"plain":   errors.New(detail),
		"wrapped": fmt.Errorf("list: %w", errors.New(detail)),
		"fault":   &fault.Error{Kind: fault.Internal, Message: detail},
		"panic":   nil,
	}
	for name, failure := range failures {
		w.read = func(context.Context, *endpoint.Call, *adminapi.ListPermissionSetsRequest) (*adminapi.ListPermissionSetsResponse, error) {
			if failure == nil {
				panic(detail)
			}
			return nil, failure
		}
		a := w.list(full, listInput)
		if a.status != 500 || a.code != "InternalServerException" || strings.Contains(a.body, "10.1.2.3") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if n := strings.Count(w.logs.String(), "operation failed"); n != len(failures) || !strings.Contains(w.logs.String(), "10.1.2.3") {
		t.Errorf("%d errors in the log:\n%s", n, w.logs)
	}
	events := w.events()
	if len(events) != len(failures) {
		t.Errorf("%d events", len(events))
	}
	for _, e := range events {
		if e["errorCode"] != "InternalServerException" || strings.Contains(fmt.Sprint(e), "10.1.2.3") {
			t.Errorf("recorded %v", e)
		}
	}
}

// TestPanicUndoesItsTransaction: an operation that panics has done nothing, and its neighbours nothing less.
func TestPanicUndoesItsTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write = func(ctx context.Context, c *endpoint.Call, in *adminapi.CreatePermissionSetRequest) (*adminapi.CreatePermissionSetResponse, error) {
		if err := c.Tx.SetMeta("made:"+in.Name, "yes"); err != nil {
			return nil, err
		}
		if in.Name == "panics" {
			panic("a bug")
		}
		return created(ctx, c, in)
	}
	codes := make(chan string)
	names := []string{"one", "panics", "two", "panics", "three"}
	for _, name := range names {
		go func() { codes <- name + w.create(full, name).code }()
	}
	got := map[string]int{}
	for range names {
		got[<-codes]++
	}
	if got["panicsInternalServerException"] != 2 || got["one"] != 1 || got["two"] != 1 || got["three"] != 1 {
		t.Errorf("answers: %v", got)
	}
	err := w.db.View(t.Context(), func(tx *store.Tx) error {
		for _, name := range []string{"one", "two", "three"} {
			if _, err := tx.Meta("made:" + name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := tx.Meta("made:panics"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what panicked is there: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestClientGone: a client that does not wait leaves neither an error nor a record: nothing was decided.
func TestClientGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	w.write = func(inner context.Context, c *endpoint.Call, _ *adminapi.CreatePermissionSetRequest) (*adminapi.CreatePermissionSetResponse, error) {
		leave()
		<-inner.Done()
		defer close(left)
		return nil, c.Tx.SetMeta("made", "yes") // looks at the caller's context first
	}
	r := w.sign(w.target("CreatePermissionSet", `{"InstanceArn":"`+instance+`","Name":"x"}`), full, "sso").WithContext(ctx)
	if res, err := w.web.Client().Do(r); err == nil {
		res.Body.Close()
		t.Error("answered")
	}
	<-left
	w.web.Close() // waits for the request to end
	if log := w.logs.String(); strings.Contains(log, `"ERROR"`) || !strings.Contains(log, `"error_code":"ClientGone"`) {
		t.Errorf("log:\n%s", log)
	}
	if len(w.events()) > 0 {
		t.Error("recorded")
	}
}

// TestNoiseIsSampled: strangers cannot fill a disk with log lines; those whom we know have one line for each request.
func TestNoiseIsSampled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 300 {
		w.send(w.target("ListPermissionSets", ""))
	}
	if n := strings.Count(w.logs.String(), "\n"); n != 100 {
		t.Errorf("%d lines for 300 strangers", n)
	}
	w.clock.Advance(time.Second)
	w.send(w.target("ListPermissionSets", ""))
	if !strings.Contains(w.logs.String(), `"skipped":200`) {
		t.Error("it is not told how many lines are missing")
	}
	w.logs.b.Reset()
	for range 150 {
		w.list(full, listInput)
	}
	if n := strings.Count(w.logs.String(), "\n"); n != 150 {
		t.Errorf("%d lines for 150 known callers", n)
	}
}
