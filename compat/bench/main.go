// Program bench measures Sallyport under load, as the product is used: the built binary in a process of its own, an SQLite
// database on disk, requests signed beforehand and sent over raw connections. Whatever a figure is held against runs in the
// same rounds, one after the other, since a machine that others use as well is not the same from one minute to the next.
//
// It prints one table. docs/performance.md has the figures of one run and says how to read them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	binary string
	dir    string // scratch, on the disk that the durable figures are of
	rounds int
	length time.Duration // of one target in one round
}

// row is one line of the table.
type row struct {
	what, measured, beside, ratio, target string
	met                                   bool
}

// parts are the measurements in the order of the table.
var parts = []struct {
	name string
	run  func(context.Context, bench) ([]row, error)
}{
	{"vending", vending},
	{"assigning", assigning},
	{"reading", reading},
	{"writing", writing},
	{"listing", listing},
	{"searching", searching},
	{"holding", holding},
	{"provisioning", provisioning},
	{"planning", planning},
	{"syncing", syncing},
	{"login", signIn},
	{"page", page},
	{"assertions", assertions},
	{"decision", decision},
	{"checking", checking},
	{"revoking", revokingAlone},
	{"spreading", revokingApart},
	{"changes", manyChanges},
	{"auditing", auditing},
	{"streaming", streaming},
	{"alerting", alerting},
	{"verifying", verifying},
	{"idle", idle},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) == 2 && args[0] == "baseline" {
		return baselines(args[1])
	}
	var b bench
	fl := flag.NewFlagSet("bench", flag.ContinueOnError)
	fl.StringVar(&b.binary, "bin", "../bin/sallyport", "the program to measure")
	fl.StringVar(&b.dir, "dir", "", "folder on the disk to measure (default: the system's for temporary files)")
	fl.IntVar(&b.rounds, "rounds", 5, "rounds after the one that warms up")
	fl.DurationVar(&b.length, "time", 2500*time.Millisecond, "time of one target in one round")
	only := fl.String("only", "", "regular expression of the parts to run: vending, assigning, reading, writing, listing, searching, holding, provisioning, planning, syncing, login, page, assertions, decision, checking, revoking, spreading, changes, auditing, streaming, alerting, verifying, idle")
	if err := fl.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(b.dir, "sallyport-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	fmt.Fprint(out, "| what | Sallyport | beside it | ratio | at least | |\n|---|---|---|---|---|---|\n")
	for _, p := range parts {
		if !wanted.MatchString(p.name) {
			continue
		}
		if err := b.part(ctx, p.name, p.run, out); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// part runs one measurement, bounded in time, and prints its rows.
func (b bench) part(ctx context.Context, name string, measure func(context.Context, bench) ([]row, error), out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel() // ends what the part has started
	b.dir = filepath.Join(b.dir, name)
	if err := os.Mkdir(b.dir, 0o700); err != nil {
		return err
	}
	rows, err := measure(ctx, b)
	for _, r := range rows {
		verdict := "met"
		if !r.met {
			verdict = "MISSED"
		}
		fmt.Fprintf(out, "| %s |\n", strings.Join([]string{r.what, r.measured, r.beside, r.ratio, r.target, verdict}, " | "))
	}
	return err
}
