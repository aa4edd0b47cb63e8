// Package application has the rules of applications: who may use them, how they get tokens, and whose tokens they trust
// (behaviour reference §7). The flows that use these records are elsewhere.
package application

import (
	"errors"
	"fmt"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/quota"
	"sallyport/internal/store"
)

// The states of an application, and of its visibility.
const (
	Enabled  = "ENABLED"
	Disabled = "DISABLED"
)

// OriginApplication says that people sign in by going to the application first.
const OriginApplication = "APPLICATION"

// Get is the application with the ARN.
func Get(tx *store.Tx, id arn.Application) (store.Application, error) {
	a, err := tx.Application(id.ID)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.Application != id {
		return store.Application{}, fault.Missing("Application", id.ARN())
	}
	return a, wrap(err, "load application")
}

// Admit refuses one application more than an instance may have.
func Admit(tx *store.Tx, i arn.Instance, limits quota.Limits) error {
	return limits.Admit(quota.Applications, string(i), tx.Now(), func(bound int) (int, error) { return tx.CountApplications(i, bound) })
}

// Create adds an application. "" stands for the default of its status and visibility: enabled.
func Create(tx *store.Tx, i store.Instance, owner arn.AccountID, a store.Application) (store.Application, error) {
	p, err := Provider(a.Provider)
	if err != nil {
		return a, err
	}
	if p.Protocol != OAuth {
		return a, fault.Invalidf("The application provider with arn %s is not supported for this action. The API makes applications of %s.", a.Provider, CustomProvider)
	}
	if a.Status == "" {
		a.Status = Enabled
	}
	if a.Visibility == "" {
		a.Visibility = Enabled
	}
	if err := checkSignIn(a); err != nil {
		return a, err
	}
	a.Application, a.CreatedAt = arn.NewApplication(owner, i.ID), tx.Now()
	return a, wrap(tx.InsertApplication(a), "insert application")
}

// Update writes an application that has been changed.
func Update(tx *store.Tx, a store.Application) error {
	if err := checkSignIn(a); err != nil {
		return err
	}
	return wrap(tx.UpdateApplication(a), "update application")
}

func checkSignIn(a store.Application) error {
	if a.Origin == OriginApplication && a.URL == "" {
		return fault.Invalidf("PortalOptions.SignInOptions.ApplicationUrl is required when the Origin is APPLICATION.")
	}
	return nil
}

// Delete removes an application, with who was assigned to it and its tags.
func Delete(tx *store.Tx, a store.Application) error {
	if err := tx.DeleteTags(a.ARN()); err != nil {
		return wrap(err, "delete tags of application")
	}
	return wrap(tx.DeleteApplication(a.ID), "delete application")
}

// Assign gives a principal of the instance's directory the application.
func Assign(tx *store.Tx, i store.Instance, a store.ApplicationAssignment, limits quota.Limits) error {
	exists, err := access.PrincipalExists(tx, i.StoreID, a.PrincipalType, a.PrincipalID)
	if err != nil {
		return err
	}
	if !exists {
		return &fault.Error{
			Kind: fault.NotFound, Resource: string(a.PrincipalType), ID: a.PrincipalID,
			Message: fmt.Sprintf("The %s %s was not found in directory %s.", a.PrincipalType, a.PrincipalID, i.StoreID),
		}
	}
	assigned, err := tx.ApplicationAssigned(a)
	if err != nil {
		return wrap(err, "look for assignment to application")
	}
	if assigned { // before the quota, which a full application reaches as well
		return errTwice
	}
	if a.PrincipalType == store.PrincipalGroup {
		count := func(bound int) (int, error) { return tx.GroupsOfApplication(a.Application.ID, bound) }
		if err := limits.Admit(quota.GroupsPerApplication, a.Application.ID, tx.Now(), count); err != nil {
			return err
		}
	}
	err = tx.InsertApplicationAssignment(a)
	if errors.Is(err, store.ErrExists) {
		return errTwice
	}
	return wrap(err, "insert assignment to application")
}

var errTwice = fault.Conflictf("The principal is assigned to the application already.")

// Unassign takes the application from a principal, if it has it.
func Unassign(tx *store.Tx, a store.ApplicationAssignment) error {
	err := tx.DeleteApplicationAssignment(a)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return wrap(err, "delete assignment to application")
}

func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
