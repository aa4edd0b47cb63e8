// Package store keeps Sallyport's records: one SQL text for SQLite and PostgreSQL, no rule.
//
// All access goes through a transaction. [DB.View] reads one snapshot; [DB.Update] changes, and returns only when the
// change is durable. A closure given to either may run twice and has no effect outside its transaction.
// A statement that fails, a taken key ([ErrExists]) included, ends its transaction on both engines: the closure returns
// the error, and nothing of it is kept. A row that is not there ([ErrNotFound]) is an answer, not a failure.
//
// One file per family of records (directory.go, access.go, session.go, …) holds the record, its query constants and its
// Tx methods; migrations/ holds the schema, numbered, in the subset of SQL that both engines take.
// Queries are constants of type query, with placeholders in order of first appearance; a test EXPLAINs each on both engines.
//
// The package's border: it knows which rows there are, which must be unique and which change together. It does not know
// why: what may be granted, who may ask, what a client is told.
package store
