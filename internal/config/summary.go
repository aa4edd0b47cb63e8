package config

import (
	"fmt"
	"net/url"

	"github.com/BurntSushi/toml"
)

// Summary is the effective configuration as TOML, for `sallyport config check`. A password in the database URL is masked.
func (c *Config) Summary() string {
	shown := *c
	shown.TrustedProxies = []string{}
	for _, p := range c.Proxies() {
		shown.TrustedProxies = append(shown.TrustedProxies, p.String())
	}
	if u, err := url.Parse(shown.Database); err == nil && shown.Database != "" {
		if q := u.Query(); q.Has("password") {
			q.Set("password", "xxxxx")
			u.RawQuery = q.Encode()
		}
		shown.Database = u.Redacted()
	}
	b, err := toml.Marshal(shown)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(b)
}
