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

// GetAccessDecision tells whether a user may do something, or might at a time, and why.
func (s *Service) GetAccessDecision(_ context.Context, c *endpoint.Call, in *api.GetAccessDecisionRequest) (*api.GetAccessDecisionResponse, error) {
	i, at, err := s.past(c, in.InstanceArn, in.At)
	if err != nil {
		return nil, err
	}
	q, err := s.question(c, in)
	if err != nil {
		return nil, err
	}
	if q.User, err = userThen(c, i, in.UserId, in.UserName, at); err != nil {
		return nil, err
	}
	q.SessionName = vend.SessionName(q.User.Name, q.User.ID)
	answers, err := access.Explain(c.Tx, i, q, func(r store.Role) policy.Layers { return s.RoleLayers(c.Tx, r) })
	if err != nil {
		return nil, err
	}
	out := &api.GetAccessDecisionResponse{
		At: at, UserId: q.User.ID, UserName: q.User.Name, UserStatus: api.AccessUserStatus(q.User.Status),
		Decisions: mapped(answers, decisionOut), Nearest: []string{}, NotKnown: []string{},
	}
	if in.At != nil {
		out.NotKnown = access.NotKept()
	}
	if out.ForgottenBefore, err = forgotten(c, at); err != nil {
		return nil, err
	}
	if len(answers) == 0 {
		out.Nearest, err = access.Nearest(c.Tx, i, q)
	}
	return out, err
}

// question is what a request asks, without the user.
func (s *Service) question(c *endpoint.Call, in *api.GetAccessDecisionRequest) (access.Question, error) {
	q := access.Question{Account: arn.AccountID(in.AccountId), Action: in.Action, Resource: in.Resource, Context: map[string][]string{}}
	if in.At != nil {
		q.At = *in.At
	}
	for _, k := range in.Context {
		name := strings.ToLower(k.Key)
		if _, twice := q.Context[name]; twice {
			return q, fault.Invalidf("The condition key %s is there twice.", k.Key)
		}
		q.Context[name] = k.Values
	}
	if in.PermissionSetArn == nil {
		return q, nil
	}
	var err error
	_, q.Set, err = s.named(c, in.InstanceArn, *in.PermissionSetArn)
	return q, err
}

func decisionOut(a access.Answer) api.AccessDecision {
	out := api.AccessDecision{
		Allowed: a.Decision.Allowed && len(a.NotKnown) == 0, NotKnown: texts(a.NotKnown), Explicit: a.Decision.Explicit, Layer: string(a.Decision.Layer), PolicyName: optional(a.Decision.Policy),
		StatementId: optional(a.Decision.Sid), PermissionSetArn: a.Set.ARN(), PermissionSetName: a.Name, Paths: mapped(a.Paths, pathOut), KeysNotGiven: texts(a.Asked),
	}
	if a.Role.Name != "" {
		out.RoleArn = optional(a.Role.ARN())
	}
	if n := a.Decision.Statement; n > 0 {
		number := count(int64(n))
		out.Statement = &number
	}
	return out
}

// texts is a list that is there even where it is empty.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
