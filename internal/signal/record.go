package signal

import (
	"fmt"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// source names where events of our own signals come from.
const source = "signals.sallyport"

// GivenUp is the record of signals that a stream's receiver will not get.
func GivenUp(owner arn.AccountID, region string, s store.SignalStream, n int64, why string) *audit.Event {
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", AccountID: string(owner), InvokedBy: source},
		EventSource:  source, EventName: "GiveUpSignal", EventType: "AwsServiceEvent", AWSRegion: region, SourceIPAddress: source, RequestID: arn.NewUUID(),
		RecipientAccountID:  string(owner),
		ServiceEventDetails: map[string]any{"stream": s.Name, "stream_id": s.ID, "signals": n, "reason": why},
	}
}

// Expire gives up what has waited in streams longer than the setting signals.patience says.
func Expire(tx *store.Tx, storeID arn.StoreID, owner arn.AccountID, region string) error {
	in, err := setting.Load(tx)
	if err != nil {
		return err
	}
	streams, err := tx.SignalStreams(storeID)
	if err != nil {
		return fmt.Errorf("list signal streams: %w", err)
	}
	for _, s := range streams { // few
		n, err := tx.ExpireSignalsOut(s.ID, tx.Now().Add(-in.SignalPatience))
		if err != nil {
			return fmt.Errorf("expire signals: %w", err)
		}
		if n == 0 {
			continue
		}
		why := fmt.Sprintf("the receiver has not taken it for %d hours", in.SignalPatience/time.Hour)
		if err := GivenUp(owner, region, s, n, why).Store(tx); err != nil {
			return err
		}
	}
	return nil
}
