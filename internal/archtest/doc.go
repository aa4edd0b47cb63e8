// Package archtest keeps the layout of the module: which package may import which, what only one place may do, how long
// files and functions may grow, and that every package says what it is for. It has tests only.
//
// The rules are data, in rules_test.go. A new package fails the test until it has a line there.
package archtest
