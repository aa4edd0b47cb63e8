package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// idleTime is how long a server is left alone before its memory is read.
const idleTime = 5 * time.Second

// idle measures `sallyport dev` when nobody asks anything of it: the time from start to ready, with a new world and with one
// that is there, and its memory.
func idle(ctx context.Context, b bench) ([]row, error) {
	var first, again, memory []float64
	for round := range b.rounds {
		dir := filepath.Join(b.dir, fmt.Sprint(round))
		for _, times := range []*[]float64{&first, &again} {
			server, _, err := b.dev(ctx, dir)
			if err != nil {
				return nil, err
			}
			*times = append(*times, server.ready.Seconds())
			if times == &first {
				time.Sleep(idleTime)
				mib, err := server.residentMiB()
				if err != nil {
					return nil, err
				}
				memory = append(memory, mib)
			}
			if err := server.stop(); err != nil {
				return nil, err
			}
		}
	}
	f, a, m := summarize(first), summarize(again), summarize(memory)
	return []row{
		{"idle memory of `sallyport dev`, MiB", m.String(), "–", "–", "less than 60 MB", m.high*1.048576 < 60},
		{"start to ready, a new world, s", f.String(), "–", "–", "less than 1 s", f.median < 1},
		{"start to ready, a world that is there, s", a.String(), "–", "–", "less than 1 s", a.median < 1},
	}, nil
}
