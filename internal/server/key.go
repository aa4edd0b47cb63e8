package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"sallyport/internal/credential"
	"sallyport/internal/store"
)

// key finds the caller and the secret behind an access key: role sessions open without a read, long-term keys are looked up.
func (s *Server) key(ctx context.Context, id, token string) (credential.Caller, credential.Secret, error) {
	if token != "" || len(id) >= 4 && id[:4] == "ASIA" {
		return s.minter.Open(token, id, s.db.Now())
	}
	return s.keys.LookUp(ctx, id)
}

// stands refuses credentials whose right is gone, and notes that a long-term key was used: whoever rotates or disables it wants
// to know.
func (s *Server) stands(ctx context.Context, c credential.Caller) error {
	if err := s.gate.Check(ctx, c); err != nil {
		return err
	}
	if c.Kind != credential.IAMUser || !s.used.due(c.AccessKeyID, s.db.Now()) {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second) // a call does not wait long for this, nor fail by it
	defer stop()
	err := s.db.Update(ctx, func(tx *store.Tx) error { return tx.AccessKeyUsed(c.AccessKeyID) })
	if err != nil && !errors.Is(err, store.ErrNotFound) { // deleted in this moment
		s.log.Warn("the use of a key was not noted", "access_key_id", c.AccessKeyID, "error", err)
	}
	return nil
}

// usedEvery is how often the use of a key is written.
const usedEvery = time.Minute

// keyUse remembers when the use of long-term keys was written last. It grows by one entry for each key that exists.
type keyUse struct {
	mu sync.Mutex
	at map[string]time.Time
}

// due says whether the use of a key is to be written, and that it is then.
func (u *keyUse) due(id string, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if at, ok := u.at[id]; ok && now.Sub(at) < usedEvery {
		return false
	}
	if u.at == nil {
		u.at = map[string]time.Time{}
	}
	u.at[id] = now
	return true
}
