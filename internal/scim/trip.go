package scim

import (
	"context"
	"errors"
	"strings"

	"sallyport/internal/audit"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// serviceSource is the event source of what AWS does not have.
const serviceSource = "sallyport"

// tripped remembers that removals were refused, with one event for all that are refused until somebody approves. It is not part of
// the request's transaction, which is undone.
func (s *Server) tripped(ctx context.Context, c *call, cause error) (known bool, err error) {
	var held *heldError
	if !errors.As(cause, &held) {
		return false, nil
	}
	now := s.DB.Now()
	if held.guard.Stops(now, c.settings.SCIMGuardMemory()) && now.Before(held.guard.RefusedAt.Add(guardNoted)) {
		return true, nil // which is on record, to the minute
	}
	err = s.DB.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if a, err := tx.SCIMApproval(c.from.ID); err != nil || tx.Now().Before(a.Until) {
			return err // approved meanwhile
		}
		g, err := tx.SCIMGuard(c.from.ID, held.removal.kind, held.removal.group)
		if err != nil {
			return err
		}
		if g.Stops(tx.Now(), c.settings.SCIMGuardMemory()) {
			g.RefusedAt = tx.Now()
			return tx.PutSCIMGuard(g)
		}
		removed := forget(&g, tx.Now(), c.settings.SCIMGuardWindow)
		g.Owned, g.CountedAt, g.TrippedAt, g.RefusedAt = held.guard.Owned, held.guard.CountedAt, tx.Now(), tx.Now()
		if err := tx.PutSCIMGuard(g); err != nil {
			return err
		}
		return s.tripEvent(c, held, removed).Store(tx)
	})
	if errors.Is(err, store.ErrNotFound) { // the source is gone
		return true, nil
	}
	return true, explain(err, "remember refused removals")
}

func (s *Server) tripEvent(c *call, h *heldError, removed int) *audit.Event {
	details := map[string]any{
		"source": c.from.Name, "tenantId": c.from.ID, "kind": h.removal.kind, "operation": c.op.name, "removed": removed, "refused": h.removal.n,
		"owned": h.guard.Owned, "share": h.share, "window": setting.Format(c.settings.SCIMGuardWindow),
	}
	if h.removal.group != "" {
		details["groupId"] = h.removal.group
	}
	return &audit.Event{
		UserIdentity: c.event.UserIdentity, EventSource: serviceSource, EventName: "ScimGuardTripped", EventType: "AwsServiceEvent",
		AWSRegion: s.Region, SourceIPAddress: c.event.SourceIPAddress, UserAgent: c.event.UserAgent, RequestID: c.event.RequestID,
		RecipientAccountID: string(s.Owner), ServiceEventDetails: details,
	}
}

// shellWord is a name as it is typed in a command.
func shellWord(name string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)
	}
	if strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
