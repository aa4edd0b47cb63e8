package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sallyport/internal/store"
)

// beginning is how far a deployment has come from its first start: until a person administers it, and the operator's key,
// which needs no second factor, is switched off.
type beginning struct {
	made     bool              // somebody has followed the founding link
	signedIn bool              // and has signed in since
	keys     []store.AccessKey // of the operator, that work
}

// over says whether nothing is left to do.
func (b beginning) over() bool { return b.signedIn && len(b.keys) == 0 }

func (s *Server) beginning(ctx context.Context) (b beginning, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		b = beginning{}
		first, err := tx.Meta(metaFounded)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if b.made = err == nil; b.made {
			in, err := tx.SignInState(first)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("load first administrator's sign-in: %w", err)
			}
			b.signedIn = !in.SignedInAt.IsZero()
		}
		b.keys, err = s.operatorKeys(tx)
		return err
	})
	return b, err
}

// operatorKeys are the keys of the operator that work.
func (s *Server) operatorKeys(tx *store.Tx) (work []store.AccessKey, err error) {
	u, err := tx.IAMUser(s.instance.Owner, operator)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load operator: %w", err)
	}
	all, err := tx.AccessKeys(u.ID)
	if err != nil {
		return nil, fmt.Errorf("list operator's keys: %w", err)
	}
	for _, k := range all {
		if k.Status == store.KeyActive {
			work = append(work, k)
		}
	}
	return work, nil
}

// warnBeginning puts into the log what is left to do.
func (s *Server) warnBeginning(ctx context.Context, log *slog.Logger) error {
	b, err := s.beginning(ctx)
	if err != nil || b.over() {
		return err
	}
	switch {
	case !b.made:
		log.Warn("there is no administrator yet", "todo", "open the link that this start has printed")
	case !b.signedIn:
		log.Warn("the first administrator has not signed in yet", "todo", "sallyport users invite NAME --data "+s.cfg.Data+" makes another link")
	default:
		var ids []string
		last := "never"
		for _, k := range b.keys {
			if ids = append(ids, k.ID); !k.UsedAt.IsZero() {
				last = k.UsedAt.UTC().Format(time.RFC3339)
			}
		}
		log.Warn("the operator's key works, and needs no second factor", "access_key_ids", ids, "last_used", last,
			"todo", "sallyport operator disable --data "+s.cfg.Data)
	}
	return nil
}

// watchBeginning lets monitoring see what is left to do.
func (s *Server) watchBeginning() {
	gauge := func(name, help string, value func(beginning) int) {
		s.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			ctx, stop := context.WithTimeout(context.Background(), time.Second)
			defer stop()
			b, err := s.beginning(ctx)
			if err != nil {
				return math.NaN()
			}
			return float64(value(b))
		}))
	}
	gauge("sallyport_operator_keys_active", "Access keys of the operator that work. None should, once people administer.", func(b beginning) int { return len(b.keys) })
	gauge("sallyport_first_administrator", "1 once the first administrator has signed in.", func(b beginning) int {
		if b.signedIn {
			return 1
		}
		return 0
	})
}
