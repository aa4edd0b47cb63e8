package e2e

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// tfResource is one of the provider's resources, with its configuration and its state.
type tfResource interface {
	address() string
	needs() []tfResource

	create(context.Context, *tfProvider) error
	// read brings the state up to date; errGone takes the resource from it.
	read(context.Context, *tfProvider) error
	// update makes what there is follow the configuration: in place where the provider can, or anew.
	update(context.Context, *tfProvider) error
	delete(context.Context, *tfProvider) error

	// plan tells how the state differs from the configuration.
	plan() string
	// edit changes the configuration, once, if the resource has another.
	edit()
	inState() bool
	forget()
}

// tfNode is what all resources have. C is what the kind's read reads, and can be compared.
type tfNode[C any] struct {
	at    string
	after []tfResource
	want  C  // the configuration
	then  *C // what it is changed to
	is    *C // the state
}

func (n *tfNode[C]) address() string     { return n.at }
func (n *tfNode[C]) needs() []tfResource { return n.after }
func (n *tfNode[C]) inState() bool       { return n.is != nil }
func (n *tfNode[C]) forget()             { n.is = nil }

func (n *tfNode[C]) edit() {
	if n.then != nil {
		n.want, n.then = *n.then, nil
	}
}

func (n *tfNode[C]) plan() string {
	if n.is == nil {
		return "to be created"
	}
	return cmp.Diff(*n.is, n.want, cmpopts.EquateEmpty())
}

// set is the state as it has been read.
func (n *tfNode[C]) set(is C) error {
	n.is = &is
	return nil
}

// order tells, of each resource, how many others come before it, and which come after it: those that need it, or, backwards,
// those it needs.
func order(all []tfResource, backwards bool) (before map[tfResource]int, next map[tfResource][]tfResource) {
	before, next = map[tfResource]int{}, map[tfResource][]tfResource{}
	for _, r := range all {
		for _, need := range r.needs() {
			first, second := need, r
			if backwards {
				first, second = r, need
			}
			before[second]++
			next[first] = append(next[first], second)
		}
	}
	return before, next
}

// walk visits resources in order, as many at a time as Terraform's -parallelism says. When a visit fails, what had to come
// after it is left out, as in Terraform.
func (p *tfProvider) walk(ctx context.Context, all []tfResource, backwards bool, visit func(context.Context, tfResource) error) error {
	type result struct {
		of  tfResource
		err error
	}
	ready, results, pending := make(chan tfResource, len(all)), make(chan result), 0
	defer close(ready)
	begin := func(r tfResource) { pending++; ready <- r }
	for range p.parallelism {
		go func() {
			for r := range ready {
				results <- result{r, visit(ctx, r)}
			}
		}()
	}
	before, next := order(all, backwards)
	for _, r := range all {
		if before[r] == 0 {
			begin(r)
		}
	}
	var errs []error
	for ; pending > 0; pending-- {
		done := <-results
		if done.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", done.of.address(), done.err))
			continue
		}
		for _, r := range next[done.of] {
			if before[r]--; before[r] == 0 {
				begin(r)
			}
		}
	}
	return errors.Join(errs...)
}

// refresh reads everything that is in the state, which `terraform plan`, `apply` and `destroy` begin with.
func (p *tfProvider) refresh(ctx context.Context, all []tfResource) error {
	return p.walk(ctx, all, false, func(ctx context.Context, r tfResource) error {
		if !r.inState() {
			return nil
		}
		err := r.read(ctx, p)
		if errors.Is(err, errGone) {
			r.forget()
			return nil
		}
		return err
	})
}

// apply is `terraform apply`.
func (p *tfProvider) apply(ctx context.Context, all []tfResource) error {
	if err := p.refresh(ctx, all); err != nil {
		return fmt.Errorf("refresh before apply: %w", err)
	}
	return p.walk(ctx, all, false, func(ctx context.Context, r tfResource) error {
		switch {
		case !r.inState():
			return r.create(ctx, p)
		case r.plan() != "":
			return r.update(ctx, p)
		}
		return nil
	})
}

// settled is `terraform plan`, which must have nothing to do.
func (p *tfProvider) settled(ctx context.Context, all []tfResource) error {
	if err := p.refresh(ctx, all); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	var errs []error
	for _, r := range all {
		if diff := r.plan(); diff != "" {
			errs = append(errs, fmt.Errorf("plan is not empty: %s: %s", r.address(), diff))
		}
	}
	return errors.Join(errs...)
}

// destroy is `terraform destroy`.
func (p *tfProvider) destroy(ctx context.Context, all []tfResource) error {
	if err := p.refresh(ctx, all); err != nil {
		return fmt.Errorf("refresh before destroy: %w", err)
	}
	return p.walk(ctx, all, true, func(ctx context.Context, r tfResource) error {
		if !r.inState() {
			return nil
		}
		if err := r.delete(ctx, p); err != nil {
			return err
		}
		r.forget()
		return nil
	})
}
