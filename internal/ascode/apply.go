package ascode

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"sallyport/internal/apiclient"
	adminapi "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/fault"
)

// apply carries a plan out.
type apply struct {
	reader *Reader
	live   *Live

	mu   sync.Mutex // guards the maps of live, which grow
	done int
}

// Apply carries the plan out, a phase after the other, and tells r.Progress. It stops at the first step that fails, with what was
// done standing: a plan made anew goes on from there. A Conflict says that something was changed elsewhere since the plan was made.
func (p *Plan) Apply(ctx context.Context, r *Reader) error {
	a := &apply{reader: r, live: p.live}
	for i := 0; i < len(p.Steps); {
		n := i
		for n < len(p.Steps) && p.Steps[n].phase == p.Steps[i].phase {
			n++
		}
		if err := a.all(ctx, p.Steps[i:n], len(p.Steps)); err != nil {
			return err
		}
		i = n
	}
	return nil
}

// all does the steps of one phase, a few at a time.
func (a *apply) all(ctx context.Context, steps []Step, of int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, s := range steps {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := a.step(ctx, s); err != nil {
				return &fault.Error{Kind: kind(err), Err: err, Message: fmt.Sprintf("%s %s %s: %s", s.Action, s.Kind, s.Name, message(err))}
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			a.done++
			a.reader.progress(string(s.Action)+" "+s.Kind+" "+s.Name, a.done, of)
			return nil
		})
	}
	return g.Wait()
}

func kind(err error) fault.Kind {
	if apiclient.IsCode(err, "ConflictException") || apiclient.IsCode(err, "ResourceNotFoundException") {
		return fault.Conflict
	}
	return fault.KindOf(err)
}

func message(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}

func (a *apply) step(ctx context.Context, s Step) error {
	if s.still != nil {
		still, err := s.still(ctx, a)
		if err != nil {
			return err
		}
		if !still {
			return fault.Conflictf("it was changed elsewhere since the plan was made. Look at a new plan before you go on.")
		}
	}
	return s.do(ctx, a)
}

// id is what a name stands for, of what steps have made too.
func (a *apply) id(p principal) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.live.id(p)
}

func (a *apply) made(p principal, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.live.ids[p] = id
}

func (a *apply) madeSet(name, arn string) { a.keep(a.live.sets, name, arn) }

func (a *apply) madeApp(name, arn string) { a.keep(a.live.apps, name, arn) }

func (a *apply) madeIssuer(name, arn string) { a.keep(a.live.issuers, name, arn) }

func (a *apply) keep(m map[string]string, name, arn string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m[name] = arn
}

func (a *apply) arnOf(m map[string]string, name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return m[name]
}

func (a *apply) edit(ctx context.Context, set string, edits []edit) error {
	return a.inOrder(ctx, a.arnOf(a.live.sets, set), edits)
}

func (a *apply) editApp(ctx context.Context, app string, edits []edit) error {
	return a.inOrder(ctx, a.arnOf(a.live.apps, app), edits)
}

func (a *apply) inOrder(ctx context.Context, arn string, edits []edit) error {
	for _, e := range edits {
		if err := e(ctx, a, arn); err != nil {
			return err
		}
	}
	return nil
}

// provision brings a permission set to every account that has it, and waits until it is there.
func (a *apply) provision(ctx context.Context, set string) error {
	out, err := outstanding(ctx, a, &adminapi.ProvisionPermissionSetRequest{
		InstanceArn: a.live.Instance, PermissionSetArn: a.arnOf(a.live.sets, set), TargetType: adminapi.ProvisionTargetTypeAllProvisionedAccounts,
	}, func(out *adminapi.ProvisionPermissionSetResponse) request {
		return provisioning(out.PermissionSetProvisioningStatus)
	})
	if err != nil {
		return err
	}
	return a.await(ctx, out, func(ctx context.Context, id string) (request, error) {
		out, _, err := apiclient.Ask[adminapi.DescribePermissionSetProvisioningStatusResponse](ctx, a.reader.Client,
			&adminapi.DescribePermissionSetProvisioningStatusRequest{InstanceArn: a.live.Instance, ProvisionPermissionSetRequestId: id})
		if err != nil {
			return request{}, err
		}
		return provisioning(out.PermissionSetProvisioningStatus), nil
	})
}

