// Package kms signs with keys that live in AWS KMS, or in a service that speaks its protocol. Credentials, region and endpoint are
// those of the AWS SDK: the environment, a shared configuration, or the machine's role.
package kms

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"sallyport/internal/fault"
)

// callTime bounds a request with its tries.
const callTime = 30 * time.Second

// Client finds keys. Its zero value is ready.
type Client struct {
	mu   sync.Mutex
	sdk  *kms.Client
	keys map[string]*Key
}

// Key is a key for signatures.
type Key struct {
	sdk    *kms.Client
	arn    string
	public *rsa.PublicKey
}

// Key finds a key by id, ARN or alias, and sees that it can sign as digests are signed: RSA of 2048 bits.
func (c *Client) Key(ctx context.Context, id string) (*Key, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.keys[id]; k != nil {
		return k, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if c.sdk == nil {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, fmt.Errorf("configure AWS SDK: %w", err)
		}
		c.sdk = kms.NewFromConfig(cfg)
	}
	k, err := find(ctx, c.sdk, id)
	if err != nil {
		return nil, err
	}
	if c.keys == nil {
		c.keys = map[string]*Key{}
	}
	c.keys[id] = k
	return k, nil
}

func find(ctx context.Context, sdk *kms.Client, id string) (*Key, error) {
	about, err := sdk.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return nil, explained(err, id)
	}
	m := about.KeyMetadata
	switch {
	case m == nil || m.Arn == nil:
		return nil, errors.New("AWS KMS describes no key")
	case !m.Enabled:
		return nil, fault.Invalidf("The key %s in AWS KMS is not enabled.", id)
	case m.KeyUsage != types.KeyUsageTypeSignVerify || m.KeySpec != types.KeySpecRsa2048:
		return nil, fault.Invalidf("The key %s in AWS KMS is %s for %s: digests are signed with RSA_2048 for SIGN_VERIFY.", id, m.KeySpec, m.KeyUsage)
	}
	got, err := sdk.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: m.Arn})
	if err != nil {
		return nil, explained(err, id)
	}
	parsed, err := x509.ParsePKIXPublicKey(got.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("read public key from AWS KMS: %w", err)
	}
	public, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("AWS KMS gave a public key of another kind: %T", parsed)
	}
	return &Key{sdk, *m.Arn, public}, nil
}

// explained is what AWS KMS says of a request, for whoever has named the key.
func explained(err error, id string) error {
	var said smithy.APIError
	if errors.As(err, &said) {
		return fault.Invalidf("AWS KMS does not give the key %s: %s: %s", id, said.ErrorCode(), said.ErrorMessage())
	}
	return fault.Invalidf("AWS KMS cannot be asked for the key %s: %v", id, err)
}

// maxText is the most that KMS signs as it is; of more it is given the hash.
const maxText = 4096

// Sign signs a text with RSASSA-PKCS1-v1_5 and SHA-256.
func (k *Key) Sign(ctx context.Context, text []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	message, kind := text, types.MessageTypeRaw // which stand-ins for KMS can do too
	if len(text) > maxText {
		sum := sha256.Sum256(text)
		message, kind = sum[:], types.MessageTypeDigest
	}
	out, err := k.sdk.Sign(ctx, &kms.SignInput{
		KeyId: &k.arn, Message: message, MessageType: kind, SigningAlgorithm: types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	})
	if err != nil {
		return nil, fmt.Errorf("sign with AWS KMS: %w", err)
	}
	return out.Signature, nil
}

// Public is the key that verifies.
func (k *Key) Public() *rsa.PublicKey { return k.public }

// ARN names the key.
func (k *Key) ARN() string { return k.arn }
