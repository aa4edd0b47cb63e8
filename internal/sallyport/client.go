package sallyport

import (
	"context"
	"fmt"
	"slices"
	"strings"

	api "sallyport/internal/awsapi/sallyport"
	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/page"
	"sallyport/internal/session"
	"sallyport/internal/store"
)

// ListClients lists the clients that have live sessions or are blocked, by key.
func (*Service) ListClients(_ context.Context, c *endpoint.Call, in *api.ListClientsRequest) (*api.ListClientsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	used, moreUsed, err := c.Tx.Clients("", q)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	denied, moreDenied, err := c.Tx.DeniedClients(q)
	if err != nil {
		return nil, fmt.Errorf("list blocked clients: %w", err)
	}
	all := merge(used, denied)
	var next page.Key
	if len(all) > q.Limit || moreUsed != nil || moreDenied != nil {
		all = all[:min(len(all), q.Limit)] // complete so far: each list goes at least as far
		next = page.Key{all[len(all)-1].ClientKey}
	}
	return &api.ListClientsResponse{Clients: all, NextToken: c.NextToken(next)}, nil
}

// merge is both lists as one, by key.
func merge(used []store.Client, denied []store.DeniedClient) []api.Client {
	all := mapped(used, clientOut)
	for _, d := range denied {
		i, found := slices.BinarySearchFunc(all, d.Key, func(c api.Client, key string) int { return strings.Compare(c.ClientKey, key) })
		if !found {
			all = slices.Insert(all, i, api.Client{ClientKey: d.Key})
		}
		all[i].Blocked = true
	}
	return all
}

func clientOut(r store.Client) api.Client {
	return api.Client{ClientKey: r.Key, ClientName: optional(r.Name), Sessions: count(r.Sessions), LastUsedAt: when(r.SeenAt)}
}

// ListMyClients lists the clients that have live sessions of the caller, by key.
func (*Service) ListMyClients(_ context.Context, c *endpoint.Call, in *api.ListMyClientsRequest) (*api.ListMyClientsResponse, error) {
	q, err := c.Page(in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	rows, next, err := c.Tx.Clients(c.Caller.UserID, q)
	if err != nil {
		return nil, fmt.Errorf("list clients: %w", err)
	}
	out := mapped(rows, clientOut)
	for i := range out {
		if out[i].Blocked, err = c.Tx.ClientDenied(out[i].ClientKey); err != nil {
			return nil, fmt.Errorf("read deny list: %w", err)
		}
	}
	return &api.ListMyClientsResponse{Clients: out, NextToken: c.NextToken(next)}, nil
}

// BlockClient ends the sessions of a client and lets it start no others. One that nobody has approved yet is known by its id
// alone, so any key may be blocked.
func (s *Service) BlockClient(_ context.Context, c *endpoint.Call, in *api.BlockClientRequest) (*api.BlockClientResponse, error) {
	_, err := s.Sessions.Block(c.Tx, in.ClientKey, c.Caller.ARN)
	return &api.BlockClientResponse{}, err
}

// UnblockClient lets a blocked client start sessions again.
func (*Service) UnblockClient(_ context.Context, c *endpoint.Call, in *api.UnblockClientRequest) (*api.UnblockClientResponse, error) {
	if err := c.Tx.AllowClient(in.ClientKey); err != nil {
		return nil, missing(err, typeClient, in.ClientKey, "allow client")
	}
	return &api.UnblockClientResponse{}, nil
}

// EndMyClient ends the sessions that a client has of the caller.
func (s *Service) EndMyClient(_ context.Context, c *endpoint.Call, in *api.EndMyClientRequest) (*api.EndMyClientResponse, error) {
	known, err := session.Knows(c.Tx, in.ClientKey, c.Caller.UserID)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, fault.Missing(typeClient, in.ClientKey)
	}
	n, err := s.Sessions.EndClientOf(c.Tx, in.ClientKey, c.Caller.UserID, c.Caller.UserID)
	return &api.EndMyClientResponse{Ended: count(int64(n))}, err
}
