package main

import (
	"context"
	"fmt"
)

// verifying is what the verification of trail files gets through on one core.
func verifying(ctx context.Context, b bench) ([]row, error) {
	got, err := b.throughputs(ctx, "./internal/trailfile", "^BenchmarkVerify$", 1)
	if err != nil {
		return nil, err
	}
	if len(got) == 0 {
		return nil, fmt.Errorf("no benchmark of verification")
	}
	rate := summarize(got)
	return []row{{"log that `audit verify` gets through on one core, MB of events per second", rate.String(), "–", "–", "100", rate.median >= 100}}, nil
}
