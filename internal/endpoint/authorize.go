package endpoint

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/arn"
	"sallyport/internal/awsapi"
	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/policy"
	"sallyport/internal/setting"
	"sallyport/internal/store"
)

// authorize decides whether the caller may: first whether they are one who may ask for this at all, then by their policies, for
// every resource that the operation names.
func (a *API) authorize(tx *store.Tx, m *mount, op *awsapi.Operation[*Call], c *Call, in any) error {
	if op.Unsigned || contains(m.rule.Free, op.Name) {
		return nil
	}
	owner, err := a.admit(tx, m, op, c, in)
	if err != nil {
		return err
	}
	c.Event.RecipientAccountID = string(owner)
	layers, err := a.layers(tx, c.Caller)
	if err != nil {
		return fmt.Errorf("load the caller's policies: %w", err)
	}
	resources := op.ResourceARNs(in, map[string]string{"Account": string(owner), "Region": a.Region})
	tags := &tagCache{}
	for _, resource := range resources {
		resource = arn.Canonical(resource) // a policy that names the thing means it however the request spells it
		d := policy.Evaluate(policy.Request{
			Principal: policy.Principal{Account: string(c.Caller.Account), ARN: principal(c.Caller), Issuer: c.Caller.RoleARN},
			Action:    op.Action, Resource: resource, Context: conditions{c, tx.Now(), in, resource, tags},
		}, layers)
		if !d.Allowed {
			return fault.Deniedf("User: %s is not authorized to perform: %s on resource: %s %s", principal(c.Caller), op.Action, resource, d.Because())
		}
	}
	return nil
}

// layers are the caller's policies: of a user as they are attached now, of a role session as its role is provisioned now, of a
// person with a portal access token the built-in one.
func (a *API) layers(tx *store.Tx, c credential.Caller) (policy.Layers, error) {
	switch c.Kind {
	case credential.Bearer:
		return a.selfLayers(), nil
	case credential.IAMUser:
		attached, err := tx.UserPolicies(c.PrincipalID)
		if err != nil {
			return policy.Layers{}, err
		}
		var l policy.Layers
		for _, p := range attached {
			l.Identity = append(l.Identity, a.named(tx, p.Name, p.Document))
		}
		return l, nil
	}
	role, err := tx.Role(c.Account, c.RoleName)
	if errors.Is(err, store.ErrNotFound) || err == nil && role.ID != c.RoleID {
		return policy.Layers{}, fault.Unauthenticatedf(fault.AuthRevoked, "The role behind these credentials is gone.")
	}
	if err != nil {
		return policy.Layers{}, err
	}
	return a.roleLayers(tx, c, role), nil
}

// RoleLayers are the policies that sessions of a role are held against.
func (a *API) RoleLayers(tx *store.Tx, role store.Role) policy.Layers {
	return a.roleLayers(tx, credential.Caller{}, role)
}

func (a *API) roleLayers(tx *store.Tx, c credential.Caller, role store.Role) policy.Layers {
	var l policy.Layers
	for _, p := range role.Spec.Managed {
		l.Identity = append(l.Identity, a.named(tx, p.ARN, p.Document))
	}
	for _, p := range role.Spec.Customer {
		if named, ok := a.customer(tx, role.Account, p); ok {
			l.Identity = append(l.Identity, named)
		}
	}
	if role.Spec.Inline != "" {
		l.Identity = append(l.Identity, a.named(tx, "AwsSSOInlinePolicy", role.Spec.Inline))
	}
	if b := role.Spec.Boundary; b != nil {
		var named policy.Named
		if b.Document == "" {
			named, _ = a.customer(tx, role.Account, b.ARN)
		} else {
			named = a.named(tx, b.ARN, b.Document)
		}
		l.Boundary = &named
	}
	if c.SessionPolicy != "" {
		p, err := policy.Load([]byte(c.SessionPolicy))
		if err != nil {
			p = nil // unreadable: denies
		}
		l.Session = [][]policy.Named{{{Name: "session", Policy: p}}}
	}
	return l
}

