// Package setting has the one table of what an operator may set about a running deployment: each setting with its default,
// AWS's value, what it may be, and what it does. Values are stored only where they differ from the default. What a server is
// told before it runs (addresses, files) is package config's.
package setting
