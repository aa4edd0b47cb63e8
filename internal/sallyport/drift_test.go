package sallyport_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/directory"
	"sallyport/internal/provision"
	"sallyport/internal/provision/provisiontest"
	"sallyport/internal/store"
)

// drifting is a world with a permission set in two accounts, whose roles are in memory.
type drifting struct {
	*world
	memory *provisiontest.Memory
	worker *provision.Worker
	set    arn.PermissionSet
	listed int // how often
}

func newDrifting(t *testing.T) *drifting {
	t.Helper()
	d := &drifting{world: newWorld(t), memory: &provisiontest.Memory{}}
	backends, log := map[string]provision.Provisioner{"local": d.memory}, slog.New(slog.DiscardHandler)
	d.worker = &provision.Worker{DB: d.db, Backends: backends, Log: log, Owner: "test"}
	d.service.Inspector = &provision.Inspector{DB: d.db, Backends: backends, Log: log, Owner: "test"}
	d.update(func(tx *store.Tx) error {
		set, err := access.CreatePermissionSet(tx, d.instance, store.PermissionSet{Name: "Audit"})
		if err != nil {
			return err
		}
		d.set = set.PermissionSet
		g, err := directory.CreateGroup(tx, store.Group{StoreID: d.instance.StoreID, DisplayName: "Auditors"}, "test")
		if err != nil {
			return err
		}
		for _, a := range []arn.AccountID{management, member} {
			if _, err := access.BeginAssignment(tx, store.Assignment{Account: a, Set: d.set, PrincipalType: store.PrincipalGroup, PrincipalID: g.ID}); err != nil {
				return err
			}
		}
		return nil
	})
	d.drain()
	return d
}

