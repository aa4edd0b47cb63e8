package login

// NewCheapHasher is a hasher for tests of what is around the hash.
func NewCheapHasher() *Hasher { return newHasher(cost{memoryKiB: 8, passes: 1, lanes: 1}) }
