package e2e

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
	_ "github.com/jackc/pgx/v5/stdlib"

	"sallyport/internal/store/storetest/pgtest"
)

// witness retries as the SDK does, and tells when it has first been asked to.
type witness struct {
	aws.RetryerV2
	asked func()
}

func (w witness) IsErrorRetryable(err error) bool {
	retryable := w.RetryerV2.IsErrorRetryable(err)
	if retryable {
		w.asked()
	}
	return retryable
}

// TestSDKThrottled: a server that cannot tell any more what was revoked refuses credentials by throttling, which the SDK
// takes for what it is: it tries again until the database takes changes, and its caller notices nothing.
func TestSDKThrottled(t *testing.T) {
	t.Parallel()
	database := pgtest.NewDatabase(t)
	s := startDev(t, "--database", database)
	resume := stopHeartbeat(t, database)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	list := &ssoadmin.ListPermissionSetsInput{InstanceArn: &s.InstanceARN}
	once := ssoadmin.NewFromConfig(s.operatorConfig(), func(o *ssoadmin.Options) { o.Retryer = aws.NopRetryer{} })
	for { // the news is good for three seconds
		_, err := once.ListPermissionSets(ctx, list)
		if throttled := (*admintypes.ThrottlingException)(nil); errors.As(err, &throttled) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}

	stubborn := ssoadmin.NewFromConfig(s.operatorConfig(), func(o *ssoadmin.Options) {
		standard := retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 20, time.Second })
		o.Retryer = witness{standard, resume}
	})
	out, err := stubborn.ListPermissionSets(ctx, list)
	if err != nil {
		t.Fatal(err)
	}
	if attempts, ok := retry.GetAttemptResults(out.ResultMetadata); !ok || len(attempts.Results) < 2 {
		t.Errorf("the first attempt was not throttled: %+v", attempts)
	}
}

// stopHeartbeat keeps every server on the database from proving that it takes changes, until resume is called.
func stopHeartbeat(t *testing.T, database string) (resume func()) {
	t.Helper()
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), `LOCK TABLE heartbeat IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := tx.Rollback(); err != nil {
			t.Errorf("let go of the heartbeat: %v", err)
		}
	})
}
