// Package trailfile is the form of a trail's files: where logs and digests lie, what they hold, what of them is signed, and whether
// they are whole.
//
// It is CloudTrail's (behaviour reference §10.7), so that `aws cloudtrail validate-logs` takes them. Digests have one member more,
// "sallyport": which stretch of the audit log the files hold, and the chain's head there. The chain is that of package store:
// SHA-256(previous hash ‖ number ‖ event). So the files alone prove that no event is missing between two digests, and a digest
// kept elsewhere proves that the history before it was not rewritten.
//
// The package knows bytes and no store: the verifier works wherever the files are.
package trailfile
