package server

import (
	"context"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/usage"
)

// tallyCommand has the worker of the usage ledger count what is on record by now.
func (s *story) tallyCommand(*testscript.TestScript, []string) error {
	if _, err := s.auditLog(); err != nil { // seals what is to be counted
		return err
	}
	return (&usage.Worker{DB: s.db, Instance: s.Server.instance.ID, Owner: "story", Log: s.log}).Drain(context.Background())
}

// momentCommand names the present time, or another.
func (s *story) momentCommand(ts *testscript.TestScript, args []string) error {
	now := s.db.Now()
	if len(args) == 2 {
		d, err := time.ParseDuration(args[1])
		if err != nil {
			return err
		}
		now = now.Add(d)
	}
	s.bind(ts, args[0], now.Format(time.RFC3339Nano))
	return nil
}
