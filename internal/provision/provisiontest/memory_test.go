package provisiontest_test

import (
	"testing"

	"sallyport/internal/provision/provisiontest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	provisiontest.Run(t, func(*testing.T) provisiontest.Account {
		return provisiontest.Account{Provisioner: &provisiontest.Memory{}, ID: "111122223333"}
	})
}
