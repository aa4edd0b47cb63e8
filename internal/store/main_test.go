package store_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain sees to it that a closed database leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
