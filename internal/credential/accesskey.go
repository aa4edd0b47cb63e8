package credential

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"sallyport/internal/arn"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
)

// CreateAccessKey gives an IAM user a long-term key. The secret is shown here and never again.
func CreateAccessKey(tx *store.Tx, keys *keyring.Ring, user store.IAMUser) (id string, secret Secret, err error) {
	var b [30]byte // 40 characters, as AWS's have
	_, _ = rand.Read(b[:])
	secret = Secret(base64.StdEncoding.EncodeToString(b[:]))
	id = arn.NewAccessKeyID("AKIA", user.Account)
	err = tx.InsertAccessKey(store.AccessKey{
		ID: id, User: user, Status: store.KeyActive, CreatedAt: tx.Now(),
		Secret: keys.SealRecord("access_key", "secret", id, []byte(secret)),
	})
	if err != nil {
		return "", "", fmt.Errorf("store access key: %w", err)
	}
	return id, secret, nil
}

// SetAccessKeyStatus makes a long-term key active or inactive, and whatever was given out under it with it.
func SetAccessKeyStatus(tx *store.Tx, id, status string) error {
	if err := tx.SetAccessKeyStatus(id, status); err != nil {
		return fmt.Errorf("set status of access key: %w", err)
	}
	return tx.Changed("key:" + id)
}

// DeleteAccessKey removes a long-term key, and whatever was given out under it with it.
func DeleteAccessKey(tx *store.Tx, id string) error {
	if err := tx.DeleteAccessKey(id); err != nil {
		return fmt.Errorf("delete access key: %w", err)
	}
	return tx.Changed("key:" + id)
}

// LookUp finds the caller behind a long-term key and the secret that they must have signed with.
func LookUp(tx *store.Tx, keys *keyring.Ring, id string) (Caller, Secret, error) {
	k, err := tx.AccessKey(id)
	if errors.Is(err, store.ErrNotFound) || err == nil && k.Status != store.KeyActive {
		return Caller{}, "", errToken()
	}
	if err != nil {
		return Caller{}, "", fmt.Errorf("look up access key: %w", err)
	}
	secret, err := keys.OpenRecord("access_key", "secret", id, k.Secret)
	if err != nil {
		return Caller{}, "", fmt.Errorf("open secret of access key %s: %w", id, err)
	}
	return Caller{
		Kind: IAMUser, Account: k.User.Account, ARN: k.User.ARN(), PrincipalID: k.User.ID,
		AccessKeyID: id, UserName: k.User.Name, Issued: tx.Now(),
	}, Secret(secret), nil
}
