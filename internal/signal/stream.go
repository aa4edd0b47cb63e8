package signal

import (
	"errors"
	"fmt"

	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// maxStreams bounds how many are told. Each costs every change that is told of a row.
const maxStreams = 20

// Create adds a stream, whose id and hash the caller has made.
func Create(tx *store.Tx, s store.SignalStream) error {
	switch {
	case s.Delivery == store.SignalPush && s.PushURL == "":
		return fault.Invalidf("Pushing needs the address to push to.")
	case s.Delivery == store.SignalPoll && (s.PushURL != "" || s.PushToken != nil):
		return fault.Invalidf("The address and the token to push with are for the delivery PUSH alone.")
	case s.Delivery == store.SignalPush:
		if err := CheckURL(s.PushURL); err != nil {
			return err
		}
	}
	all, err := tx.SignalStreams(s.StoreID)
	if err != nil {
		return fmt.Errorf("list signal streams: %w", err)
	}
	if len(all) >= maxStreams {
		return fault.Quotaf("There are %d streams, as many as there may be.", len(all))
	}
	err = tx.InsertSignalStream(s)
	if errors.Is(err, store.ErrExists) {
		return fault.Conflictf("There is a stream %q already.", s.Name)
	}
	if err != nil {
		return fmt.Errorf("insert signal stream: %w", err)
	}
	return nil
}