func (a *apply) assign(ctx context.Context, set string, g grant) error {
	id, err := a.id(g.who)
	if err != nil {
		return err
	}
	out, err := outstanding(ctx, a, &adminapi.CreateAccountAssignmentRequest{
		InstanceArn: a.live.Instance, PermissionSetArn: a.arnOf(a.live.sets, set), TargetType: adminapi.TargetTypeAwsAccount, TargetId: g.account,
		PrincipalType: g.who.Type, PrincipalId: id,
	}, func(out *adminapi.CreateAccountAssignmentResponse) request {
		return assigning(out.AccountAssignmentCreationStatus)
	})
	if err != nil {
		return err
	}
	return a.await(ctx, out, func(ctx context.Context, id string) (request, error) {
		out, _, err := apiclient.Ask[adminapi.DescribeAccountAssignmentCreationStatusResponse](ctx, a.reader.Client,
			&adminapi.DescribeAccountAssignmentCreationStatusRequest{InstanceArn: a.live.Instance, AccountAssignmentCreationRequestId: id})
		if err != nil {
			return request{}, err
		}
		return assigning(out.AccountAssignmentCreationStatus), nil
	})
}

func (a *apply) unassign(ctx context.Context, set string, g grant) error {
	id, err := a.id(g.who)
	if err != nil {
		return err
	}
	out, err := outstanding(ctx, a, &adminapi.DeleteAccountAssignmentRequest{
		InstanceArn: a.live.Instance, PermissionSetArn: a.arnOf(a.live.sets, set), TargetType: adminapi.TargetTypeAwsAccount, TargetId: g.account,
		PrincipalType: g.who.Type, PrincipalId: id,
	}, func(out *adminapi.DeleteAccountAssignmentResponse) request {
		return assigning(out.AccountAssignmentDeletionStatus)
	})
	if err != nil {
		return err
	}
	return a.await(ctx, out, func(ctx context.Context, id string) (request, error) {
		out, _, err := apiclient.Ask[adminapi.DescribeAccountAssignmentDeletionStatusResponse](ctx, a.reader.Client,
			&adminapi.DescribeAccountAssignmentDeletionStatusRequest{InstanceArn: a.live.Instance, AccountAssignmentDeletionRequestId: id})
		if err != nil {
			return request{}, err
		}
		return assigning(out.AccountAssignmentDeletionStatus), nil
	})
}

// request is an asynchronous request as it stands.
type request struct {
	id, reason string
	status     adminapi.StatusValues
}

func assigning(s *adminapi.AccountAssignmentOperationStatus) request {
	return request{deref(s.RequestId), deref(s.FailureReason), deref(s.Status)}
}

func provisioning(s *adminapi.PermissionSetProvisioningStatus) request {
	return request{deref(s.RequestId), deref(s.FailureReason), deref(s.Status)}
}

// Times of asynchronous requests.
const (
	longest   = 15 * time.Minute // that one may take, or be refused because others are under way
	firstPoll = 20 * time.Millisecond
	lastPoll  = 2 * time.Second
)

// outstanding begins an asynchronous request, again while the server has too many of them or one for the same thing.
func outstanding[Out any](ctx context.Context, a *apply, in any, status func(*Out) request) (request, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		out, _, err := apiclient.Ask[Out](ctx, a.reader.Client, in)
		if err == nil {
			return status(out), nil
		}
		if !apiclient.IsCode(err, "ConflictException") && !apiclient.IsCode(err, "ThrottlingException") {
			return request{}, err
		}
		if !pause(ctx, wait) {
			return request{}, err
		}
	}
}

// await polls a request until it has ended.
func (a *apply) await(ctx context.Context, r request, describe func(context.Context, string) (request, error)) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	for wait := firstPoll; ; wait = min(2*wait, lastPoll) {
		switch r.status {
		case adminapi.StatusValuesSucceeded:
			return nil
		case adminapi.StatusValuesFailed:
			return fault.Conflictf("%s", r.reason)
		}
		if !pause(ctx, wait) {
			return fmt.Errorf("wait for request %s: %w", r.id, ctx.Err())
		}
		var err error
		if r, err = describe(ctx, r.id); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
