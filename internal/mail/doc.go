// Package mail writes what Sallyport tells people by mail, and sends it.
//
// [Letters] has the texts. [Outbox] takes a message in the transaction of the change that it tells of and sends it later, at
// least once. [Server] speaks to the operator's mail server (SMTP submission: RFC 6409), always under TLS unless it is on
// this machine.
//
// Links and codes in messages are secrets: they lie sealed in the database, and no log line has a text or an address.
package mail
