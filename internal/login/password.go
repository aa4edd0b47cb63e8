package login

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"sallyport/internal/clock"
	"sallyport/internal/fault"
)

// cost is what a password hash costs. It is kept in each hash, so that it can be raised.
type cost struct {
	memoryKiB, passes uint32
	lanes             uint8
}

// standard is Argon2id with 19 MiB and two passes (OWASP).
var standard = cost{memoryKiB: 19 * 1024, passes: 2, lanes: 1}

const (
	saltBytes = 16
	hashBytes = 32
)

// Hasher hashes and checks passwords on at most half of the cores, with a bounded queue before them, so that a flood of
// sign-ins leaves the other half to everything else. One network gets at most half of the queue, so that others get in.
type Hasher struct {
	cost    cost // of new hashes
	running chan struct{}
	waiting chan struct{}
	dummy   string // checked when there is no user, so that nobody learns of it by the time it takes
	hashes  atomic.Int64
	spent   atomic.Int64 // nanoseconds in hashes

	mu        sync.Mutex
	byNetwork map[string]int // places in the queue
}

// queuePerCore is how many checks may wait for one core: about two seconds' work.
const queuePerCore = 64

// cores is how many threads of Go's the program was given. It gets as many more as hashes run at a time: a hash holds its thread for
// tens of milliseconds, and other requests would wait for the rest of them. The operating system shares the cores fairly.
var cores = sync.OnceValue(func() int {
	n := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(n + atOnce(n))
	return n
})

// atOnce is how many hashes run at a time on so many cores.
func atOnce(cores int) int { return max(1, cores/2) }

// NewHasher returns a hasher for this machine.
func NewHasher() *Hasher { return newHasher(standard) }

func newHasher(c cost) *Hasher {
	n := atOnce(cores())
	return &Hasher{
		cost: c, running: make(chan struct{}, n), waiting: make(chan struct{}, queuePerCore*n), byNetwork: map[string]int{},
		dummy: phc{c, random(saltBytes), random(hashBytes)}.String(),
	}
}

// Hashes is how many hashes have been computed.
func (h *Hasher) Hashes() int64 { return h.hashes.Load() }

// Spent is how long the hashes took, without the wait for their turn.
func (h *Hasher) Spent() time.Duration { return time.Duration(h.spent.Load()) }

// Hash makes a PHC string of a new random salt.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	return h.hash(ctx, "", password)
}

func (h *Hasher) hash(ctx context.Context, network, password string) (string, error) {
	p := phc{h.cost, random(saltBytes), nil}
	var err error
	if p.key, err = h.key(ctx, network, p, hashBytes, password); err != nil {
		return "", err
	}
	return p.String(), nil
}

// outdated tells whether a hash was made at another cost than today's.
func (h *Hasher) outdated(encoded string) bool {
	p, err := parsePHC(encoded)
	return err != nil || p.cost != h.cost
}

// Verify runs exactly one hash. An empty one to compare with means that there is no such user or password: the answer is
// false, as slowly. The network is where the password came from.
func (h *Hasher) Verify(ctx context.Context, network, encoded, password string) (bool, error) {
	known := encoded != ""
	if !known {
		encoded = h.dummy
	}
	p, err := parsePHC(encoded)
	if err != nil {
		return false, err
	}
	key, err := h.key(ctx, network, p, len(p.key), password)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, p.key) == 1 && known, nil
}

// key computes a hash when its turn has come. A full queue is a Throttled fault at once: waiting longer would only pile
// people up.
func (h *Hasher) key(ctx context.Context, network string, p phc, size int, password string) ([]byte, error) {
	leave, ok := h.enter(network)
	if !ok {
		return nil, fault.Newf(fault.Throttled, "Many people are signing in right now. Wait a few seconds and try again.")
	}
	defer leave()
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h.hashes.Add(1)
	defer func(begun time.Time) { h.spent.Add(int64(clock.System{}.Now().Sub(begun))) }(clock.System{}.Now())
	return argon2.IDKey([]byte(password), p.salt, p.passes, p.memoryKiB, p.lanes, uint32(size)), nil
}

// enter takes a place in the queue. The empty network is ourselves.
func (h *Hasher) enter(network string) (leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if network != "" && h.byNetwork[network] >= cap(h.waiting)/2 {
		return nil, false
	}
	select {
	case h.waiting <- struct{}{}:
	default:
		return nil, false
	}
	h.byNetwork[network]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		<-h.waiting
		if h.byNetwork[network]--; h.byNetwork[network] == 0 {
			delete(h.byNetwork, network)
		}
	}, true
}

// phc is a hash in the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$hash, base64 without padding.
type phc struct {
	cost
	salt, key []byte
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memoryKiB, p.passes, p.lanes, b64(p.salt), b64(p.key))
}

func parsePHC(s string) (p phc, err error) {
	f := strings.Split(s, "$")
	var version int
	if len(f) != 6 || f[1] != "argon2id" {
		return p, fmt.Errorf("read password hash: not an argon2id PHC string")
	}
	if _, err = fmt.Sscanf(f[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, fmt.Errorf("read password hash: version of argon2 is not %d", argon2.Version)
	}
	if _, err = fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &p.memoryKiB, &p.passes, &p.lanes); err != nil {
		return p, fmt.Errorf("read password hash: parameters: %w", err)
	}
	if p.salt, err = base64.RawStdEncoding.Strict().DecodeString(f[4]); err != nil {
		return p, fmt.Errorf("read password hash: salt: %w", err)
	}
	if p.key, err = base64.RawStdEncoding.Strict().DecodeString(f[5]); err != nil {
		return p, fmt.Errorf("read password hash: hash: %w", err)
	}
	return p, nil
}
