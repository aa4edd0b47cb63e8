package config

import (
	"time"

	"sallyport/internal/fault"
)

// The limits of RevocationBound. Below the least a node would refuse whenever its database takes a breath; above the most, what
// was revoked would go on for longer than anybody expects.
const (
	leastBound   = 2 * time.Second
	defaultBound = 3 * time.Second
	mostBound    = 60 * time.Second
)

func (c *Config) completeBound() error {
	if c.RevocationBound == "" {
		c.RevocationBound = defaultBound.String()
	}
	if d, err := time.ParseDuration(c.RevocationBound); err != nil || d < leastBound || d > mostBound {
		return fault.Invalidf("The revocation bound %q will not do: expected a time from %v to 1m, such as 3s.", c.RevocationBound, leastBound)
	}
	return nil
}

// Bound is RevocationBound, or the default before Complete has looked at it.
func (c *Config) Bound() time.Duration {
	if d, err := time.ParseDuration(c.RevocationBound); err == nil {
		return d
	}
	return defaultBound
}
