package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/fault"
	"sallyport/internal/keyring"
	"sallyport/internal/mail"
	"sallyport/internal/store"
)

// Kinds of targets.
const (
	Webhook = "WEBHOOK" // signed JSON
	Slack   = "SLACK"   // {"text": …}, as Slack, Mattermost and others take it
	Email   = "EMAIL"
	Syslog  = "SYSLOG" // RFC 5424 over TLS, or over TCP to a relay on this machine
)

// Target is a target as an operator gives it.
type Target struct {
	Name        string
	Kind        string
	Place       string // URL or address
	Secret      string // of a webhook: signs; "": nothing does
	Authority   string // of a syslog server: PEM of who signs its certificate; "": the machine's authorities
	MinSeverity string
}

// PutTarget adds a target, or changes the one of its name, whose kind stays.
func PutTarget(tx *store.Tx, keys *keyring.Ring, in Target, by string) (store.AlertTarget, error) {
	if in.MinSeverity == "" {
		in.MinSeverity = Low
	}
	if err := in.check(); err != nil {
		return store.AlertTarget{}, err
	}
	all, err := Targets(tx)
	if err != nil {
		return store.AlertTarget{}, err
	}
	t := store.AlertTarget{ID: arn.NewUUID(), Name: in.Name, Kind: in.Kind, CreatedAt: tx.Now(), CreatedBy: by}
	if i := slices.IndexFunc(all, func(t store.AlertTarget) bool { return t.Name == in.Name }); i >= 0 {
		if all[i].Kind != in.Kind {
			return t, fault.Conflictf("The target %q is of the kind %s: delete it first.", in.Name, all[i].Kind)
		}
		t = all[i]
		if err := former(tx, keys, t); err != nil {
			return t, err
		}
	} else if len(all) >= maxTargets {
		return t, fault.Quotaf("There are %d alert targets, as many as there may be.", len(all))
	}
	t.MinSeverity, t.Failures, t.ResumeAt, t.Problem = in.MinSeverity, 0, time.Time{}, ""
	t.Place = keys.SealRecord("alert_target", "place", t.ID, []byte(in.Place))
	t.Secret = nil
	if more := in.Secret + in.Authority; more != "" { // one of them, by the kind
		t.Secret = keys.SealRecord("alert_target", "secret", t.ID, []byte(more))
	}
	err = tx.PutAlertTarget(t)
	if errors.Is(err, store.ErrExists) {
		return t, fault.Conflictf("There is a target %q already.", t.Name)
	}
	return t, errors.Join(wrap(err, "store alert target"), changed(tx))
}

func (in Target) check() error {
	if !slices.Contains(severities, in.MinSeverity) {
		return fault.Invalidf("The severity %q will not do: it is one of %s.", in.MinSeverity, strings.Join(severities, ", "))
	}
	if in.Secret != "" && in.Kind != Webhook {
		return fault.Invalidf("A secret signs what goes to a webhook: nothing else has one.")
	}
	if in.Authority != "" && in.Kind != Syslog {
		return fault.Invalidf("An authority of certificates is for a syslog server: other servers are known by the machine's.")
	}
	switch in.Kind {
	case Syslog:
		return syslogConfig(in.Place, in.Authority).check()
	case Webhook, Slack:
		return checkURL(in.Place)
	case Email:
		return mail.CheckAddress(in.Place)
	}
	return fault.Invalidf("The kind %q will not do: it is one of %s, %s, %s, %s.", in.Kind, Webhook, Slack, Email, Syslog)
}

// checkURL wants TLS, but for a server on this machine.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" || len(text) > 2048 {
		return fault.Invalidf("The URL will not do: expected https://host/path.")
	}
	host := u.Hostname()
	if u.Scheme == "https" || u.Scheme == "http" && (host == "localhost" || net.ParseIP(host).IsLoopback()) {
		return nil
	}
	return fault.Invalidf("The URL must begin with https://: only a server on this machine may do without.")
}

// Shown is what may be shown of a target's place: of a Slack-compatible URL, whose path is a secret, the host.
func Shown(keys *keyring.Ring, t store.AlertTarget) string {
	place, err := keys.OpenRecord("alert_target", "place", t.ID, t.Place)
	if err != nil {
		return ""
	}
	if u, err := url.Parse(string(place)); t.Kind != Email && err == nil {
		u.RawQuery = ""
		if t.Kind == Slack {
			return u.Scheme + "://" + u.Host + "/…"
		}
		return u.String()
	}
	return string(place)
}

