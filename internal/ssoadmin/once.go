package ssoadmin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"sallyport/internal/endpoint"
	"sallyport/internal/fault"
	"sallyport/internal/store"
)

// once does what a request asks for unless its client token was used: then what was made at that time is the answer, and a request
// that asks for something else under the same token is refused. in is the request without its token.
func once(c *endpoint.Call, operation string, token *string, in any, do func() (made string, err error)) (string, error) {
	if token == nil {
		return do()
	}
	text, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("encode request: %w", err)
	}
	sum := sha256.Sum256(text)
	t := store.ClientToken{Account: c.Caller.Account, Operation: operation, Token: *token, Request: hex.EncodeToString(sum[:])}
	was, err := c.Tx.ClientToken(t.Account, operation, t.Token)
	switch {
	case err == nil && was.Request != t.Request:
		return "", fault.Conflictf("The client token %s was used for another request.", t.Token)
	case err == nil:
		return was.Result, nil
	case !errors.Is(err, store.ErrNotFound):
		return "", fmt.Errorf("look client token up: %w", err)
	}
	if t.Result, err = do(); err != nil {
		return "", err
	}
	err = c.Tx.InsertClientToken(t)
	if errors.Is(err, store.ErrExists) { // by a request that was a moment earlier; nothing of this one stays
		return "", fault.Conflictf("A request with the client token %s is in progress. Ask again.", t.Token)
	}
	if err != nil {
		return "", fmt.Errorf("keep client token: %w", err)
	}
	return t.Result, nil
}
