package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"sallyport/internal/arn"
	"sallyport/internal/audit"
	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/policy/managed"
	"sallyport/internal/store"
)

// Recover gives whoever has the data directory the operator's place back, without a server: the operator gets another key, which
// is written to the directory; the keys that there were stop working. The event is in the transaction that changes the keys, so
// that the next start finds it in the log and ships it.
func Recover(ctx context.Context, cfg *config.Config, out io.Writer) (err error) {
	if err := founded(cfg); err != nil {
		return err
	}
	db, err := store.Open(ctx, cfg.DSN(), clock.System{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ring, err := openRing(ctx, cfg, db)
	if err != nil {
		return err
	}
	w, err := recoverOperator(ctx, db, ring)
	if err != nil {
		return err
	}
	if was, err := ReadWorldFile(cfg.Data); err == nil { // what else it tells is as it was
		was.Operator = w.Operator
		w = was
	}
	name := worldFileName(cfg.Data)
	if err := w.write(cfg.Data, name); err != nil {
		return err
	}
	fmt.Fprintf(out, "The operator has a new key, %s. It is in %s; earlier ones have stopped working.\n", w.Operator.AccessKeyID, filepath.Join(cfg.Data, name))
	return nil
}

// founded refuses a place where no server was ever started, before anything is made there.
func founded(cfg *config.Config) error {
	if _, err := os.Stat(cfg.Data); err != nil {
		return fault.Invalidf("The data directory cannot be used: %v.", err)
	}
	if cfg.Database != "" {
		return nil
	}
	if _, err := os.Stat(cfg.DSN()); errors.Is(err, fs.ErrNotExist) {
		return fault.Invalidf("There is no database in %s: is it the data directory of a server that has been started? For PostgreSQL say --database or --database-file.", cfg.Data)
	}
	return nil
}

// recoverOperator makes the operator an administrator with one key. It returns what can be told of the deployment without its
// configuration.
func recoverOperator(ctx context.Context, db *store.DB, ring *keyring.Ring) (w WorldFile, err error) {
	err = db.Update(ctx, func(tx *store.Tx) error {
		i, err := organization(tx)
		if err != nil {
			return err
		}
		u, err := restoreOperator(tx, i.Owner)
		if err != nil {
			return fmt.Errorf("restore operator: %w", err)
		}
		removed, err := removeKeys(tx, u)
		if err != nil {
			return err
		}
		id, secret, err := credential.CreateAccessKey(tx, ring, u)
		if err != nil {
			return err
		}
		if w, err = tellOf(tx, i); err != nil {
			return err
		}
		w.Operator = OperatorKey{AccessKeyID: id, SecretAccessKey: string(secret)}
		if err := tx.SetMeta(metaDone, "yes"); err != nil { // or the next start would make another
			return fmt.Errorf("note that the operator has a key: %w", err)
		}
		return recovery(i, id, removed).Store(tx)
	})
	return w, err
}

// organization is the instance of the organization, which a started server has made.
func organization(tx *store.Tx) (store.Instance, error) {
	i, err := tx.OrganizationInstance()
	if errors.Is(err, store.ErrNotFound) {
		return i, fault.Invalidf("The database holds no organization yet: start the server, which makes one with its operator.")
	}
	if err != nil {
		return i, fmt.Errorf("load instance of organization: %w", err)
	}
	return i, nil
}

// restoreOperator is the operator as the first start made them, whatever has become of them since.
func restoreOperator(tx *store.Tx, account arn.AccountID) (store.IAMUser, error) {
	u, err := tx.IAMUser(account, operator)
	if errors.Is(err, store.ErrNotFound) {
		if err := foundOperator(tx, account); err != nil {
			return u, err
		}
		return tx.IAMUser(account, operator)
	}
	if err != nil {
		return u, err
	}
	p, ok := managed.Lookup(administrator)
	if !ok {
		return u, fmt.Errorf("the catalogue of managed policies lacks %s", administrator)
	}
	hash, err := tx.PutDocument(p.Document)
	if err != nil {
		return u, err
	}
	return u, tx.PutUserPolicy(store.UserPolicy{UserID: u.ID, Name: administrator, Document: hash})
}

func removeKeys(tx *store.Tx, u store.IAMUser) (removed []string, err error) {
	keys, err := tx.AccessKeys(u.ID)
	if err != nil {
		return nil, fmt.Errorf("list operator's keys: %w", err)
	}
	for _, k := range keys {
		if err := credential.DeleteAccessKey(tx, k.ID); err != nil {
			return nil, err
		}
		removed = append(removed, k.ID)
	}
	return removed, nil
}

// tellOf is the operator's file without its key.
func tellOf(tx *store.Tx, i store.Instance) (WorldFile, error) {
	url, err := tx.Meta(metaURL)
	if err != nil {
		return WorldFile{}, fmt.Errorf("read URL: %w", err)
	}
	return WorldFile{
		Endpoint: url, Region: i.Region, StartURL: i.StartURL, PortalURL: url + "/portal", ConsoleURL: url + "/console",
		InstanceARN: i.ID.ARN(), IdentityStoreID: i.StoreID, ManagementAccountID: i.Owner,
	}, nil
}

// recovery is the event.
func recovery(i store.Instance, key string, removed []string) *audit.Event {
	return onMachine(i, "sallyport recover", "RecoverOperator", map[string]any{"access_key_id": key, "removed_access_key_ids": removed})
}

// onMachine is the event of a command that is run beside the server. Nobody is signed in, so it tells which user of which machine it was,
// as far as the machine knows.
func onMachine(i store.Instance, command, name string, details map[string]any) *audit.Event {
	if u, err := user.Current(); err == nil {
		details["os_user"] = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		details["host"] = host
	}
	return &audit.Event{
		UserIdentity: audit.UserIdentity{Type: "AWSService", InvokedBy: command}, EventSource: "sallyport", EventName: name,
		EventType: "AwsServiceEvent", AWSRegion: i.Region, SourceIPAddress: command, UserAgent: command,
		RequestID: arn.NewUUID(), RecipientAccountID: string(i.Owner), ServiceEventDetails: details,
	}
}

// ReplaceOperator puts another key of the operator into the file of a data directory, and leaves the rest of it as it is.
func ReplaceOperator(dir string, k OperatorKey) error {
	w, err := ReadWorldFile(dir)
	if err != nil {
		return err
	}
	w.Operator = k
	return w.write(dir, worldFileName(dir))
}

// worldFileName is the name of the file that ReadWorldFile reads, or would if it were there.
func worldFileName(dir string) string {
	for _, name := range []string{operatorFile, devFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return name
		}
	}
	return operatorFile
}
