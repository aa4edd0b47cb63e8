package signal

import (
	"net/url"

	"sallyport/internal/config"
	"sallyport/internal/fault"
)

// maxURL bounds addresses, in bytes.
const maxURL = 2048

// CheckURL refuses addresses that signals and keys may not be sent to or fetched from: what is not https and not this machine.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(raw) > maxURL:
		return fault.Invalidf("%.100q is not an address such as https://id.example.org/signals.", raw)
	case u.Scheme == "https", u.Scheme == "http" && config.Loopback(u.Hostname()):
		return nil
	}
	return fault.Invalidf("The address %.100q will not do: it must be https, or http to this machine.", raw)
}
