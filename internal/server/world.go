package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"sallyport/internal/arn"
	"sallyport/internal/config"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/policy/managed"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// Facts about the deployment, in table meta.
const (
	metaKind = "world.kind" // dev or serve
	metaURL  = "world.url"  // fixed at the first start
	metaDone = "world.done" // the operator's key has been handed over
)

const administrator = "arn:aws:iam::aws:policy/AdministratorAccess"

// blueprint is the organization that a first start makes.
type blueprint struct {
	instance   store.Instance
	management store.Account
	members    []store.Account
}

// newBlueprint is an organization of one account, with random ids.
func newBlueprint(region string) blueprint {
	management := randomAccount()
	id := arn.NewStoreID()
	return blueprint{
		instance:   store.Instance{ID: arn.NewInstance(), StoreID: id, Owner: management, Region: region, StartURL: startURL(id), Status: store.InstanceActive},
		management: store.Account{ID: management, Name: "management", Email: "root@management.invalid"},
	}
}

func startURL(id arn.StoreID) string { return "https://" + string(id) + ".awsapps.com/start" }

func randomAccount() arn.AccountID {
	n, _ := rand.Int(rand.Reader, big.NewInt(900_000_000_000)) // never fails (Go 1.24)
	return arn.AccountID(fmt.Sprint(100_000_000_000 + n.Int64()))
}

// world finds the deployment's instance, or makes it at the first start. made tells which.
func world(ctx context.Context, db *store.DB, cfg *config.Config, plan blueprint) (instance store.Instance, made bool, err error) {
	kind := "serve"
	if cfg.Dev {
		kind = "dev"
	}
	err = db.Update(ctx, func(tx *store.Tx) error {
		made = false
		was, err := tx.Meta(metaKind)
		switch {
		case errors.Is(err, store.ErrNotFound):
			made = true
			instance = plan.instance
			return found(tx, cfg, plan, kind)
		case err != nil:
			return err
		case was != kind:
			return fault.Invalidf("The data directory %s was made by `sallyport %s`; it cannot be used by `sallyport %s`. Choose another directory.", cfg.Data, was, kind)
		}
		if err := checkURL(tx, cfg); err != nil {
			return err
		}
		if instance, err = tx.OrganizationInstance(); err != nil {
			return fmt.Errorf("load instance of organization: %w", err)
		}
		return nil
	})
	return instance, made, err
}

// checkURL holds the URL against that of the first start. A throwaway world may move: nothing in it outlives its port.
func checkURL(tx *store.Tx, cfg *config.Config) error {
	was, err := tx.Meta(metaURL)
	if err != nil || was == cfg.URL || cfg.Dev {
		return err
	}
	return fault.Invalidf("The URL was fixed as %s at the first start and is now %s. Tokens, cookies and registered devices belong to the first; start with --url %s.", was, cfg.URL, was)
}

// found writes the organization: accounts, instance, operator.
func found(tx *store.Tx, cfg *config.Config, plan blueprint, kind string) error {
	if limits := (quota.Limits{}); limits.Exceeds(quota.Accounts, 1+len(plan.members)) {
		return limits.Reached(quota.Accounts)
	}
	for _, a := range append([]store.Account{plan.management}, plan.members...) {
		a.Backend, a.Status, a.CreatedAt = "local", "ACTIVE", tx.Now()
		if err := tx.InsertAccount(a); err != nil {
			return fmt.Errorf("create account: %w", err)
		}
	}
	plan.instance.CreatedAt = tx.Now()
	if err := tx.InsertInstance(plan.instance); err != nil {
		return fmt.Errorf("create instance: %w", err)
	}
	if err := foundOperator(tx, plan.management.ID); err != nil {
		return fmt.Errorf("create operator: %w", err)
	}
	if err := tx.SetMeta(metaURL, cfg.URL); err != nil {
		return err
	}
	return tx.SetMeta(metaKind, kind)
}

// operator is the name of the first IAM user: an ordinary administrator of the management account, with no door of its own.
const operator = "operator"

func foundOperator(tx *store.Tx, account arn.AccountID) error {
	user := store.IAMUser{ID: arn.NewUniqueID("AIDA"), Account: account, Path: "/", Name: operator, CreatedAt: tx.Now()}
	if err := tx.InsertIAMUser(user); err != nil {
		return err
	}
	p, ok := managed.Lookup(administrator)
	if !ok {
		return fmt.Errorf("the catalogue of managed policies lacks %s", administrator)
	}
	hash, err := tx.PutDocument(p.Document)
	if err != nil {
		return err
	}
	return tx.PutUserPolicy(store.UserPolicy{UserID: user.ID, Name: administrator, Document: hash})
}

// operatorKey makes the operator's key and hands it to deliver, once. When a start was cut off before the key was delivered,
// the next one takes the lost key away and makes another.
func operatorKey(ctx context.Context, db *store.DB, ring *keyring.Ring, owner arn.AccountID, deliver func(OperatorKey) error) error {
	var key OperatorKey
	delivered := false
	err := db.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Meta(metaDone)
		if delivered = err == nil; delivered || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		user, err := tx.IAMUser(owner, operator)
		if err != nil {
			return fmt.Errorf("load operator: %w", err)
		}
		lost, err := tx.AccessKeys(user.ID)
		if err != nil {
			return err
		}
		for _, k := range lost {
			if err := credential.DeleteAccessKey(tx, k.ID); err != nil {
				return err
			}
		}
		id, secret, err := credential.CreateAccessKey(tx, ring, user)
		key = OperatorKey{AccessKeyID: id, SecretAccessKey: string(secret)}
		return err
	})
	if err != nil || delivered {
		return err
	}
	if err := deliver(key); err != nil {
		return err
	}
	return db.Update(ctx, func(tx *store.Tx) error { return tx.SetMeta(metaDone, "yes") })
}
