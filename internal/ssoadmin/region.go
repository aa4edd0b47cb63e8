package ssoadmin

import (
	"context"

	"sallyport/internal/access"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/endpoint"
	"sallyport/internal/page"
)

func regionOut(r access.RegionState) api.RegionMetadata {
	return api.RegionMetadata{RegionName: &r.Name, Status: new(api.RegionStatus(r.Status)), AddedDate: timestamp(r.AddedAt), IsPrimaryRegion: &r.Primary}
}

// AddRegion begins to extend an instance to a region.
func (s Service) AddRegion(_ context.Context, c *endpoint.Call, in *api.AddRegionRequest) (*api.AddRegionResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, noResourceError(err)
	}
	if err := access.AddRegion(c.Tx, i, in.RegionName, c.Limits); err != nil {
		return nil, err
	}
	return &api.AddRegionResponse{Status: new(api.RegionStatusAdding)}, nil
}

// RemoveRegion begins to take an instance out of a region that is not its primary one.
func (s Service) RemoveRegion(_ context.Context, c *endpoint.Call, in *api.RemoveRegionRequest) (*api.RemoveRegionResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if err := access.RemoveRegion(c.Tx, i, in.RegionName); err != nil {
		return nil, err
	}
	return &api.RemoveRegionResponse{Status: new(api.RegionStatusRemoving)}, nil
}

// DescribeRegion tells how far a region has come.
func (s Service) DescribeRegion(_ context.Context, c *endpoint.Call, in *api.DescribeRegionRequest) (*api.DescribeRegionResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	r, err := access.Region(i, in.RegionName, c.Tx.Now())
	if err != nil {
		return nil, err
	}
	m := regionOut(r)
	return &api.DescribeRegionResponse{RegionName: m.RegionName, Status: m.Status, AddedDate: m.AddedDate, IsPrimaryRegion: m.IsPrimaryRegion}, nil
}

// ListRegions lists an instance's regions by name.
func (s Service) ListRegions(_ context.Context, c *endpoint.Call, in *api.ListRegionsRequest) (*api.ListRegionsResponse, error) {
	i, err := s.instance(c, in.InstanceArn)
	if err != nil {
		return nil, noResourceError(err)
	}
	q, err := c.Page(in.MaxResults, in.NextToken, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	rows, next := page.Of(access.Regions(i, c.Tx.Now()), q, func(r access.RegionState) page.Key { return page.Key{r.Name} })
	return &api.ListRegionsResponse{Regions: mapped(rows, regionOut), NextToken: c.NextToken(next, in.InstanceArn)}, nil
}
