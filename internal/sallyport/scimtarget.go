package sallyport

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"sallyport/internal/audit"
	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/scimpush"
	"sallyport/internal/store"
)

// CreateScimTarget has people and groups pushed to another server.
func (s *Service) CreateScimTarget(_ context.Context, c *endpoint.Call, in *api.CreateScimTargetRequest) (*api.CreateScimTargetResponse, error) {
	change := targetChange(in.Dialect, in.Deprovision, in.RequestsPerSecond, in.Groups)
	change.Name, change.URL, change.Token = &in.Name, &in.Url, &in.Token
	t, err := scimpush.Create(c.Tx, s.OperatorKeys, s.Login.Store, change, c.Caller.ARN)
	if err != nil {
		return nil, wrap(err, "create SCIM target")
	}
	out, err := targetOut(c.Tx, t)
	return &api.CreateScimTargetResponse{ScimTarget: out}, err
}

func targetChange(dialect *api.ScimDialect, deprovision *api.ScimDeprovision, rate *int32, groups []string) (c scimpush.Change) {
	if dialect != nil {
		c.Dialect = new(store.Dialect(*dialect))
	}
	if deprovision != nil {
		c.Deprovision = new(store.Deprovision(*deprovision))
	}
	if rate != nil {
		c.Rate = new(int(*rate))
	}
	if groups != nil {
		c.Groups = &groups
	}
	return c
}

// UpdateScimTarget changes a target.
func (s *Service) UpdateScimTarget(_ context.Context, c *endpoint.Call, in *api.UpdateScimTargetRequest) (*api.UpdateScimTargetResponse, error) {
	change := targetChange(in.Dialect, in.Deprovision, in.RequestsPerSecond, in.Groups)
	change.Name, change.URL, change.Token = in.Name, in.Url, in.Token
	if in.State != nil {
		change.State = new(store.TargetState(*in.State))
	}
	t, err := scimpush.Update(c.Tx, s.OperatorKeys, s.Login.Store, in.TargetId, change)
	if err != nil {
		return nil, wrap(err, "update SCIM target")
	}
	out, err := targetOut(c.Tx, t)
	return &api.UpdateScimTargetResponse{ScimTarget: out}, err
}

// DeleteScimTarget ends the pushing to a target.
func (s *Service) DeleteScimTarget(_ context.Context, c *endpoint.Call, in *api.DeleteScimTargetRequest) (*api.DeleteScimTargetResponse, error) {
	return &api.DeleteScimTargetResponse{}, wrap(scimpush.Delete(c.Tx, s.Login.Store, in.TargetId), "delete SCIM target")
}

// ListScimTargets lists the targets.
func (s *Service) ListScimTargets(_ context.Context, c *endpoint.Call, in *api.ListScimTargetsRequest) (*api.ListScimTargetsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	all, err := c.Tx.SCIMTargets(s.Login.Store)
	if err != nil {
		return nil, fmt.Errorf("list SCIM targets: %w", err)
	}
	rows, next := paged(all, q, func(t store.SCIMTarget) string { return t.Name })
	out := &api.ListScimTargetsResponse{ScimTargets: []api.ScimTarget{}, NextToken: c.NextToken(next)}
	for _, t := range rows { // twenty at most
		one, err := targetOut(c.Tx, t)
		if err != nil {
			return nil, err
		}
		out.ScimTargets = append(out.ScimTargets, one)
	}
	return out, nil
}

// DescribeScimTarget tells how the pushing to a target goes.
func (s *Service) DescribeScimTarget(_ context.Context, c *endpoint.Call, in *api.DescribeScimTargetRequest) (*api.DescribeScimTargetResponse, error) {
	t, err := scimpush.Target(c.Tx, s.Login.Store, in.TargetId)
	if err != nil {
		return nil, err
	}
	b, err := c.Tx.Backlog(t.ID)
	if err != nil {
		return nil, fmt.Errorf("count what waits: %w", err)
	}
	out, err := targetOut(c.Tx, t)
	return &api.DescribeScimTargetResponse{ScimTarget: out, Waiting: count(b.Records), Failed: count(b.Failed), OldestChangeAt: when(b.Oldest)}, err
}