// goneFor is how long a target that has gone still gets alerts of what happened before.
const goneFor = 24 * time.Hour

// former keeps the place that a target had for alerts of what happened before, of its being changed among them: so whoever has alerts sent
// elsewhere is told of where they were sent.
func former(tx *store.Tx, keys *keyring.Ring, t store.AlertTarget) error {
	old := t
	old.ID, old.StoodFor = arn.NewUUID(), t.ID
	for column, sealed := range map[string]*[]byte{"place": &old.Place, "secret": &old.Secret} {
		if len(*sealed) == 0 {
			continue
		}
		plain, err := keys.OpenRecord("alert_target", column, t.ID, *sealed)
		if err != nil {
			return fmt.Errorf("open %s of target: %w", column, err)
		}
		*sealed = keys.SealRecord("alert_target", column, old.ID, plain)
	}
	return gone(tx, old)
}

// gone makes a target one that has gone, under a name that no other can have.
func gone(tx *store.Tx, t store.AlertTarget) error {
	all, err := tx.AlertTargets()
	if err != nil {
		return fmt.Errorf("list alert targets: %w", err)
	}
	if len(all) >= maxTargets+maxFormer {
		return fault.Quotaf("Alert targets were changed %d times within a day, as often as they may be.", maxFormer)
	}
	t.Name, t.GoneAt = fmt.Sprintf("%s until %s (%s)", t.Name, tx.Now().Format(time.RFC3339), t.ID), tx.Now()
	return wrap(tx.PutAlertTarget(t), "keep former target")
}

// pruneTargets removes the targets that have gone long enough ago, with what waits for them.
func pruneTargets(tx *store.Tx) error {
	all, err := tx.AlertTargets()
	if err != nil {
		return fmt.Errorf("list alert targets: %w", err)
	}
	for _, t := range all { // a hundred or so
		if t.GoneAt.IsZero() || tx.Now().Sub(t.GoneAt) < goneFor {
			continue
		}
		if err := tx.DeleteAlertTarget(t.ID); err != nil {
			return fmt.Errorf("delete alert target: %w", err)
		}
	}
	return nil
}

// Targets are the targets that there are, by name.
func Targets(tx *store.Tx) ([]store.AlertTarget, error) {
	all, err := tx.AlertTargets()
	return slices.DeleteFunc(all, func(t store.AlertTarget) bool { return !t.GoneAt.IsZero() }), wrap(err, "list alert targets")
}

// DeleteTarget removes a target that no rule names.
func DeleteTarget(tx *store.Tx, name string) error {
	t, err := targetNamed(tx, name)
	if err != nil {
		return err
	}
	rules, err := tx.AlertRules()
	if err != nil {
		return fmt.Errorf("list alert rules: %w", err)
	}
	for _, r := range rules {
		if slices.Contains(r.Targets, t.ID) {
			return fault.Conflictf("The rule %q names the target %q: change the rule first.", r.Name, name)
		}
	}
	if err := gone(tx, t); err != nil {
		return err
	}
	return changed(tx)
}

func targetNamed(tx *store.Tx, name string) (store.AlertTarget, error) {
	all, err := Targets(tx)
	if err != nil {
		return store.AlertTarget{}, err
	}
	for _, t := range all {
		if t.Name == name {
			return t, nil
		}
	}
	f := fault.Missing(typeTarget, name)
	f.Message = fmt.Sprintf("There is no alert target %q: `sallyport alerts targets list` shows all.", name)
	return store.AlertTarget{}, f
}

// targetIDs are the ids of targets that are named.
func targetIDs(tx *store.Tx, names []string) ([]string, error) {
	var ids []string
	for _, name := range names { // few: a rule may name as many as there are
		t, err := targetNamed(tx, name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(ids, t.ID) {
			ids = append(ids, t.ID)
		}
	}
	return ids, nil
}

// hash tells one content of a rule from another: all but who made it, whether it is on and where its alerts go.
func hash(r store.AlertRule) string {
	b, _ := json.Marshal([]any{r.Name, r.Description, r.Severity, r.Pattern, r.Count, r.Window, append([]string{}, r.GroupBy...), r.Distinct, r.DedupWindow, append([]string{}, r.DedupKey...)})
	return digest(string(b))
}
