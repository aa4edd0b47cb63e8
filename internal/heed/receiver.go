package heed

import (
	"errors"
	"fmt"

	"sallyport/internal/fault"
	"sallyport/internal/signal"
	"sallyport/internal/store"
)

// maxReceivers bounds how many transmitters are heeded.
const maxReceivers = 20

// Create adds a receiver, whose id and hash the caller has made. Which sources of people there are, the caller knows.
func Create(tx *store.Tx, r store.SignalReceiver) error {
	urls := []string{r.Issuer}
	if r.JWKSURI != "" {
		urls = append(urls, r.JWKSURI)
	}
	switch {
	case r.Delivery == store.SignalPoll && r.PollURL == "":
		return fault.Invalidf("Polling needs the address to poll.")
	case r.Delivery == store.SignalPush && (r.PollURL != "" || r.PollToken != nil):
		return fault.Invalidf("The address and the token to poll with are for the delivery POLL alone.")
	case r.Delivery == store.SignalPoll:
		urls = append(urls, r.PollURL)
	}
	for _, u := range urls {
		if err := signal.CheckURL(u); err != nil {
			return err
		}
	}
	all, err := tx.SignalReceivers(r.StoreID)
	if err != nil {
		return fmt.Errorf("list signal receivers: %w", err)
	}
	if len(all) >= maxReceivers {
		return fault.Quotaf("There are %d receivers, as many as there may be.", len(all))
	}
	err = tx.InsertSignalReceiver(r)
	if errors.Is(err, store.ErrExists) {
		return fault.Conflictf("There is a receiver %q already.", r.Name)
	}
	if err != nil {
		return fmt.Errorf("insert signal receiver: %w", err)
	}
	return nil
}
