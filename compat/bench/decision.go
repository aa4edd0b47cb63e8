package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// decision measures a policy decision over ten statements with conditions, by the benchmark of package policy.
func decision(ctx context.Context, b bench) ([]row, error) {
	micros, allocs, err := b.benchmark(ctx, "./internal/policy", "^BenchmarkDecision$")
	t, a := summarize(micros), summarize(allocs)
	return []row{
		{"policy decision, 10 statements with conditions, µs", t.String(), "–", "–", "less than 5 µs", t.median < 5},
		{"the same, allocations", a.String(), "–", "–", "fewer than 10", a.median < 10},
	}, err
}

// assertions measures how many ES256 assertions of security keys one core verifies in a second, by the benchmark of package passkey.
func assertions(ctx context.Context, b bench) ([]row, error) {
	var rows []row
	for _, kind := range []struct{ name, what string }{
		{"second", "WebAuthn assertions verified per second and core, as a second factor"}, {"alone", "the same, a passkey that tells who it is"},
	} {
		micros, _, err := b.benchmark(ctx, "./internal/passkey", "^BenchmarkAssertion$/^"+kind.name+"$")
		if err != nil {
			return nil, err
		}
		perSecond := make([]float64, len(micros))
		for i, t := range micros {
			perSecond[i] = 1e6 / t
		}
		rows = append(rows, row{kind.what, summarize(perSecond).String(), "–", "–", "measured", true})
	}
	return rows, nil
}

// benchmark runs one benchmark of Go's once per round: microseconds and allocations of one operation.
func (b bench) benchmark(ctx context.Context, pkg, name string) (micros, allocs []float64, err error) {
	all, err := b.benchmarks(ctx, pkg, name)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%d benchmarks are called %s", len(all), name)
	}
	for _, one := range all {
		micros, allocs = one.micros, one.allocs
	}
	return micros, allocs, err
}

// benchmarked is what one benchmark has measured in each round.
type benchmarked struct{ micros, allocs []float64 }

// benchmarks runs several in each round, and returns them by their names without Benchmark and the number of cores.
func (b bench) benchmarks(ctx context.Context, pkg, name string) (map[string]benchmarked, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sallyport").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	var out []byte
	for range b.rounds { // one run of all would run each of them so often before the next
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", name, "-benchmem", "-count", "1", pkg)
		cmd.Dir, cmd.Stderr = strings.TrimSpace(string(dir)), os.Stderr
		round, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("run benchmark: %w\n%s", err, round)
		}
		out = append(out, round...)
	}
	all := map[string]benchmarked{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var name string
		var n int
		var ns, bytesEach, allocsEach float64
		if _, err := fmt.Sscanf(s.Text(), "%s %d %f ns/op %f B/op %f allocs/op", &name, &n, &ns, &bytesEach, &allocsEach); err == nil {
			if i := strings.LastIndexByte(name, '-'); i > 0 {
				name = name[:i]
			}
			name = strings.TrimPrefix(name, "Benchmark")
			one := all[name]
			all[name] = benchmarked{append(one.micros, ns/1000), append(one.allocs, allocsEach)}
		}
	}
	for name, one := range all {
		if len(one.micros) != b.rounds {
			return nil, fmt.Errorf("%s was measured %d times:\n%s", name, len(one.micros), out)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the benchmark's output is not understood:\n%s", out)
	}
	return all, nil
}

// throughputs runs a benchmark that says how many bytes it gets through, on so many cores, and gives MB per second.
func (b bench) throughputs(ctx context.Context, pkg, name string, cores int) (rates []float64, err error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sallyport").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	for range b.rounds {
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", name, "-cpu", strconv.Itoa(cores), "-count", "1", pkg)
		cmd.Dir, cmd.Stderr = strings.TrimSpace(string(dir)), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("run benchmark: %w\n%s", err, out)
		}
		for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
			f := strings.Fields(s.Text())
			for i, unit := range f {
				if unit == "MB/s" && i > 0 {
					v, err := strconv.ParseFloat(f[i-1], 64)
					if err != nil {
						return nil, fmt.Errorf("read %q: %w", s.Text(), err)
					}
					rates = append(rates, v)
				}
			}
		}
	}
	return rates, nil
}
