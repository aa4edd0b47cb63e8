package e2e

import (
	"os"
	"slices"
	"sync"
	"testing"
)

var exits struct {
	sync.Mutex
	todo []func()
}

// atExit has what the tests share (the browser, the built program) put away after the last of them.
func atExit(f func()) {
	exits.Lock()
	defer exits.Unlock()
	exits.todo = append(exits.todo, f)
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, f := range slices.Backward(exits.todo) {
		f()
	}
	os.Exit(code)
}
