package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
)

// WorldFile is what a server writes for those who operate it: dev.json or operator.json in the data directory, mode 0600.
// The sample world's people and groups are in dev.json only.
type WorldFile struct {
	Endpoint            string          `json:"endpoint"`
	Region              string          `json:"region"`
	StartURL            string          `json:"start_url"`
	PortalURL           string          `json:"portal_url"`
	ConsoleURL          string          `json:"console_url"`
	InstanceARN         string          `json:"instance_arn"`
	IdentityStoreID     arn.StoreID     `json:"identity_store_id"`
	ManagementAccountID arn.AccountID   `json:"management_account_id"`
	Operator            OperatorKey     `json:"operator"`
	Accounts            []SampleAccount `json:"accounts,omitempty"`
	Users               []SampleUser    `json:"users,omitempty"`
	Groups              []SampleGroup   `json:"groups,omitempty"`
}

// OperatorKey is the operator's long-term access key.
type OperatorKey struct {
	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
}

// SampleAccount is an account of the sample world.
type SampleAccount struct {
	ID   arn.AccountID `json:"id"`
	Name string        `json:"name"`
}

// SampleUser is a person of the sample world.
type SampleUser struct {
	UserName   string `json:"user_name"`
	UserID     string `json:"user_id"`
	Password   string `json:"password"`
	TOTPSecret string `json:"totp_secret,omitempty"` // absent: not enrolled
}

// SampleGroup is a group of the sample world.
type SampleGroup struct {
	DisplayName string   `json:"display_name"`
	GroupID     string   `json:"group_id"`
	Members     []string `json:"members"` // user names
}

// The files' names.
const (
	devFile      = "dev.json"
	operatorFile = "operator.json"
)

// ReadWorldFile reads the file of a server's data directory.
func ReadWorldFile(dir string) (w WorldFile, err error) {
	for _, name := range []string{operatorFile, devFile} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return w, fault.Invalidf("The operator's file cannot be read: %v.", err)
		}
		if err := json.Unmarshal(b, &w); err != nil {
			return w, fault.Invalidf("%s in %s is damaged: %v.", name, dir, err)
		}
		return w, nil
	}
	return w, fault.Invalidf("There is no operator.json or dev.json in %s: is it the data directory of a server that has been started?", dir)
}

// write puts the file in place whole or not at all.
func (w WorldFile) write(dir, name string) (err error) {
	b, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, name+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
