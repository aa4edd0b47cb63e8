package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
)

// event is what these tests read of a line of the audit log.
type event struct {
	EventID          string
	EventName        string
	EventType        string
	ErrorCode        string
	ResponseElements struct {
		ID                              string // of what SCIM has made
		AccountAssignmentCreationStatus struct{ RequestID string }
	}
	ServiceEventDetails struct{ RequestID, TargetID, PermissionSetARN, RoleARN, Status, GroupID, MemberID string }
	Sallyport           struct{ Seq int64 }
}

// auditLog reads the JSON-lines log.
func (s *server) auditLog() []event {
	s.tb.Helper()
	file, err := os.Open(filepath.Join(s.dir, "audit.jsonl"))
	if err != nil {
		s.tb.Fatal(err)
	}
	defer file.Close()
	var events []event
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return events // what follows the last end of line is still being written
		} else if err != nil {
			s.tb.Fatal(err)
		}
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			s.tb.Fatalf("audit log line %d: %v\n%s", len(events)+1, err, line)
		}
		events = append(events, e)
	}
}

// told says how often an audit log tells of each request to assign: that it was made, and how it ended.
func told(events []event) (made, ended map[string]int) {
	made, ended = map[string]int{}, map[string]int{}
	for _, e := range events {
		switch {
		case e.EventName != "CreateAccountAssignment" || e.ErrorCode != "":
		case e.EventType == "AwsServiceEvent":
			ended[e.ServiceEventDetails.RequestID]++
		default:
			made[e.ResponseElements.AccountAssignmentCreationStatus.RequestID]++
		}
	}
	return made, ended
}

// awaitAudit waits until the log of the running server tells of the end of all requests: after a crash its delivery may
// have to wait for a dead process's lease to run out.
func (s *server) awaitAudit(ctx context.Context, requests map[string]bool) {
	s.tb.Helper()
	for {
		if _, ended := told(s.auditLog()); len(ended) >= len(requests) {
			return
		}
		select {
		case <-ctx.Done():
			s.tb.Fatal("audit log stays incomplete")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// checkAudit compares the audit log with the requests to assign that the server knows and with those it has acknowledged:
// numbered without a gap, no event twice, each request made and ended once, one role for each account and permission set.
func (s *server) checkAudit(requests map[string]bool, acknowledged []string) {
	s.tb.Helper()
	events := s.auditLog()
	ids, roles := map[string]bool{}, map[string]string{}
	for i, e := range events {
		if e.Sallyport.Seq != int64(i+1) {
			s.tb.Fatalf("event on line %d of the audit log has number %d", i+1, e.Sallyport.Seq)
		}
		if ids[e.EventID] {
			s.tb.Errorf("event %s is in the log twice", e.EventID)
		}
		ids[e.EventID] = true
		end := e.ServiceEventDetails
		if end.RoleARN == "" {
			continue // an assignment to a role that stood already
		}
		place := end.TargetID + " " + end.PermissionSetARN
		if other := roles[place]; other != "" && other != end.RoleARN {
			s.tb.Errorf("%s has two roles: %s, %s", place, other, end.RoleARN)
		}
		roles[place] = end.RoleARN
	}
	for _, id := range acknowledged {
		if !requests[id] {
			s.tb.Errorf("acknowledged request %s is not listed", id)
		}
	}
	made, ended := told(events)
	for id := range requests {
		if made[id] != 1 || ended[id] != 1 {
			s.tb.Errorf("request %s: log tells %d times that it was made, %d times how it ended", id, made[id], ended[id])
		}
	}
	if len(made) != len(requests) || len(ended) != len(requests) {
		s.tb.Errorf("%d requests are listed; log tells that %d were made and %d ended", len(requests), len(made), len(ended))
	}
}
