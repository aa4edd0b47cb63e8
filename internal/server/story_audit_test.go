package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// record is an audit event as a reader of the log sees it.
type record map[string]any

// flush brings everything that was recorded into the log and the file: what the workers do in their own time.
func (s *story) flush() error {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	s.api.Recorder.Run(ctx) // its time is over, so it writes what it has and returns
	ctx, stop = context.WithCancel(context.Background())
	defer stop()
	sealing := make(chan error, 1)
	go func() { sealing <- s.db.RunSealer(ctx, arn.NewUUID()) }()
	// The sealer takes what was committed before this event, and is older, no later than the event itself.
	s.clock.Advance(time.Millisecond)
	last := &audit.Event{EventName: "Flushed", EventSource: marker}
	if err := s.db.Update(ctx, last.Store); err != nil {
		return err
	}
	for sealed := false; !sealed; {
		wake := s.db.AuditWake()
		all, err := s.sealed()
		if err != nil {
			return err
		}
		for _, e := range all {
			sealed = sealed || e.ID == last.EventID
		}
		if !sealed {
			<-wake
		}
	}
	stop()
	if err := <-sealing; err != nil {
		return err
	}
	return (&audit.Shipper{DB: s.db, File: s.file, Log: s.log}).Drain(context.Background())
}

// marker is the source of the events that tests put between others.
const marker = "test"

func (s *story) sealed() (all []store.SealedEvent, err error) {
	err = s.db.View(context.Background(), func(tx *store.Tx) error {
		all, err = tx.AuditLog(0, 100_000)
		return err
	})
	return all, err
}

// log is the audit log so far.
func (s *story) auditLog() ([]record, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	all, err := s.sealed()
	if err != nil {
		return nil, err
	}
	var out []record
	for _, e := range all {
		var r record
		if err := json.Unmarshal(e.JSON, &r); err != nil {
			return nil, err
		}
		if r["eventSource"] != marker {
			out = append(out, r)
		}
	}
	return out, nil
}

// inTime puts events in the order in which they happened. The log is in the order in which they were sealed, which engines
// may do a batch at a time.
func inTime(log []record) []record {
	slices.SortFunc(log, func(a, b record) int { return strings.Compare(fmt.Sprint(a["eventID"]), fmt.Sprint(b["eventID"])) })
	return log
}

// random is what differs in each run: ids that nothing was bound to, ends of role names, ports, and clients that are registered.
var random = regexp.MustCompile(`\b()[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(A[KS]IA|AIDA|AROA)[A-Z2-7]{16,17}\b|(AWSReservedSSO_\w+_)[0-9a-f]{16}\b|(127\.0\.0\.1:)\d+|("clientId": ")[\w-]+`)

func (s *story) eventCommand(ts *testscript.TestScript, args []string) error {
	log, err := s.auditLog()
	if err != nil {
		return err
	}
	inTime(log)
	for i := len(log) - 1; i >= 0; i-- {
		if log[i]["eventName"] != args[0] {
			continue
		}
		s.last = map[string]any(log[i])
		var b strings.Builder
		err := s.print(&b, s.last)
		fmt.Fprint(ts.Stdout(), random.ReplaceAllString(b.String(), "$1$2$3$4$5…"))
		return err
	}
	return fmt.Errorf("no event is called %s", args[0])
}

func (s *story) eventsCommand(ts *testscript.TestScript, _ []string) error {
	log, err := s.auditLog()
	if err != nil {
		return err
	}
	for _, e := range inTime(log) {
		line := fmt.Sprintf("%v %v", e["eventName"], e["userIdentity"].(map[string]any)["type"])
		if code, ok := e["errorCode"]; ok {
			line += fmt.Sprint(" ", code)
		}
		fmt.Fprintln(ts.Stdout(), line)
	}
	return nil
}

// checkBooks holds what a story has left behind against what must always hold.
func (s *story) checkBooks(t *testing.T) {
	t.Helper()
	log, err := s.auditLog()
	if err != nil {
		t.Error(err)
		return
	}
	s.checkEvents(t, log)
	all, err := s.sealed()
	if err != nil {
		t.Error(err)
	}
	if n, _, err := s.db.VerifyAudit(context.Background(), 0, nil); err != nil || int(n) != len(all) {
		t.Errorf("the log verifies up to %d of %d: %v", n, len(all), err)
	}
	s.checkFile(t, all)
	var told bytes.Buffer
	for _, e := range all {
		told.Write(e.JSON)
	}
	s.checkSecrets(t, "the audit log", told.String())
	s.checkSecrets(t, "the server's log", s.logs.String())
	if strings.Contains(s.logs.String(), `"level":"ERROR"`) {
		t.Errorf("the server reports errors:\n%s", s.logs)
	}
}

// checkEvents: one event for each call of a known caller, which tells the same outcome, and none for others.
func (s *story) checkEvents(t *testing.T, log []record) {
	t.Helper()
	byRequest := map[string][]record{}
	for _, e := range log {
		id, _ := e["requestID"].(string)
		byRequest[id] = append(byRequest[id], e)
	}
	for _, c := range s.calls {
		events := byRequest[c.requestID]
		switch {
		case c.requestID == "":
			t.Errorf("%s has no request id", c.operation)
		case !c.recorded && len(events) > 0:
			t.Errorf("%s %s of a stranger is on record: %v", c.operation, c.code, events)
		case c.recorded && len(events) != 1:
			t.Errorf("%s %s has %d events", c.operation, c.code, len(events))
		case c.recorded:
			code, _ := events[0]["errorCode"].(string)
			if events[0]["eventName"] != c.operation || code != c.code {
				t.Errorf("%s %s is recorded as %v %s", c.operation, c.code, events[0]["eventName"], code)
			}
		}
	}
	for _, e := range log {
		for _, field := range []string{
			"eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress",
			"requestParameters", "responseElements", "requestID", "eventID", "readOnly", "eventType", "managementEvent", "recipientAccountId", "eventCategory",
		} {
			if _, ok := e[field]; !ok || e[field] == "" {
				t.Errorf("%v has no %s", e["eventName"], field)
			}
		}
	}
}

// checkFile: the file has the log, event by event, each with its number and hash.
func (s *story) checkFile(t *testing.T, all []store.SealedEvent) {
	t.Helper()
	b, err := os.ReadFile(s.cfg.AuditFile)
	if err != nil {
		t.Error(err)
		return
	}
	var want strings.Builder
	for _, e := range all {
		fmt.Fprintf(&want, "%s,\"sallyport\":{\"seq\":%d,\"hash\":\"%x\"}}\n", bytes.TrimSuffix(e.JSON, []byte("}")), e.Seq, e.Hash)
	}
	if string(b) != want.String() {
		t.Errorf("the file differs from the log:\n%s\nwant\n%s", b, want.String())
	}
}

func (s *story) checkSecrets(t *testing.T, where, told string) {
	t.Helper()
	for secret, what := range s.secrets {
		if secret != "" && strings.Contains(told, secret) {
			t.Errorf("%s holds the %s", where, what)
		}
	}
}
