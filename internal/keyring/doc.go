// Package keyring keeps the keys with which everything else is sealed, signed and hidden.
//
// A key-encryption key, which comes from outside the database, wraps data keys, which live in it. Each purpose has its
// own line of data keys: the newest active one writes, older ones read. Whatever is written carries the id of its key,
// so rotation needs no downtime. A new key is published a minute before it is used, so that every node can read what
// any node writes; nodes learn of it by [Ring.Run].
//
// Everything sealed has one form:
//
//	version (1) ‖ key id (8) ‖ salt (32) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//
// and its own AES-256-GCM key, HKDF(data key, "seal" ‖ label ‖ salt). So no number of sealed values wears a data key
// out, which matters because strangers may make the server seal (client registrations).
//
// The package knows keys and bytes. What a sealed value means is its caller's business. Backups of the database hold
// wrapped keys only.
package keyring