func targetOut(tx *store.Tx, t store.SCIMTarget) (api.ScimTarget, error) {
	out := api.ScimTarget{
		TargetId: t.ID, Name: t.Name, Url: t.URL, Dialect: api.ScimDialect(t.Dialect), State: api.ScimTargetStatus(t.State), Deprovision: api.ScimDeprovision(t.Deprovision),
		RequestsPerSecond: count(int64(t.Rate)), CreatedAt: t.CreatedAt, LastError: optional(t.LastError), LastErrorAt: when(t.ErrorAt), LastPushedAt: when(t.PushedAt),
		LastSyncAt: when(t.SyncedAt), Pushed: count(t.Pushed), ResumesAt: when(t.ResumeAt), SyncPhase: optional(t.Phase), UnknownThere: count(t.Strangers),
	}
	if t.Everyone {
		return out, nil
	}
	var err error
	out.Groups, err = tx.TargetGroups(t.ID)
	return out, wrap(err, "list groups of SCIM target")
}

// StartScimTargetSync compares both sides. It is Direct: a dry run asks the other server, which takes longer than a transaction may.
func (s *Service) StartScimTargetSync(ctx context.Context, c *endpoint.Call, in *api.StartScimTargetSyncRequest) (*api.StartScimTargetSyncResponse, error) {
	prune := in.Prune != nil && *in.Prune
	if in.DryRun == nil || !*in.DryRun {
		err := c.DB.Update(ctx, func(tx *store.Tx) error {
			if _, err := scimpush.Sync(tx, s.Login.Store, in.TargetId, prune); err != nil {
				return err
			}
			e := *c.Event // anew for every try
			return e.Store(tx)
		})
		return &api.StartScimTargetSyncResponse{}, wrap(err, "begin comparison")
	}
	plan, err := s.Push.Plan(ctx, in.TargetId, prune)
	if said := scimpush.Explain(err); said != "" {
		return nil, fault.Invalidf("Both sides cannot be compared. %s", said)
	}
	if err != nil {
		return nil, wrap(err, "compare")
	}
	return planOut(plan), wrap(audit.Record(ctx, c.DB, c.Event), "record call")
}

func planOut(p scimpush.Plan) *api.StartScimTargetSyncResponse {
	out := &api.StartScimTargetSyncResponse{
		Complete: &p.Complete, Counts: []api.ScimPlannedCount{},
		Changes: mapped(p.Items, func(i scimpush.Item) api.ScimPlannedChange {
			return api.ScimPlannedChange{Change: api.ScimPlannedKind(i.Change), LocalId: optional(i.ID), RemoteId: optional(i.Remote), Name: optional(i.Name), GroupId: optional(i.Group)}
		}),
	}
	for _, k := range slices.Sorted(maps.Keys(p.Counts)) {
		out.Counts = append(out.Counts, api.ScimPlannedCount{Change: api.ScimPlannedKind(k), Count: count(int64(p.Counts[k]))})
	}
	return out
}

// ListScimTargetErrors lists what a target has not taken.
func (s *Service) ListScimTargetErrors(_ context.Context, c *endpoint.Call, in *api.ListScimTargetErrorsRequest) (*api.ListScimTargetErrorsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken, in.TargetId)
	if err != nil {
		return nil, err
	}
	t, err := scimpush.Target(c.Tx, s.Login.Store, in.TargetId)
	if err != nil {
		return nil, err
	}
	all, next, err := c.Tx.DirtyErrors(t.ID, q)
	if err != nil {
		return nil, fmt.Errorf("list errors: %w", err)
	}
	out := &api.ListScimTargetErrorsResponse{ScimTargetErrors: []api.ScimTargetError{}, NextToken: c.NextToken(next, in.TargetId)}
	for _, d := range all { // at most a page
		out.ScimTargetErrors = append(out.ScimTargetErrors, api.ScimTargetError{
			Kind: api.ScimTargetErrorKind(d.Kind), LocalId: d.ID, Name: optional(nameOf(c.Tx, d)), Error: d.Error, Attempts: count(int64(d.Attempts)), Since: d.Since, RetryAt: d.DueAt,
		})
	}
	return out, nil
}

// nameOf is the name of a record that is pushed; "" of one that is gone.
func nameOf(tx *store.Tx, d store.SCIMDirty) string {
	if d.Kind == store.PushUser {
		u, _ := tx.User(d.ID)
		return u.UserName
	}
	g, _ := tx.Group(d.ID)
	return g.DisplayName
}
