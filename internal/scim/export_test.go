package scim

import "context"

// TakeTurn is for tests that keep others from scanning.
func TakeTurn(ctx context.Context) (func(), error) { return takeTurn(ctx) }
