//go:build !nullaudit

package store

// dropsEvents is false in every program that is used. The benchmark builds one that keeps no events of what was given out, to know
// what keeping them costs.
const dropsEvents = false
