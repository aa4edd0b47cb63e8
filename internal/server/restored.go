package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// restoration is what was done to a database that was brought back from a backup, and what is known of the backup.
type restoration struct {
	store.Voided
	sessions int64
	keys     []string // of the operator, which are off now
	last     int64    // number of the backup's last event, and when it happened
	at       time.Time
	file     int64 // number of the last event in the audit file; 0: none
}

// Restored starts a new life of a database that was brought back from a backup, in one transaction with its event: what was revoked or
// used up after the backup was made would be good again. It tells what it has done, and what people have to look at themselves.
func Restored(ctx context.Context, cfg *config.Config, out io.Writer) (err error) {
	if err := founded(cfg); err != nil {
		return err
	}
	db, err := store.Open(ctx, cfg.DSN(), clock.System{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var done restoration
	if done.file, err = lastInFile(cfg.AuditFile); err != nil {
		return err
	}
	err = db.Update(ctx, func(tx *store.Tx) error {
		if cfg.Database != "" { // an SQLite file is this process's own
			if held, err := tx.Leased(); held || err != nil {
				return errors.Join(err, fault.Conflictf("A server works on this database, or ended a moment ago: stop all of them. If none runs, try again in two minutes."))
			}
		}
		return done.begin(tx)
	})
	if err != nil {
		return err
	}
	return done.tell(out, cfg)
}

// lastInFile is the number of the last event in an audit file; 0: there is none.
func lastInFile(path string) (int64, error) {
	if _, err := os.Stat(path); path == "off" || errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	f, err := audit.OpenFile(path)
	if err != nil {
		return 0, err
	}
	return f.Last(), f.Close()
}

func (d *restoration) begin(tx *store.Tx) error {
	i, err := organization(tx)
	if err != nil {
		return err
	}
	if d.last, d.at, err = lastEvent(tx); err != nil {
		return fmt.Errorf("read end of audit log: %w", err)
	}
	epoch := arn.NewUUID()
	if d.Voided, err = tx.SetEpoch(epoch); err != nil {
		return err
	}
	if d.sessions, err = new(session.Service).EndEverything(tx, "sallyport restored"); err != nil {
		return err
	}
	if d.keys, err = switchOff(tx, i.Owner); err != nil {
		return err
	}
	return onMachine(i, "sallyport restored", "RestoreDatabase", map[string]any{
		"epoch": epoch, "last_event": d.last, "sessions": d.sessions, "access_key_ids": d.keys, "emergency_accesses": d.Codes,
		"links": d.Links, "one_time_passwords": d.OneTimes,
	}).Store(tx)
}

// lastEvent is the number of the last event in the log, and when it happened.
func lastEvent(tx *store.Tx) (seq int64, at time.Time, err error) {
	if seq, err = tx.AuditHead(); err != nil || seq == 0 {
		return seq, at, err
	}
	events, err := tx.AuditLog(seq-1, 1)
	if err == nil && len(events) == 1 {
		at = events[0].At
	}
	return seq, at, err
}

// switchOff makes the operator's keys inactive: one that was rotated or switched off since would work again.
func switchOff(tx *store.Tx, account arn.AccountID) (off []string, err error) {
	u, err := tx.IAMUser(account, operator)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load operator: %w", err)
	}
	keys, err := tx.AccessKeys(u.ID)
	if err != nil {
		return nil, fmt.Errorf("list operator's keys: %w", err)
	}
	for _, k := range keys {
		if k.Status != store.KeyActive {
			continue
		}
		if err := credential.SetAccessKeyStatus(tx, k.ID, store.KeyInactive); err != nil {
			return nil, err
		}
		off = append(off, k.ID)
	}
	return off, nil
}

// leftAsItWas is what a restore brings back that people want as it was in the backup, for the most part.
const leftAsItWas = `- People, passwords, devices, groups, assignments and settings are as they were: who was disabled since is not, and a device that was
  removed since is good again.
- SCIM tokens that were ended since are good again: sallyport scim tokens NAME. When in doubt, make new ones and revoke these. So are the
  tokens of signals.
- Roles in accounts may differ from what is assigned now: sallyport drift
`

// tell says what was done, and what is left to do.
func (d *restoration) tell(out io.Writer, cfg *config.Config) error {
	var b strings.Builder
	fmt.Fprintf(&b, "The backup's last event is number %d, of %s.\n\nDone:\n", d.last, d.at.UTC().Format(time.RFC3339))
	fmt.Fprintf(&b, "- Sessions ended: %d. All credentials of roles and all trust in browsers have ended with them.\n", d.sessions)
	fmt.Fprintf(&b, "- Operator's keys switched off: %d. If nobody else administers: sallyport recover --data %s\n", len(d.keys), cfg.Data)
	fmt.Fprintf(&b, "- Invitations and password resets that are void: %d; one-time passwords: %d. Make new ones for who still waits.\n", d.Links, d.OneTimes)
	fmt.Fprintf(&b, "- Emergency accesses whose offline codes are void: %d. Nothing is open.\n", len(d.Codes))
	for _, name := range d.Codes {
		fmt.Fprintf(&b, "    sallyport emergency codes %q --data %s\n", name, cfg.Data)
	}
	b.WriteString("\nLeft to do, since the backup cannot tell what was changed after it:\n")
	if d.file > d.last {
		fmt.Fprintf(&b, "- %s is newer than the backup, up to event %d. Put it aside before the start, or new events are missing from it.\n", cfg.AuditFile, d.file)
		fmt.Fprintf(&b, "  What was done after the backup is in it, after event %d: do again what is to hold.\n", d.last)
	} else {
		fmt.Fprintf(&b, "- Find what was done after event %d in copies of the audit log (streams, trails), and do again what is to hold.\n", d.last)
	}
	b.WriteString(leftAsItWas)
	_, err := io.WriteString(out, b.String())
	return err
}
