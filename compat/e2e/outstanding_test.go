package e2e

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
)

// TestS21OutstandingStrict: an SDK that asks for more at once than may be outstanding tries again by itself until all is accepted.
func TestS21OutstandingStrict(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	var again atomic.Int64
	admin := ssoadmin.NewFromConfig(s.operatorConfig(), func(o *ssoadmin.Options) {
		standard := retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 100, time.Second, ratelimit.None // as Terraform's, which gives up late
		})
		o.Retryer = witness{standard, func() { again.Add(1) }}
	})
	s.assignAtOnce(t, admin, 1)
	t.Logf("the SDK has tried again %d times", again.Load())
	s.stop()
}

// TestS21OutstandingRelaxed: a thousand calls at once are accepted, every one at the first try, and all end well.
func TestS21OutstandingRelaxed(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	s.cli("settings", "set", "limits.mode", "relaxed")
	once := ssoadmin.NewFromConfig(s.operatorConfig(), func(o *ssoadmin.Options) { o.Retryer = aws.NopRetryer{} })
	s.assignAtOnce(t, once, 5)
	s.stop()
}

// assignAtOnce makes many assignments at the same time, each as often as is said, and sees to it that all stand in the end.
func (s *server) assignAtOnce(t *testing.T, admin *ssoadmin.Client, times int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	wanted := s.assignments(admin)
	accepted := make(chan string, times*len(wanted))
	var clients sync.WaitGroup
	for range times {
		for _, in := range wanted {
			clients.Go(func() {
				out, err := admin.CreateAccountAssignment(ctx, in)
				if err != nil {
					t.Error(err)
					return
				}
				accepted <- *out.AccountAssignmentCreationStatus.RequestId
			})
		}
	}
	clients.Wait()
	close(accepted)
	for id := range accepted {
		s.succeeds(ctx, admin, id)
	}
	s.checkAssignments(ctx, admin, wanted)
}
