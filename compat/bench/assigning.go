package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/quota"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// The combinations of accounts, permission sets and groups are enough for every round to assign what was never assigned.
const (
	manyAccounts = 50
	manySets     = 20
	manyGroups   = 300
	perRound     = 30_000 // more than can be accepted
	motoConns    = 8      // where it was quickest
)

// fleet is many accounts, permission sets and groups, and how many of their combinations have been used.
type fleet struct {
	instance string
	accounts []string
	sets     []string
	groups   []string
	used     int
}

// assigning measures how many CreateAccountAssignment calls are accepted, each durable, while those accepted before are
// being provisioned. Beside it runs moto's server, where there is one: in memory, and it provisions nothing.
func assigning(ctx context.Context, b bench) ([]row, error) {
	f, err := b.fleet(ctx)
	if err != nil {
		return nil, err
	}
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	c := w.client(server.addr)
	targets := []target{{
		name: "CreateAccountAssignment", addr: server.addr, conns: connections, once: true,
		requests: func() ([][]byte, error) { return f.requests(ctx, c) },
		settle:   func(ctx context.Context) error { return settled(ctx, c, f.instance) },
	}}
	moto, missing := exec.LookPath("moto_server")
	if missing == nil {
		peer, err := launchAt(ctx, moto, func(port string) []string { return []string{"-H", "127.0.0.1", "-p", port} })
		if err != nil {
			return nil, err
		}
		pc := w.client(peer.addr)
		targets = append(targets, target{
			name: "moto's CreateAccountAssignment", addr: peer.addr, conns: motoConns, closes: true,
			requests: func() ([][]byte, error) { return f.some(ctx, pc, 1000) },
		})
		defer func() { _ = peer.stop() }() // killed if that fails
	}
	rates, err := b.measure(ctx, targets...)
	if err != nil {
		return nil, err
	}
	r := row{
		what: "CreateAccountAssignment accepted per second", measured: summarize(rates[0]).String(), beside: "moto_server is not installed",
		ratio: "–", target: "10", met: true,
	}
	if missing == nil {
		times := ratio(rates[0], rates[1])
		r.beside, r.ratio, r.met = "moto in memory: "+summarize(rates[1]).String(), times.String(), times.median >= 10
	}
	return []row{r}, server.stop()
}

// fleet makes the world in b.dir.
func (b bench) fleet(ctx context.Context) (*fleet, error) {
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	if err := server.stop(); err != nil {
		return nil, err
	}
	instance, err := arn.ParseInstance(w.InstanceARN)
	if err != nil {
		return nil, err
	}
	f := &fleet{instance: w.InstanceARN}
	return f, b.offline(ctx, b.dir, func(db *store.DB) error {
		return db.Update(ctx, func(tx *store.Tx) error {
			*f = fleet{instance: w.InstanceARN}
			return f.fill(tx, instance, arn.StoreID(w.StoreID))
		})
	})
}

func (f *fleet) fill(tx *store.Tx, instance arn.Instance, storeID arn.StoreID) error {
	// AWS's limit of outstanding requests would be what is measured.
	if _, err := setting.Put(tx, "limits.mode", string(quota.Relaxed), "bench"); err != nil {
		return fmt.Errorf("relax limits: %w", err)
	}
	for i := range manyAccounts {
		a := store.Account{ID: arn.AccountID(fmt.Sprintf("2222%08d", i)), Name: fmt.Sprintf("account-%d", i), Backend: "local", Status: "ACTIVE", CreatedAt: tx.Now()}
		if err := tx.InsertAccount(a); err != nil {
			return fmt.Errorf("add account: %w", err)
		}
		f.accounts = append(f.accounts, string(a.ID))
	}
	for i := range manySets {
		p := store.PermissionSet{PermissionSet: arn.NewPermissionSet(instance), Name: fmt.Sprintf("Set%d", i), SessionDuration: "PT1H", Revision: 1, CreatedAt: tx.Now()}
		if err := tx.InsertPermissionSet(p); err != nil {
			return fmt.Errorf("add permission set: %w", err)
		}
		if err := tx.AttachPolicy(p.PermissionSet, "arn:aws:iam::aws:policy/SecurityAudit"); err != nil {
			return fmt.Errorf("attach policy: %w", err)
		}
		f.sets = append(f.sets, p.ARN())
	}
	for i := range manyGroups {
		g := store.Group{ID: arn.NewUUID(), StoreID: storeID, DisplayName: fmt.Sprintf("group-%d", i), Revision: 1, Trail: store.Trail{CreatedAt: tx.Now(), UpdatedAt: tx.Now()}}
		if err := tx.InsertGroup(g); err != nil {
			return fmt.Errorf("add group: %w", err)
		}
		f.groups = append(f.groups, g.ID)
	}
	return nil
}

// requests are one round's, all of them for assignments that are not there yet.
func (f *fleet) requests(ctx context.Context, c client) ([][]byte, error) {
	defer func() { f.used += perRound }()
	return f.some(ctx, c, perRound)
}

// some renders the next n calls.
func (f *fleet) some(ctx context.Context, c client, n int) ([][]byte, error) {
	if f.used+n > len(f.accounts)*len(f.sets)*len(f.groups) {
		return nil, fmt.Errorf("%d combinations have been used and there are no more: fewer or shorter rounds, please", f.used)
	}
	out := make([][]byte, n)
	for i := range out {
		k := f.used + i
		account := f.accounts[k%len(f.accounts)]
		set := f.sets[k/len(f.accounts)%len(f.sets)]
		group := f.groups[k/len(f.accounts)/len(f.sets)]
		var err error
		if out[i], err = c.render(ctx, &ssoadmin.Info, "CreateAccountAssignment", assignment(f.instance, set, account, group)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// settled waits until nothing that was accepted is in progress any more, and sees to it that nothing failed.
func settled(ctx context.Context, c client, instance string) error {
	in := func(status ssoadmin.StatusValues) (int, error) {
		out, _, err := call[*ssoadmin.ListAccountAssignmentCreationStatusResponse](ctx, c, &ssoadmin.Info, "ListAccountAssignmentCreationStatus",
			&ssoadmin.ListAccountAssignmentCreationStatusRequest{InstanceArn: instance, Filter: &ssoadmin.OperationStatusFilter{Status: &status}})
		if err != nil {
			return 0, err
		}
		return len(out.AccountAssignmentsCreationStatus), nil
	}
	for {
		left, err := in(ssoadmin.StatusValuesInProgress)
		if err != nil {
			return err
		}
		if left == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for accepted assignments: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
	failed, err := in(ssoadmin.StatusValuesFailed)
	if err == nil && failed > 0 {
		err = fmt.Errorf("assignments that were accepted have failed")
	}
	return err
}
