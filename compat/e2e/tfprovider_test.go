package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// tfProvider does what Terraform's provider for AWS does (hashicorp/terraform-provider-aws, internal/service/ssoadmin and
// internal/service/identitystore): the same calls in the same order, the same polling, the same reading of errors. It has
// a clock of its own, on which the pauses between calls are a hundredth of the provider's.
type tfProvider struct {
	admin    *ssoadmin.Client
	people   *identitystore.Client
	instance string // ARN
	store    string

	parallelism int          // Terraform's
	conflicts   atomic.Int64 // that were tried again
}

// The provider's pauses, and how much shorter they are here. Retries are hurried less: what they wait for is work of a
// server that is as fast as it is.
const (
	tfHurry      = 100
	tfRetryHurry = 10
	tfAttempts   = 25 // the provider's max_retries
)

// newTFProvider makes the provider's clients. It has the SDK's standard retries without their quota, and has all operations
// of SSO Admin tried again after ConflictException and ThrottlingException too (service_package.go), but none of the
// identity store.
func newTFProvider(s *server) *tfProvider {
	standard := func(o *retry.StandardOptions) {
		o.MaxAttempts, o.RateLimiter = tfAttempts, ratelimit.None
		o.Backoff = hurried{retry.NewExponentialJitterBackoff(retry.DefaultMaxBackoff)}
	}
	p := &tfProvider{instance: s.InstanceARN, store: s.IdentityStoreID, parallelism: 10}
	conflicts := func(o *retry.StandardOptions) {
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if isA[*admintypes.ConflictException](err) || isA[*admintypes.ThrottlingException](err) {
				p.conflicts.Add(1)
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		})}, o.Retryables...)
	}
	p.admin = ssoadmin.NewFromConfig(s.operatorConfig(), func(o *ssoadmin.Options) { o.Retryer = retry.NewStandard(standard, conflicts) })
	p.people = identitystore.NewFromConfig(s.operatorConfig(), func(o *identitystore.Options) { o.Retryer = retry.NewStandard(standard) })
	return p
}

// hurried is a backoff on the tests' clock.
type hurried struct{ retry.BackoffDelayer }

func (h hurried) BackoffDelay(attempt int, err error) (time.Duration, error) {
	d, err := h.BackoffDelayer.BackoffDelay(attempt, err)
	return d / tfRetryHurry, err
}

func isA[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// errGone is what the provider's finders say of something that is not there (any more).
var errGone = errors.New("not found")

// gone reads E as the provider does after a read.
func gone[E error](err error) error {
	if isA[E](err) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// unlessGone reads E as the provider does after a deletion: it was wished for.
func unlessGone[E error](err error) error {
	if isA[E](err) {
		return nil
	}
	return err
}

// tfWait is how patiently something is waited for.
type tfWait struct{ delay, least, timeout time.Duration }

// await waits until a request has ended well, as the provider's StateChangeConf does: it looks first after a delay, then
// after pauses from 200 ms that double, between the least pause and 10 s. A request that is not there is looked for again,
// up to twenty times.
func (w tfWait) await(ctx context.Context, look func(context.Context) (status admintypes.StatusValues, reason string, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	next, pause, missing := w.delay, 200*time.Millisecond, 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(next / tfHurry):
		}
		status, reason, err := look(ctx)
		switch {
		case errors.Is(err, errGone):
			if missing++; missing > 20 {
				return err
			}
		case err != nil:
			return err
		case status == admintypes.StatusValuesSucceeded:
			return nil
		case status != admintypes.StatusValuesInProgress:
			return fmt.Errorf("unexpected state %q: %s", status, reason)
		}
		next = min(max(pause, w.least), 10*time.Second)
		pause = 2 * next
	}
}

// provision has all accounts follow a permission set, as the provider does after every change of its policies.
func (p *tfProvider) provision(ctx context.Context, set string) error {
	out, err := p.admin.ProvisionPermissionSet(ctx, &ssoadmin.ProvisionPermissionSetInput{
		InstanceArn: &p.instance, PermissionSetArn: &set, TargetType: admintypes.ProvisionTargetTypeAllProvisionedAccounts,
	})
	if err != nil {
		return fmt.Errorf("provision permission set: %w", err)
	}
	w := tfWait{delay: 5 * time.Second, timeout: 10 * time.Minute}
	err = w.await(ctx, func(ctx context.Context) (admintypes.StatusValues, string, error) {
		out, err := p.admin.DescribePermissionSetProvisioningStatus(ctx, &ssoadmin.DescribePermissionSetProvisioningStatusInput{
			InstanceArn: &p.instance, ProvisionPermissionSetRequestId: out.PermissionSetProvisioningStatus.RequestId,
		})
		if err != nil {
			return "", "", gone[*admintypes.ResourceNotFoundException](err)
		}
		return out.PermissionSetProvisioningStatus.Status, aws.ToString(out.PermissionSetProvisioningStatus.FailureReason), nil
	})
	if err != nil {
		return fmt.Errorf("wait for provisioning: %w", err)
	}
	return nil
}
