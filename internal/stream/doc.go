// Package stream sends the audit log to others: webhooks, SIEMs, brokers. Operators make sinks; one node at a time ships each, from the sink's own
// cursor, at least once and in order. What a sink will never take is put aside as dead and goes on waiting for an operator; everything else is
// tried again, for ever. Sinks are independent: a slow one waits alone, and its events wait in the log.
//
// A kind of sink is a row of the table in kind.go and a file, or a package below this one, with what it speaks.
package stream
