package server

import (
	"encoding/json"
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/credential"
	"sallyport/internal/keyring"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestRecoverOperator: whatever has become of the operator, they are an administrator again, by one key that is theirs alone.
func TestRecoverOperator(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := storetest.Open(t, clock.System{})
	kek, err := keyring.ParseKEK(keyring.NewKEK())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(ctx, db, kek)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := recoverOperator(ctx, db, ring); err == nil {
		t.Error("an empty database has an operator")
	}
	plan := newBlueprint("local-1")
	if _, _, err := world(ctx, db, &config.Config{URL: "https://id.example.org", Data: "data"}, plan); err != nil {
		t.Fatal(err)
	}
	var user store.IAMUser
	err = db.Update(ctx, func(tx *store.Tx) (err error) {
		if user, err = tx.IAMUser(plan.management.ID, operator); err != nil {
			return err
		}
		return tx.DeleteUserPolicy(user.ID, false, administrator)
	})
	if err != nil {
		t.Fatal(err)
	}
	first, err := recoverOperator(ctx, db, ring)
	if err != nil {
		t.Fatal(err)
	}
	second, err := recoverOperator(ctx, db, ring)
	if err != nil {
		t.Fatal(err)
	}
	if second.Endpoint != "https://id.example.org" || second.InstanceARN != plan.instance.ID.ARN() || second.ManagementAccountID != plan.management.ID {
		t.Errorf("told of the deployment: %+v", second)
	}
	err = db.View(ctx, func(tx *store.Tx) error {
		checkOperator(t, tx, ring, user, first.Operator, second.Operator)
		return checkRecovery(t, tx, first.Operator, second.Operator)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkOperator(t *testing.T, tx *store.Tx, ring *keyring.Ring, user store.IAMUser, first, second OperatorKey) {
	t.Helper()
	keys, err := tx.AccessKeys(user.ID)
	if err != nil || len(keys) != 1 || keys[0].ID != second.AccessKeyID || keys[0].ID == first.AccessKeyID {
		t.Errorf("keys %v, %v", keys, err)
	}
	_, secret, err := credential.LookUp(tx, ring, second.AccessKeyID)
	if err != nil || string(secret) != second.SecretAccessKey {
		t.Errorf("the key does not open: %v", err)
	}
	policies, err := tx.UserPolicies(user.ID)
	if err != nil || len(policies) != 1 || policies[0].Name != administrator {
		t.Errorf("policies %v, %v", policies, err)
	}
	if _, err := tx.Meta(metaDone); err != nil {
		t.Errorf("the next start would make another key: %v", err)
	}
}

func checkRecovery(t *testing.T, tx *store.Tx, first, second OperatorKey) error {
	t.Helper()
	events, err := tx.AuditLog(0, 10)
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	var e struct {
		EventName           string
		ServiceEventDetails struct {
			Key     string   `json:"access_key_id"`
			Removed []string `json:"removed_access_key_ids"`
		}
	}
	if err := json.Unmarshal(events[1].JSON, &e); err != nil {
		return err
	}
	d := e.ServiceEventDetails
	if e.EventName != "RecoverOperator" || d.Key != second.AccessKeyID || len(d.Removed) != 1 || d.Removed[0] != first.AccessKeyID {
		t.Errorf("event %s", events[1].JSON)
	}
	return nil
}
