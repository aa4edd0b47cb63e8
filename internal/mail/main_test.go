package mail_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees to it that no connection and no worker outlives its test.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
