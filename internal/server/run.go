package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"sallyport/internal/clock"
	"sallyport/internal/config"
	"sallyport/internal/fault"
	"sallyport/internal/qr"
	"sallyport/internal/store"
	"sallyport/internal/totp"
)

// Serve runs a production server until ctx ends.
func Serve(ctx context.Context, cfg *config.Config, out io.Writer) error {
	return start(ctx, cfg, out, newBlueprint(cfg.Region), func(s *Server) error {
		return errors.Join(s.operatorFile(ctx, out), s.foundingLink(ctx, out), s.warnBeginning(ctx, s.log))
	})
}

// Dev runs a throwaway world until ctx ends.
func Dev(ctx context.Context, cfg *config.Config, out io.Writer) error {
	return start(ctx, cfg, out, sampleBlueprint(cfg.Region, cfg.Accounts), func(s *Server) error { return s.devFile(ctx, out) })
}

// start listens, opens everything, lets greet write what the operator needs, and serves.
func start(ctx context.Context, cfg *config.Config, out io.Writer, plan blueprint, greet func(*Server) error) (err error) {
	f, err := listen(cfg)
	if err != nil {
		return err
	}
	defer f.close()
	if err := cfg.Complete(); err != nil {
		return err
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fault.Invalidf("The data directory cannot be made: %v.", err)
	}
	db, err := store.Open(ctx, cfg.DSN(), clock.System{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s, err := open(ctx, cfg, db, plan)
	if err != nil {
		return err
	}
	if err := greet(s); err != nil {
		return err
	}
	debug.FreeOSMemory() // a first start reads migrations and hashes passwords: 50 MB that are not needed again
	return s.serve(ctx, f, out)
}

// serve answers requests until ctx ends, then drains: no new connections, requests end, workers end, events are shipped.
func (s *Server) serve(ctx context.Context, f *front, out io.Writer) error {
	workers, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	done := s.work(workers)
	servers := f.servers(s.proxied(s.handler()))
	ended := f.serve(servers)
	if f.acme != nil {
		go f.watchACME(workers)
	}
	fmt.Fprintf(out, "ready %s\n", s.endpoint())
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		s.stopping.Store(true)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		if err := f.stop(drain, servers, ended); err != nil {
			s.log.Warn("requests were cut off", "error", err)
		}
	}
	stopWorkers()
	<-done
	return err
}

// endpoint is the address for SDKs.
func (s *Server) endpoint() string {
	if s.cfg.Dev {
		return "http://" + s.cfg.Listen
	}
	return s.cfg.URL
}

// worldFile is what both kinds of servers write.
func (s *Server) worldFile() WorldFile {
	return WorldFile{
		Endpoint: s.endpoint(), Region: s.instance.Region, StartURL: s.instance.StartURL, PortalURL: s.cfg.URL + "/portal",
		ConsoleURL: s.cfg.URL + "/console", InstanceARN: s.instance.ID.ARN(), IdentityStoreID: s.instance.StoreID,
		ManagementAccountID: s.instance.Owner,
	}
}

// operatorFile writes DIR/operator.json at the first start. Only its path is printed.
func (s *Server) operatorFile(ctx context.Context, out io.Writer) error {
	return operatorKey(ctx, s.db, s.ring, s.instance.Owner, func(k OperatorKey) error {
		w := s.worldFile()
		w.Operator = k
		fmt.Fprintf(out, "The operator's credentials are in %s\n", filepath.Join(s.cfg.Data, operatorFile))
		return w.write(s.cfg.Data, operatorFile)
	})
}

// devFile writes DIR/dev.json: at the first start with the sample people, later with the addresses of this start.
func (s *Server) devFile(ctx context.Context, out io.Writer) error {
	w := s.worldFile()
	if s.made {
		users, groups, err := samplePeople(ctx, s.db, s.login)
		if err != nil {
			return fmt.Errorf("make sample people: %w", err)
		}
		w.Users, w.Groups = users, groups
		plan := sampleBlueprint(s.cfg.Region, s.cfg.Accounts)
		for _, a := range append([]store.Account{plan.management}, plan.members...) {
			w.Accounts = append(w.Accounts, SampleAccount{a.ID, a.Name})
		}
		err = operatorKey(ctx, s.db, s.ring, s.instance.Owner, func(k OperatorKey) error {
			w.Operator = k
			return w.write(s.cfg.Data, devFile)
		})
		if err != nil {
			return err
		}
	} else {
		was, err := ReadWorldFile(s.cfg.Data)
		if err != nil {
			return fault.Invalidf("The throwaway world in %s was not finished: delete the directory and start again.", s.cfg.Data)
		}
		w.Operator, w.Users, w.Groups, w.Accounts = was.Operator, was.Users, was.Groups, was.Accounts
		if err := w.write(s.cfg.Data, devFile); err != nil {
			return err
		}
	}
	return s.welcome(out, w)
}

func (s *Server) welcome(out io.Writer, w WorldFile) error {
	dir, first := s.cfg.Data, w.Users[enrolledOne]
	var b strings.Builder
	fmt.Fprintf(&b, "A throwaway identity center, for this machine only. Everything about it: %s\n\n", filepath.Join(dir, devFile))
	fmt.Fprintf(&b, "  operate   eval \"$(sallyport env --data %s)\"; aws sso-admin list-instances\n", dir)
	fmt.Fprintf(&b, "  sign in   %s as %s, password and TOTP secret in dev.json; or as %s, who registers a device first\n", w.PortalURL, first.UserName, w.Users[1].UserName)
	fmt.Fprintf(&b, "  CLI       sallyport aws-config --portal %s --write\n\n", strings.TrimSuffix(w.PortalURL, "/portal"))
	if s.cfg.QR {
		code, err := drawn(first)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  %s's authenticator app: scan this, or type %s\n\n%s\n", first.UserName, first.TOTPSecret, code)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// drawn is a sample person's TOTP secret as authenticator apps scan it.
func drawn(u SampleUser) (string, error) {
	seed, err := totp.ParseSeed(u.TOTPSecret)
	if err != nil {
		return "", fmt.Errorf("read sample TOTP secret: %w", err)
	}
	return qr.Terminal(seed.URI("Sallyport", u.UserName))
}
