package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// auditing measures what it costs that GetRoleCredentials is on record before it is answered: the same program, once as it is built
// for use, and once with an event store that keeps nothing.
func auditing(ctx context.Context, b bench) ([]row, error) {
	null := filepath.Join(b.dir, "sallyport-null")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "nullaudit", "-o", null, "./cmd/sallyport")
	build.Dir, build.Stderr = "..", os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build the program without an event store: %w", err)
	}
	var targets []target
	var servers []*process
	for _, binary := range []string{null, b.binary} {
		world := b
		world.dir = filepath.Join(b.dir, filepath.Base(binary)+"-world")
		if err := os.Mkdir(world.dir, 0o700); err != nil {
			return nil, err
		}
		tokens, err := world.vendingWorld(ctx)
		if err != nil {
			return nil, err
		}
		world.binary = binary
		server, w, err := world.dev(ctx, world.dir)
		if err != nil {
			return nil, err
		}
		requests, err := w.vendingRequests(ctx, server.addr, tokens)
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
		targets = append(targets, target{name: filepath.Base(binary), addr: server.addr, conns: connections, requests: fixed(requests)})
	}
	rates, err := b.measure(ctx, targets...)
	if err != nil {
		return nil, err
	}
	for _, s := range servers {
		if err := s.stop(); err != nil {
			return nil, err
		}
	}
	share := ratio(rates[1], rates[0])
	return []row{{
		"GetRoleCredentials per second, each on record when it is answered", summarize(rates[1]).String(),
		"the same build with a null event store: " + summarize(rates[0]).String(), share.String(), "0.5", share.median >= 0.5,
	}}, nil
}
