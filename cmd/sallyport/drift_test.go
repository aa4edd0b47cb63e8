package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

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

// TestHealingGoesOn: where one role may not be healed the others are, and healings are waited for.
func TestHealingGoesOn(t *testing.T) {
	const set, id = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef", "018f0000-0000-7000-8000-00000000000"
	finding := func(account, kind string) string {
		return fmt.Sprintf(`{"AccountId":"%s","RoleName":"R","Kind":"%s","PermissionSetArn":"%s","Details":["Changed."]}`, account, kind, set)
	}
	page := func(next string, findings ...string) string {
		return fmt.Sprintf(`{"Findings":[%s],"RolesChecked":2,"UncheckedAccounts":[]%s}`, strings.Join(findings, ","), next)
	}
	healing := func(n int, status string) string {
		return fmt.Sprintf(`{"DriftHealing":{"AccountId":"222233334444","CreatedAt":1,"HealingId":"%s%d","PermissionSetArn":"%s",%s}}`, id, n, set, status)
	}
	instances := `{"Instances":[{"InstanceArn":"arn:aws:sso:::instance/ssoins-1234567890abcdef","IdentityStoreId":"d-1234567890"}]}`
	a := answers{
		"ListInstances": {instances, instances, instances},
		"ListDriftFindings": {
			page(`,"NextToken":"n"`, finding("999900000001", "CHANGED"), finding("222233334444", "MISSING")),
			page("", finding("333344445555", "CHANGED"), finding("333344445555", "OUTDATED")),
			page("", finding("999900000001", "CHANGED")),
		},
		"HealDrift":            {`{"__type":"AccessDeniedException","Message":"Not there."}`, healing(1, `"Status":"IN_PROGRESS"`), healing(2, `"Status":"IN_PROGRESS"`)},
		"DescribeDriftHealing": {healing(1, `"Status":"IN_PROGRESS"`), healing(1, `"Status":"SUCCEEDED"`), healing(2, `"Status":"FAILED","FailureReason":"No."`)},
	}
	out, _, err := run(t, a, newDrift(), "--heal", "--yes")
	if err == nil || sentence(err) != "1 role is not what was provisioned, of 2 that were checked." {
		t.Errorf("ended with %v", err)
	}
	for _, want := range []string{
		"Could not heal R in 999900000001: Not there.\n", "Healed R in 222233334444.\n", "Could not heal R in 333344445555: No.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if len(a["HealDrift"]) > 0 || len(a["DescribeDriftHealing"]) > 0 || len(a["ListDriftFindings"]) > 0 {
		t.Errorf("not asked: %v", a)
	}
}
