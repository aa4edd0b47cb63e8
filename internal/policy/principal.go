package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Principal is who asks.
type Principal struct {
	Account string // account id of the caller; empty for a federated or service principal
	ARN     string // the caller's own ARN: of the user, of the role session, or of the account's root
	Issuer  string // of a session: ARN of the role, or of the user, that it was issued from

	Federated string // identity provider behind AssumeRoleWithSAML or AssumeRoleWithWebIdentity
	Service   string // AWS service that calls on its own behalf
}

// principals is a compiled Principal or NotPrincipal.
type principals struct {
	not        bool
	everyone   bool // "*"
	anyAWS     bool // {"AWS": "*"}
	accounts   []string
	arns       []string
	federated  []string
	services   []string
	unresolved []string // unique ids of deleted principals and canonical users, which nobody here has
}

// grant is how far an Allow of a resource policy reaches, by how it names the caller (S37).
type grant uint8

const (
	noGrant   grant = iota
	delegated       // names the account: the account's own policies decide
	capped          // names the role, or everybody: a boundary and session policies still limit it
	direct          // names this very caller: nothing in the same account limits it but a Deny
)

// reach says how the list names the caller.
func (ps *principals) reach(p *Principal) grant {
	if p.Account == "" {
		if ps.everyone || listed(ps.federated, p.Federated) || listed(ps.services, p.Service) {
			return direct
		}
		return noGrant
	}
	account := slices.Contains(ps.accounts, p.Account)
	switch {
	case slices.Contains(ps.arns, p.ARN), account && p.ARN == rootARN(p):
		return direct
	case ps.everyone, ps.anyAWS, p.Issuer != "" && slices.Contains(ps.arns, p.Issuer):
		return capped
	case account:
		return delegated
	}
	return noGrant
}

// spares says whether NotPrincipal exempts the caller. AWS wants every identity listed that the
// caller has: a session's own ARN, its role's, and the account's.
func (ps *principals) spares(p *Principal) bool {
	if ps.everyone || p.Account == "" {
		return ps.reach(p) != noGrant
	}
	return ps.anyAWS || slices.Contains(ps.accounts, p.Account) &&
		(p.ARN == rootARN(p) || slices.Contains(ps.arns, p.ARN)) &&
		(p.Issuer == "" || slices.Contains(ps.arns, p.Issuer))
}

// denies says whether a Deny with this principal is about the caller.
func (ps *principals) denies(p *Principal) bool {
	if ps.not {
		return !ps.spares(p)
	}
	return ps.reach(p) != noGrant
}

func listed(names []string, name string) bool {
	return name != "" && (slices.Contains(names, name) || slices.Contains(names, "*"))
}

// rootARN is the ARN of the root of the caller's account, in the caller's partition.
func rootARN(p *Principal) string {
	partition := "aws"
	if parts := strings.SplitN(p.ARN, ":", 3); len(parts) == 3 {
		partition = parts[1]
	}
	return "arn:" + partition + ":iam::" + p.Account + ":root"
}

func readPrincipals(n node) (*principals, error) {
	ps := &principals{}
	if n.kind == isText && n.text == "*" {
		ps.everyone = true
		return ps, nil
	}
	if n.kind != isObject || len(n.fields) == 0 {
		return nil, errors.New(`Principal must be "*" or an object such as {"AWS": "111122223333"}`)
	}
	for _, f := range n.fields {
		names, err := f.value.strings("Principal", false)
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("the principal type %s lists nobody", f.name)
		}
		if err := ps.add(f.name, names); err != nil {
			return nil, err
		}
	}
	return ps, nil
}

func (ps *principals) add(kind string, names []string) error {
	switch kind {
	case "AWS":
		for _, name := range names {
			if err := ps.addAWS(name); err != nil {
				return err
			}
		}
		return nil
	case "Federated":
		ps.federated = append(ps.federated, names...)
	case "Service":
		ps.services = append(ps.services, names...)
	case "CanonicalUser":
		ps.unresolved = append(ps.unresolved, names...)
	default:
		return fmt.Errorf("unknown principal type %s: it is one of AWS, Federated, Service and CanonicalUser", kind)
	}
	if slices.Contains(names, "") {
		return fmt.Errorf("invalid principal in policy: %q:%q", kind, "")
	}
	return nil
}

// addAWS adds "*", an account, the ARN of a principal, or the unique id that AWS puts in the place of
// a deleted one.
func (ps *principals) addAWS(name string) error {
	if name == "*" {
		ps.anyAWS = true
		return nil
	}
	if isAccount(name) {
		ps.accounts = append(ps.accounts, name)
		return nil
	}
	parts := strings.SplitN(name, ":", 6)
	switch {
	case len(parts) == 1 && len(name) >= 16 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == "":
		ps.unresolved = append(ps.unresolved, name)
	case len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" && parts[2] != "sts" || !isAccount(parts[4]) || strings.ContainsAny(name, "*?"):
		return fmt.Errorf("invalid principal in policy: %q:%q", "AWS", name)
	case parts[2] == "iam" && parts[5] == "root":
		ps.accounts = append(ps.accounts, parts[4])
	default:
		ps.arns = append(ps.arns, name)
	}
	return nil
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}
