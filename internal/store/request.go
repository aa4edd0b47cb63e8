package store

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// request is one caller of the writer.
type request struct {
	ctx      context.Context
	fn       func(*Tx) error
	events   []Event       // to be recorded, where there is no fn
	claimed  atomic.Bool   // by the writer, who will answer, or by the caller, who has left
	answered chan struct{} // closed after the fields below are final

	started  bool // the writer has claimed it
	tx       *Tx  // of the last run
	err      error
	panicked any
	stack    []byte
	ended    bool // the closure ended the writer's goroutine
}

// take claims the request; only one side can.
func (r *request) take() bool { return r.claimed.CompareAndSwap(false, true) }

// start says whether the caller is still there. If so, it will wait for an answer.
func (r *request) start() bool {
	r.started = r.started || r.take()
	return r.started
}

// call runs the closure, keeping what came of it.
func (r *request) call() {
	r.err, r.panicked, r.stack = nil, nil, nil
	defer func() {
		if p := recover(); p != nil {
			r.panicked, r.stack = p, debug.Stack()
		}
	}()
	r.err = r.tx.run(r.fn)
}

// failed says that nothing of the last run may be kept.
func (r *request) failed() bool { return r.err != nil || r.panicked != nil }

func (r *request) answer(err error) {
	r.err = err
	close(r.answered)
}

// outcome gives the caller what its closure did, on the caller's goroutine: a panic goes on there.
func (r *request) outcome() error {
	switch {
	case r.ended:
		runtime.Goexit()
	case r.panicked != nil:
		panic(fmt.Sprintf("%v\n\nin a transaction:\n%s", r.panicked, r.stack))
	}
	return r.err
}