func (d *drifting) drain() {
	d.t.Helper()
	if err := d.worker.Drain(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

func (d *drifting) tamper(account arn.AccountID) (role string) {
	d.t.Helper()
	roles, err := d.memory.InspectRoles(d.t.Context(), account, "", 1)
	if err != nil || len(roles) != 1 {
		d.t.Fatalf("%d roles, %v", len(roles), err)
	}
	d.memory.Tamper(account, roles[0].Name, func(r *provision.Role) { r.Inline = "{}" })
	return roles[0].Name
}

func (d *drifting) list(change func(*api.ListDriftFindingsRequest)) *api.ListDriftFindingsResponse {
	d.t.Helper()
	in := &api.ListDriftFindingsRequest{InstanceArn: d.instance.ID.ARN()}
	change(in)
	d.listed++
	return must[api.ListDriftFindingsResponse](d.world, in)
}

func all(*api.ListDriftFindingsRequest) {}

func (d *drifting) healing(account arn.AccountID) *api.HealDriftRequest {
	return &api.HealDriftRequest{InstanceArn: d.instance.ID.ARN(), AccountId: string(account), PermissionSetArn: d.set.ARN()}
}

func TestListDriftFindings(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	if out := d.list(all); len(out.Findings) != 0 || out.RolesChecked != 2 || len(out.UncheckedAccounts) != 0 || out.NextToken != nil {
		t.Errorf("%+v", out)
	}
	set := d.set.ARN()
	want := []api.DriftFinding{{
		AccountId: string(member), Kind: api.DriftKindChanged, PermissionSetArn: &set, RoleName: d.tamper(member), Details: []string{"An inline policy was added."},
	}}
	if diff := cmp.Diff(want, d.list(all).Findings); diff != "" {
		t.Error(diff)
	}
	var seen []api.DriftFinding
	checked, pages := int32(0), 0
	for next := (*string)(nil); pages == 0 || next != nil; pages++ {
		out := d.list(func(in *api.ListDriftFindingsRequest) { in.MaxResults, in.NextToken = new(int32(1)), next })
		seen, checked, next = append(seen, out.Findings...), checked+out.RolesChecked, out.NextToken
	}
	if diff := cmp.Diff(want, seen); diff != "" || checked != 2 {
		t.Errorf("%d roles in %d pages\n%s", checked, pages, diff)
	}
	of := func(id arn.AccountID) func(*api.ListDriftFindingsRequest) {
		return func(in *api.ListDriftFindingsRequest) { in.AccountId = new(string(id)) }
	}
	if a, b := d.list(of(management)), d.list(of(member)); len(a.Findings) != 0 || a.RolesChecked != 1 || len(b.Findings) != 1 {
		t.Errorf("%+v, %+v", a, b)
	}
	d.memory.Deafen(errors.New("down"))
	if out := d.list(of(member)); len(out.UncheckedAccounts) != 1 || out.UncheckedAccounts[0].AccountId != string(member) || out.RolesChecked != 0 {
		t.Errorf("%+v", out)
	}
	fails(d.world, &api.ListDriftFindingsRequest{InstanceArn: d.instance.ID.ARN(), AccountId: new("000000000000")}, "ResourceNotFoundException")
	fails(d.world, &api.ListDriftFindingsRequest{InstanceArn: "arn:aws:sso:::instance/ssoins-fedcba0987654321"}, "ResourceNotFoundException")
	fails(d.as(d.keys[member]), &api.ListDriftFindingsRequest{InstanceArn: d.instance.ID.ARN()}, "AccessDeniedException")
	fails(d.as(d.keys[""]), &api.ListDriftFindingsRequest{InstanceArn: d.instance.ID.ARN()}, "AccessDeniedException")
	told := 0
	for _, e := range d.events("ListDriftFindings") {
		if e["errorCode"] == nil {
			told++
		}
	}
	if told != d.listed {
		t.Errorf("%d events of %d calls", told, d.listed)
	}
}

func TestHealDrift(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.tamper(member)
	h := must[api.HealDriftResponse](d.world, d.healing(member)).DriftHealing
	if h.Status != api.DriftHealingStatusInProgress || h.AccountId != string(member) || h.PermissionSetArn != d.set.ARN() {
		t.Errorf("%+v", h)
	}
	if out := d.list(all); len(out.Findings) != 0 || len(out.UncheckedAccounts) != 1 {
		t.Errorf("while a job waits: %+v", out)
	}
	d.drain()
	ask := &api.DescribeDriftHealingRequest{InstanceArn: d.instance.ID.ARN(), HealingId: h.HealingId}
	if h := must[api.DescribeDriftHealingResponse](d.world, ask).DriftHealing; h.Status != api.DriftHealingStatusSucceeded || h.FailureReason != nil {
		t.Errorf("%+v", h)
	}
	if out := d.list(all); len(out.Findings) != 0 || out.RolesChecked != 2 {
		t.Errorf("%+v", out)
	}
	if asked := d.events("HealDrift"); len(asked) != 2 || asked[1]["eventType"] != "AwsServiceEvent" || !strings.Contains(asked[1]["text"].(string), `"status":"SUCCEEDED"`) {
		t.Errorf("%v", asked)
	}
	message, _ := fails(d.world, d.healing(delegate), "ResourceNotFoundException")
	if !strings.Contains(message, "was not provisioned in account "+string(delegate)) {
		t.Error(message)
	}
	ask.HealingId = unknown
	fails(d.world, ask, "ResourceNotFoundException")
}

// TestDelegateHealsNothingOfTheManagementAccount: neither there, nor anywhere else a permission set that stands there.
func TestDelegateHealsNothingOfTheManagementAccount(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	other := d.as(d.keys[delegate])
	for _, a := range []arn.AccountID{management, member} {
		if message, _ := fails(other, d.healing(a), "AccessDeniedException"); !strings.Contains(message, string(management)) {
			t.Error(message)
		}
	}
	fails(d.as(d.keys[member]), d.healing(member), "AccessDeniedException")
	must[api.ListDriftFindingsResponse](other, &api.ListDriftFindingsRequest{InstanceArn: d.instance.ID.ARN()})
}
