// Package revocation decides whether the right behind a credential still stands, without asking the database each time.
//
// Whoever changes something that credentials depend on records it in the same transaction ([store.Tx.Changed]). A [Gate]
// keeps the latest change of each dependency. A credential whose dependencies have not changed since it was issued goes
// through; one with a newer change is evaluated again, once, and the outcome is remembered. So nobody has to be found
// whom a change touches, and nobody is refused whom it does not touch.
//
// "Newer" is where it could go wrong. Transactions commit out of order, so that a change may become known after a
// credential was issued from a snapshot without it, though its time is earlier. Times are therefore compared with a
// margin, and outcomes by the order in which changes arrived here: an outcome counts for a change only if the change had
// arrived before the snapshot of the outcome was opened. A needless evaluation costs one read, a missed one is a breach.
//
// A right that was taken away and given again stands again, with the credentials that were issued for it; a session that
// was ended stays so.
package revocation
