// Package doctor finds out why clients cannot use a server, from where they are, and says so in plain words: names and
// connections, TLS, what a proxy changes on the way, clocks, and the client's own environment. It only asks what anybody may.
package doctor
