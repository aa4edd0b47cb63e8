package sallyport

import (
	"context"
	"strings"

	"sallyport/internal/access"
	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/policy"
	"sallyport/internal/store"
	"sallyport/internal/vend"
)

// GetAccessDecision tells whether a user may do something, and why.
func (s *Service) GetAccessDecision(_ context.Context, c *endpoint.Call, in *api.GetAccessDecisionRequest) (*api.GetAccessDecisionResponse, error) {
	i, now, err := s.past(c, in.InstanceArn, nil)
	if err != nil {
		return nil, err
	}
	q := access.Question{Account: arn.AccountID(in.AccountId), Action: in.Action, Resource: in.Resource, Context: map[string][]string{}}
	for _, k := range in.Context {
		name := strings.ToLower(k.Key)
		if _, twice := q.Context[name]; twice {
			return nil, fault.Invalidf("The condition key %s is there twice.", k.Key)
		}
		q.Context[name] = k.Values
	}
	if in.PermissionSetArn != nil {
		if _, q.Set, err = s.named(c, in.InstanceArn, *in.PermissionSetArn); err != nil {
			return nil, err
		}
	}
	if q.User, err = userThen(c, i, in.UserId, in.UserName, now); err != nil {
		return nil, err
	}
	q.SessionName = vend.SessionName(q.User.Name, q.User.ID)
	answers, err := access.Explain(c.Tx, i, q, func(r store.Role) policy.Layers { return s.RoleLayers(c.Tx, r) })
	if err != nil {
		return nil, err
	}
	out := &api.GetAccessDecisionResponse{
		UserId: q.User.ID, UserName: q.User.Name, UserStatus: api.AccessUserStatus(q.User.Status), Decisions: mapped(answers, decisionOut), Nearest: []string{},
	}
	if len(answers) == 0 {
		out.Nearest, err = access.Nearest(c.Tx, i, q)
	}
	return out, err
}

func decisionOut(a access.Answer) api.AccessDecision {
	out := api.AccessDecision{
		Allowed: a.Decision.Allowed, Explicit: a.Decision.Explicit, Layer: string(a.Decision.Layer), PolicyName: optional(a.Decision.Policy),
		StatementId: optional(a.Decision.Sid), PermissionSetArn: a.Set.ARN(), PermissionSetName: a.Name, RoleArn: a.Role.ARN(),
		Paths: mapped(a.Paths, pathOut), KeysNotGiven: a.Asked,
	}
	if out.KeysNotGiven == nil {
		out.KeysNotGiven = []string{}
	}
	if n := a.Decision.Statement; n > 0 {
		number := count(int64(n))
		out.Statement = &number
	}
	return out
}
