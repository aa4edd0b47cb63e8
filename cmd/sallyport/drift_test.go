package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/arn"
	"sallyport/internal/clock"
	"sallyport/internal/store"
)

// tamper does to the roles of an account what nobody should, in the database of a server that is stopped: the first is changed, the
// second is taken away, and one is added that looks like them.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	db, err := store.Open(ctx, filepath.Join(ts.MkAbs(args[0]), "sallyport.db"), clock.System{})
	ts.Check(err)
	account := arn.AccountID(args[1])
	err = db.Update(ctx, func(tx *store.Tx) error {
		roles, err := tx.ReservedRoles(account, "", 10)
		if err != nil || len(roles) < 2 {
			return errors.Join(err, errors.New("two roles are needed"))
		}
		foreign := roles[0]
		foreign.Name, foreign.ID, foreign.Set = "AWSReservedSSO_"+args[2]+"_0123456789abcdef", "AROA"+args[2], arn.PermissionSet{}
		roles[0].Spec.Managed, roles[0].Spec.SessionDuration = nil, 12*roles[0].Spec.SessionDuration
		roles[0].Spec.Inline, err = tx.PutDocument(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
		return errors.Join(err, tx.UpdateRole(roles[0]), tx.DeleteRole(account, roles[1].Name), tx.InsertRole(foreign))
	})
	ts.Check(errors.Join(err, db.Close()))
}
