package store

import (
	"context"
	"errors"
	"testing"
)

func TestCrowd(t *testing.T) {
	t.Parallel()
	c := newCrowd()
	inside := 0
	enter := func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		if len(c.tokens) == 0 {
			cancel()
		}
		defer cancel()
		err := c.enter(ctx)
		if err == nil {
			inside++
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		return err == nil
	}
	fill := func() int {
		for enter() {
		}
		return inside
	}
	leave := func(collided bool) { inside--; c.leave(collided) }

	if n := fill(); n != crowdStart {
		t.Fatalf("%d inside at first", n)
	}
	for inside > 0 { // all of them collide
		leave(true)
	}
	if n := fill(); n != 1 {
		t.Errorf("%d inside after collisions, want 1", n)
	}
	leave(true)
	if n := fill(); n != 1 { // never fewer than one
		t.Errorf("%d inside after more collisions", n)
	}
	for range crowdGrows * 2 * crowdMost {
		leave(false)
		fill()
	}
	if inside != crowdMost || c.limit != crowdMost {
		t.Errorf("%d inside after a long peace, limit %d", inside, c.limit)
	}
	leave(true)
	if n := fill(); n != crowdMost-1 { // it has left, and its place is kept back, with more to come
		t.Errorf("%d inside", n)
	}
	for inside > 0 {
		leave(false)
	}
	if n := fill(); n != crowdMost*3/4 {
		t.Errorf("%d inside after one collision, want %d", n, crowdMost*3/4)
	}
}
