// Package emergency is break-glass: sealed access that nobody has until two people open it, for as long as was said beforehand.
//
// An *emergency access* is prepared when all is well: a permission set, the accounts, who may open and who may approve, how long an
// opening lasts (an hour unless said otherwise, four at most). Preparing has the role provisioned and keeps it there ([store.Tx.OtherAssignments]
// counts the access), so that opening asks no backend. Each person is bound to the passkeys that they have then: a passkey that is
// registered later, perhaps by whoever has stolen a mailbox, opens nothing until an administrator has changed the access. Whoever may
// open or approve must have a password of this directory: an emergency asks no identity provider.
//
// Opening takes two: the opener says why ([Service.Ask]), another person answers within fifteen minutes ([Service.Approve]). Both have
// signed in for it, in this browser, a short while ago, with password and passkey. Where there is one administrator, a code from an
// envelope takes the approver's place, and of nothing else: password and passkey are asked for all the same, so that neither a found
// envelope nor a stolen device suffices. (Keep a second security key with the envelope.) Of codes only a keyed hash is stored; one is
// shown once, opens once, also when it is posted twenty times at once, since the row that is used up is in the opening's transaction.
//
// What is open is there in the browser in which it was asked for, and for the command line that is approved in it: somebody who holds
// another session of the opener gets nothing. It is a row for each account in emergency_grant, beside the assignments and not among them: no list of
// assignments changes, nothing has to be taken back by a worker, and the end is the database's clock's. Credentials carry the opening's
// id and never outlive it; on every use after a change the gate asks whether the opening gives them still ([store.Tx.EmergencyStands]).
// To close early is a change of emergency:<id>, and reaches what was given out in that opening and nothing else: neither what the
// same person has by assignment, nor other people's, nor what a later opening gives.
//
// Nothing of this waits for mail, sinks or other servers. The alarm is an event in the transaction that opens, and letters in the mail
// queue, by the same transaction; if the database takes the event, it is open, and if it does not, it is not. There is no switch that
// opens without one.
//
// A [Worker] ends what is over, tests every access each day (whether it could be opened now, up to a try in a transaction that is
// undone), and reminds of reviews: each opening leaves one, which somebody else than the opener must close with a reason.
package emergency
