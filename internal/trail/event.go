package trail

import (
	"sallyport/internal/audit"
	"sallyport/internal/store"
)

// ownSource is who does what nobody has called for.
const ownSource = "sallyport"

// event records what happened to trails without anybody's call.
func (h House) event(tx *store.Tx, name string, details map[string]any) error {
	e := &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: ownSource}, EventSource: ownSource, EventName: name, EventType: "AwsServiceEvent",
		AWSRegion: h.Region, SourceIPAddress: ownSource, UserAgent: ownSource, RecipientAccountID: string(h.Owner), ServiceEventDetails: details,
	}
	return e.Store(tx)
}
