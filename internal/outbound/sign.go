package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// SignatureHeader has the signature of what is posted to a webhook.
const SignatureHeader = "X-Sallyport-Signature"

// Sign is the header of a body: t=UNIX,v1=HEX, where HEX is HMAC-SHA-256 with the receiver's secret over UNIX, a dot and the body.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(t + "."))
	m.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(m.Sum(nil))
}
