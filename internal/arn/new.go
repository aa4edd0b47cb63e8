package arn

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"
)

// NewInstance makes an instance id.
func NewInstance() Instance { return Instance("ssoins-" + randomHex(8)) }

// NewStoreID makes an identity store id.
func NewStoreID() StoreID { return StoreID("d-" + randomHex(5)) }

// NewPermissionSet makes a permission set id within an instance.
func NewPermissionSet(i Instance) PermissionSet { return PermissionSet{i, "ps-" + randomHex(8)} }

// NewApplication makes the id of an application.
func NewApplication(a AccountID, i Instance) Application {
	return Application{a, i, "apl-" + randomHex(8)}
}

// NewTokenIssuer makes the id of a trusted token issuer.
func NewTokenIssuer(a AccountID, i Instance) TokenIssuer {
	return TokenIssuer{a, i, "tti-" + NewUUID()}
}

// NewUUID makes a random UUID (RFC 9562 version 4).
func NewUUID() string {
	var b [16]byte
	fill(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return formatUUID(b)
}

// UUIDOf is the UUID of 16 bytes that are random or a hash's (RFC 9562 version 8).
func UUIDOf(b [16]byte) string {
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return formatUUID(b)
}

// NewTimeUUID makes a UUID whose order is that of its time (RFC 9562 version 7).
func NewTimeUUID(t time.Time) string {
	var b [16]byte
	fill(b[6:])
	binary.BigEndian.PutUint64(b[:8], uint64(t.UnixMilli())<<16|uint64(binary.BigEndian.Uint16(b[6:8])))
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	return formatUUID(b)
}

// RoleSuffix makes the 16 hex digits that end the name of a provisioned role.
func RoleSuffix() string { return randomHex(8) }

// NewUniqueID makes an IAM unique id: a prefix such as AROA or AIDA and 17 base32 characters.
func NewUniqueID(prefix string) string { return prefix + randomBase32(17) }

// NewAccessKeyID makes a 20-character access key id. As AWS does, eight of its characters carry the account,
// so that sts:GetAccessKeyInfo can answer without a look-up.
func NewAccessKeyID(prefix string, account AccountID) string {
	n, _ := strconv.ParseUint(string(account), 10, 64)
	var b [5]byte
	for i := range b {
		b[4-i] = byte(n >> (8 * i))
	}
	return prefix + base32.StdEncoding.EncodeToString(b[:]) + randomBase32(8)
}

// AccountOfAccessKey is the account that an access key id of ours carries; ok is false for foreign forms.
func AccountOfAccessKey(id string) (account AccountID, ok bool) {
	if len(id) != 20 {
		return "", false
	}
	b, err := base32.StdEncoding.DecodeString(id[4:12])
	if err != nil {
		return "", false
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	s := strconv.FormatUint(n, 10)
	if len(s) > 12 {
		return "", false
	}
	return AccountID("000000000000"[len(s):] + s), true
}

func formatUUID(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func randomHex(n int) string {
	b := make([]byte, n)
	fill(b)
	return hex.EncodeToString(b)
}

func randomBase32(n int) string {
	b := make([]byte, (n*5+7)/8)
	fill(b)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)[:n]
}

// fill never fails: crypto/rand.Read ends the process rather than return an error (Go 1.24).
func fill(b []byte) { _, _ = rand.Read(b) }
