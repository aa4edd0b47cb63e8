package ssooidc

import (
	"crypto/sha256"
	"encoding/hex"

	api "sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/endpoint"
	"sallyport/internal/quota"
)

// Rates are what a call counts against while calls are throttled. These operations are open to anyone; a client's bucket goes by
// its secret too, so that who knows only its id empties another.
func Rates(_ string, c *endpoint.Call, in any) []endpoint.Rate {
	switch in := in.(type) {
	case *api.RegisterClientRequest:
		return []endpoint.Rate{{Limit: quota.RegisterRate, Key: origin(c).Network()}}
	case *api.StartDeviceAuthorizationRequest:
		return ofClient(in.ClientId, in.ClientSecret)
	case *api.CreateTokenRequest:
		return ofClient(in.ClientId, in.ClientSecret)
	}
	return nil
}

func ofClient(id, secret string) []endpoint.Rate {
	sum := sha256.Sum256([]byte(id + "\x00" + secret))
	return []endpoint.Rate{{Limit: quota.ClientTokenRate, Key: hex.EncodeToString(sum[:])}, {Limit: quota.TokenRate}}
}
