package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// decision measures a policy decision over ten statements with conditions, by the benchmark of package policy.
func decision(ctx context.Context, b bench) ([]row, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sallyport").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkDecision$", "-benchmem", "-count", fmt.Sprint(b.rounds), "./internal/policy")
	cmd.Dir, cmd.Stderr = strings.TrimSpace(string(dir)), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run benchmark: %w\n%s", err, out)
	}
	var micros, allocs []float64
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var name string
		var n int
		var ns, bytesEach, allocsEach float64
		if _, err := fmt.Sscanf(s.Text(), "%s %d %f ns/op %f B/op %f allocs/op", &name, &n, &ns, &bytesEach, &allocsEach); err == nil {
			micros, allocs = append(micros, ns/1000), append(allocs, allocsEach)
		}
	}
	if len(micros) != b.rounds {
		return nil, fmt.Errorf("the benchmark's output is not understood:\n%s", out)
	}
	t, a := summarize(micros), summarize(allocs)
	return []row{
		{"policy decision, 10 statements with conditions, µs", t.String(), "–", "–", "less than 5 µs", t.median < 5},
		{"the same, allocations", a.String(), "–", "–", "fewer than 10", a.median < 10},
	}, nil
}
