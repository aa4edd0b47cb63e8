package usage

import (
	"fmt"

	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// pruneBatch is how many rows of each kind are forgotten in one transaction.
const pruneBatch = 200

// Prune forgets who had what, and what was used, longer ago than the setting history.keep. It tells whether there may be more. What stands is
// never forgotten, and the audit log is another matter.
func Prune(tx *store.Tx) (more bool, err error) {
	in, err := setting.Load(tx)
	if err != nil {
		return false, err
	}
	if more, err = tx.PruneHistory(tx.Now().Add(-in.HistoryKeep), pruneBatch); err != nil {
		return false, fmt.Errorf("forget history: %w", err)
	}
	return more, nil
}
