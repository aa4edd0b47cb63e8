package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/store"
)

// Each permission set is assigned to two groups in each of ten accounts.
const (
	planSets     = 1000
	planAccounts = 100
	planGroups   = 200
	planUsers    = 500
	planMembers  = 5 // of each group
	inAccounts   = 10
	toGroups     = 2
)

// planning measures the command `sallyport plan` from start to end, with a document of 1,000 permission sets and 20,000 assignments that
// says what is there already; and, beside it, what writes that document.
func planning(ctx context.Context, b bench) ([]row, error) {
	w, instance, err := b.emptyWorld(ctx, b.dir, relax)
	if err != nil {
		return nil, err
	}
	if err := b.offline(ctx, b.dir, func(db *store.DB) error { return fillPlanned(ctx, db, w, instance) }); err != nil {
		return nil, err
	}
	server, _, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	document := filepath.Join(b.dir, "document.yaml")
	var plans, exports []float64
	for round := range b.rounds + 1 {
		export, _, err := b.command(ctx, "export", "--data", b.dir, "--out", document)
		if err != nil {
			return nil, err
		}
		plan, said, err := b.command(ctx, "plan", "--data", b.dir, "-f", document)
		if err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(said, []byte("Nothing to do")) {
			return nil, fmt.Errorf("the plan of what is there has something to do: %.500s", said)
		}
		if round > 0 {
			plans, exports = append(plans, plan), append(exports, export)
		}
	}
	took := summarize(plans)
	return []row{{
		"`sallyport plan` of 1,000 permission sets and 20,000 assignments, nothing to do, s", took.String(),
		"`sallyport export` of the same: " + summarize(exports).String(), "–", "less than 3 s", took.median < 3,
	}}, server.stop()
}

// command runs the program and returns how many seconds it took, and what it said.
func (b bench) command(ctx context.Context, args ...string) (float64, []byte, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Stderr = &stderr
	start := time.Now()
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", args[0], err, stderr.Bytes())
	}
	return time.Since(start).Seconds(), out, err
}

// fillPlanned makes people, groups and accounts, and permission sets that have been provisioned where they are assigned.
func fillPlanned(ctx context.Context, db *store.DB, w world, instance arn.Instance) error {
	if err := inBatches(ctx, db, planAccounts, addAccount); err != nil {
		return err
	}
	users, groups := make([]string, planUsers), make([]string, planGroups)
	if err := inBatches(ctx, db, planUsers, func(tx *store.Tx, i int) (err error) {
		users[i], err = addUser(tx, w, i)
		return err
	}); err != nil {
		return err
	}
	if err := inBatches(ctx, db, planGroups, func(tx *store.Tx, i int) (err error) {
		if groups[i], err = addGroup(tx, w, i); err != nil {
			return err
		}
		for k := range planMembers {
			if err := addMember(tx, w, groups[i], users[(planMembers*i+k)%len(users)]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return inBatches(ctx, db, planSets, func(tx *store.Tx, i int) error { return addPlanned(tx, w, instance, i, groups) })
}

// addPlanned adds a permission set with a managed and an inline policy, a tag, its roles and its assignments.
func addPlanned(tx *store.Tx, w world, instance arn.Instance, i int, groups []string) error {
	hash, err := tx.PutDocument(policyText(i))
	if err != nil {
		return fmt.Errorf("keep policy: %w", err)
	}
	set, name := arn.NewPermissionSet(instance), fmt.Sprintf("Planned%d", i)
	if err := addSet(tx, set, name, hash); err != nil {
		return err
	}
	if err := tx.PutTag(set.ARN(), store.Tag{Key: "team", Value: fmt.Sprintf("team-%d", i%50)}); err != nil {
		return fmt.Errorf("tag permission set: %w", err)
	}
	for k := range inAccounts {
		account := accountID((inAccounts*i + k) % planAccounts)
		err := tx.InsertRole(store.Role{
			Account: account, Name: arn.RoleName(name, "0123456789abcdef"), ID: arn.NewUniqueID("AROA"), Path: arn.RolePath(w.Region), Set: set, Revision: 1,
			Spec: store.RoleSpec{Trust: hash, Inline: hash, SessionDuration: time.Hour}, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		})
		if err != nil {
			return fmt.Errorf("add role: %w", err)
		}
		for g := range toGroups {
			err := tx.InsertAssignment(store.Assignment{
				Account: account, Set: set, PrincipalType: store.PrincipalGroup, PrincipalID: groups[(i+g*k+g)%len(groups)],
				State: store.AssignmentGranted, CreatedAt: tx.Now(),
			})
			if err != nil {
				return fmt.Errorf("add assignment: %w", err)
			}
		}
	}
	return nil
}
