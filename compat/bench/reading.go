package main

import (
	"context"
	"fmt"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/ssoadmin"
)

// setsToRead is how many permission sets there are to read, for each of the two: more than two pages.
const setsToRead = 250

// reading measures what configuration tools ask most, beside moto: one permission set, and a page of them.
func reading(ctx context.Context, b bench) ([]row, error) {
	return b.besideMoto(ctx,
		contest{
			what: "DescribePermissionSet", times: 20, most: setsToRead,
			prepare: func(ctx context.Context, w world, c client) (renderer, error) {
				sets, err := c.createSets(ctx, w.InstanceARN, "Described", setsToRead)
				return c.renderer(ctx, &ssoadmin.Info, "DescribePermissionSet", func(i int) any {
					return &ssoadmin.DescribePermissionSetRequest{InstanceArn: w.InstanceARN, PermissionSetArn: sets[i%len(sets)]}
				}), err
			},
		},
		contest{
			what: "ListPermissionSets, first page of 100,", times: 20, most: 1,
			prepare: func(ctx context.Context, w world, c client) (renderer, error) {
				_, err := c.createSets(ctx, w.InstanceARN, "Listed", setsToRead)
				return c.renderer(ctx, &ssoadmin.Info, "ListPermissionSets", func(int) any {
					return &ssoadmin.ListPermissionSetsRequest{InstanceArn: w.InstanceARN, MaxResults: new(int32(pageSize))}
				}), err
			},
		},
	)
}

// renderer renders calls of an operation, numbered from the first to the last of all rounds.
func (c client) renderer(ctx context.Context, s *awsapi.Service, operation string, in func(i int) any) renderer {
	used := 0
	return func(n int) ([][]byte, error) {
		out := make([][]byte, n)
		for i := range out {
			var err error
			if out[i], err = c.render(ctx, s, operation, in(used+i)); err != nil {
				return nil, err
			}
		}
		used += n
		return out, nil
	}
}

// createSets adds permission sets and returns their ARNs.
func (c client) createSets(ctx context.Context, instance, name string, n int) ([]string, error) {
	made := make([]string, n)
	for i := range made {
		out, _, err := call[*ssoadmin.CreatePermissionSetResponse](ctx, c, &ssoadmin.Info, "CreatePermissionSet", &ssoadmin.CreatePermissionSetRequest{
			InstanceArn: instance, Name: fmt.Sprintf("%s%d", name, i), Description: new("for the benchmark"), SessionDuration: new("PT4H"),
		})
		if err != nil {
			return nil, err
		}
		made[i] = *out.PermissionSet.PermissionSetArn
	}
	return made, nil
}
