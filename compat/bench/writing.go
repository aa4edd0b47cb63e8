package main

import (
	"context"
	"fmt"

	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/quota"
)

const (
	setsToEdit = 100
	writesMost = 30_000 // in a round: more than are answered
	spareSets  = 1000   // for what the world has beside those that are created
)

// writing measures changes, each durable before it is answered, beside moto. There may be only so many permission sets, so that
// a round of creating them ends with its share of those.
func writing(ctx context.Context, b bench) ([]row, error) {
	room := quota.Most(quota.PermissionSets) - spareSets
	return b.besideMoto(ctx,
		contest{
			what: "CreatePermissionSet", times: 10, once: true, most: room / (b.rounds + 1),
			prepare: func(ctx context.Context, w world, c client) (renderer, error) {
				return c.renderer(ctx, &ssoadmin.Info, "CreatePermissionSet", func(i int) any {
					return &ssoadmin.CreatePermissionSetRequest{
						InstanceArn: w.InstanceARN, Name: fmt.Sprintf("New%d", i), Description: new("for the benchmark"), SessionDuration: new("PT4H"),
					}
				}), nil
			},
		},
		contest{
			what: "PutInlinePolicyToPermissionSet", times: 10, once: true, most: writesMost,
			prepare: func(ctx context.Context, w world, c client) (renderer, error) {
				sets, err := c.createSets(ctx, w.InstanceARN, "Edited", setsToEdit)
				return c.renderer(ctx, &ssoadmin.Info, "PutInlinePolicyToPermissionSet", func(i int) any {
					return inlinePolicy(w.InstanceARN, sets[i%len(sets)], i)
				}), err
			},
		},
	)
}

// inlinePolicy asks for an inline policy like no other: a permission set whose policy does not change is not edited.
func inlinePolicy(instance, set string, i int) *ssoadmin.PutInlinePolicyToPermissionSetRequest {
	return &ssoadmin.PutInlinePolicyToPermissionSetRequest{InstanceArn: instance, PermissionSetArn: set, InlinePolicy: policyText(i)}
}

func policyText(i int) string {
	return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::bucket-%d/*"}]}`, i)
}
