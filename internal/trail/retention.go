package trail

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// pruneBatch is how many events are deleted in one transaction.
const pruneBatch = 1000

// Prune deletes events from the database that are older than the setting says and that every trail and sink has. It leaves the chain's
// place, from which what is left verifies, and one event that tells of it. Every node may run it; one does.
func (w *Worker) Prune(ctx context.Context) error {
	in, err := w.Settings(ctx)
	if err != nil || in.AuditRetention == 0 {
		return err
	}
	l, err := w.DB.AcquireLease(ctx, "audit-retention", w.Owner, leaseTTL)
	if errors.Is(err, store.ErrLost) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(w.prune(ctx, in), w.DB.ReleaseLease(context.WithoutCancel(ctx), l))
}

func (w *Worker) prune(ctx context.Context, in setting.Values) error {
	policy := "audit.retention=" + setting.Format(in.AuditRetention)
	var last store.AuditAnchor
	for {
		var a store.AuditAnchor
		err := w.DB.Update(ctx, func(tx *store.Tx) (err error) {
			if a, err = tx.PruneAudit(tx.Now().Add(-in.AuditRetention), pruneBatch, policy); err != nil || a.Seq == 0 || w.Dropped == nil {
				return err
			}
			return w.Dropped(tx, a.Seq)
		})
		if err != nil {
			return fmt.Errorf("delete old events: %w", err)
		}
		if a.Seq == 0 {
			break
		}
		last = a
	}
	if last.Seq == 0 {
		return nil
	}
	return w.DB.Update(ctx, func(tx *store.Tx) error {
		return w.House.event(tx, "PruneAuditLog", map[string]any{"upTo": last.Seq, "hash": hex.EncodeToString(last.Hash), "policy": policy})
	})
}