// named loads a policy by the hash of its document. One whose document is gone or unreadable stays in its layer as nil,
// which denies.
func (a *API) named(tx *store.Tx, name, hash string) policy.Named {
	p, err := a.Policies.Load(hash, func() (string, error) { return tx.Document(hash) })
	if err != nil {
		return policy.Named{Name: name}
	}
	return policy.Named{Name: name, Policy: p}
}

// customer loads a customer managed policy as it is now. One that was deleted is none; one that can't be read denies.
func (a *API) customer(tx *store.Tx, account arn.AccountID, policyARN string) (named policy.Named, exists bool) {
	p, err := tx.AccountPolicy(account, policyARN[strings.LastIndexByte(policyARN, '/')+1:])
	if errors.Is(err, store.ErrNotFound) || err == nil && p.ARN() != policyARN {
		return policy.Named{Name: policyARN}, false
	}
	if err != nil {
		return policy.Named{Name: policyARN}, true
	}
	return a.named(tx, policyARN, p.Document), true
}

// conditions computes the global condition keys of a call, each only when a policy names it. Keys arrive in lower case.
type conditions struct {
	call     *Call
	now      time.Time
	in       any
	resource string
	tags     *tagCache
}

// Lookup is the values of a key, and whether the key is there.
func (c conditions) Lookup(key string) ([]string, bool) {
	caller := c.call.Caller
	switch key {
	case "aws:currenttime":
		return one(c.now.UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return one(strconv.FormatInt(c.now.Unix(), 10))
	case "aws:principalarn":
		if caller.RoleARN != "" {
			return one(caller.RoleARN)
		}
		return one(caller.ARN)
	case "aws:principalaccount":
		return one(string(caller.Account))
	case "aws:principaltype":
		switch caller.Kind {
		case credential.IAMUser:
			return one("User")
		case credential.RoleSession:
			return one("AssumedRole")
		}
		return nil, false
	case "aws:userid":
		return one(caller.PrincipalID)
	case "aws:username":
		if caller.Kind != credential.IAMUser { // a role session has none, whoever is behind it
			return nil, false
		}
		return one(caller.UserName)
	case "aws:sourceip":
		return one(c.call.Source.IP)
	case "aws:useragent":
		return one(c.call.Source.UserAgent)
	case "aws:requestedregion":
		return one(c.call.Region)
	case "aws:tokenissuetime":
		if caller.Kind == credential.IAMUser { // long-term keys have none
			return nil, false
		}
		return one(caller.Issued.UTC().Format(time.RFC3339))
	case "aws:sourceidentity":
		return one(caller.SourceIdentity)
	case "identitystore:userid":
		return one(caller.UserID)
	case "aws:multifactorauthpresent", "aws:multifactorauthage":
		return c.secondFactor(key)
	}
	if tag, ok := strings.CutPrefix(key, "aws:principaltag/"); ok {
		return c.tag(tag)
	}
	return c.tagged(key)
}

// secondFactor tells of the second factor at a person's sign-in, when the operator wants policies to know: AWS does not set these
// keys on such sessions. Without one the age is not there, as IAM has it.
func (c conditions) secondFactor(key string) ([]string, bool) {
	caller := c.call.Caller
	if caller.UserID == "" || c.call.Tx == nil {
		return nil, false
	}
	in, err := setting.Load(c.call.Tx)
	if err != nil || !in.MFAConditionKeys {
		return nil, false
	}
	if key == "aws:multifactorauthpresent" {
		return one(strconv.FormatBool(!caller.MFATime.IsZero()))
	}
	if caller.MFATime.IsZero() {
		return nil, false
	}
	return one(strconv.FormatInt(int64(c.now.Sub(caller.MFATime)/time.Second), 10))
}

// tag finds a session tag. Tag keys are compared without case, as AWS does in condition keys.
func (c conditions) tag(name string) ([]string, bool) {
	for k, v := range c.call.Caller.Tags {
		if strings.EqualFold(k, name) {
			return []string{v}, true
		}
	}
	return nil, false
}

func one(v string) ([]string, bool) {
	if v == "" {
		return nil, false
	}
	return []string{v}, true
}
