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
// Whoever changes nothing but wants what was given out before to end makes a cut ([store.Tx.Cut]): of a user, of a permission
// set, everywhere or in one account, or of an account. Cuts are numbered in the order of their commits, and role credentials carry
// the number of the last one in the snapshot that they were minted from. Those that carry less than the last cut of what they rest
// on are refused. So no clock decides: what was minted from a snapshot without the cut dies, however late the cut was committed and
// however wrong clocks are, and what was minted from one with it lives. A node that remembers a right ([Memo]) mints from the older
// snapshot until it has the news, at once where the cut was made and within a poll elsewhere; such credentials die as well, and
// asking again gives new ones. Credentials that are once derived from others must carry what those rest on, and their number.
//
// A right that was taken away and given again stands again, with the credentials that were issued for it; a session that
// was ended stays so.
package revocation
