package sallyport

import (
	"context"
	"errors"
	"fmt"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// ListPermissionSetRevisions lists what a permission set was and is, even of one that is gone.
func (s *Service) ListPermissionSetRevisions(_ context.Context, c *endpoint.Call, in *api.ListPermissionSetRevisionsRequest) (*api.ListPermissionSetRevisionsResponse, error) {
	_, set, err := s.named(c, in.InstanceArn, in.PermissionSetArn)
	if err != nil {
		return nil, err
	}
	filter := []string{in.InstanceArn, set.ID}
	q, err := c.Page(in.MaxResults, in.NextToken, filter...)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.SetRevisions(set, q)
	if err != nil {
		return nil, fmt.Errorf("list revisions: %w", err)
	}
	if len(rows) == 0 && q.After == nil {
		return nil, fault.Missing(typeSet, set.ARN())
	}
	out := &api.ListPermissionSetRevisionsResponse{Revisions: make([]api.PermissionSetRevision, len(rows)), NextToken: c.NextToken(next, filter...)}
	for n, r := range rows {
		if out.Revisions[n], err = revisionOut(c.Tx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func revisionOut(tx *store.Tx, r store.SetRevision) (api.PermissionSetRevision, error) {
	out := api.PermissionSetRevision{
		Revision: count(r.Revision), Name: r.Name, Description: optional(r.Description), SessionDuration: r.SessionDuration, RelayState: optional(r.RelayState),
		ManagedPolicyArns: texts(r.Managed), CustomerManagedPolicies: mapped(r.Customer, customerOut),
		Since: markOut(r.Since), Until: endOut(r.Until),
	}
	if b := r.Boundary; b != nil {
		name := b.Managed
		if b.Customer != nil {
			name = customerOut(*b.Customer)
		}
		out.PermissionsBoundary = &name
	}
	if r.Inline == "" {
		return out, nil
	}
	document, err := tx.Document(r.Inline)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	out.InlinePolicy = &document
	return out, wrap(err, "load inline policy")
}

// customerOut is a reference to a customer managed policy in one text.
func customerOut(p store.CustomerPolicy) string { return p.Path + p.Name }
