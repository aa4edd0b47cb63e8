// Package policy is the IAM policy language: it reads policy documents, compiles them to small
// matchers, and decides whether a request is allowed, with the reason.
//
// It is pure. It knows no clock, no store and no network; the same inputs give the same answer.
// Whoever calls it collects the documents, says who is asking, and offers the request's context
// keys through [Context], which is asked only for the keys that a policy names.
//
// Two ways lead in. [Parse] and [ParseResource] are for a document that somebody wants to store:
// whatever IAM would refuse, or would accept and never match, is refused with a message that says
// what to change. [Load] is for a document that is stored already: what it cannot read must never
// widen access, so an unreadable part makes a Deny deny and an Allow not match.
//
// # Where AWS's documentation leaves a choice
//
//   - In Resource, a wildcard matches any characters, colons included. AWS documents this only for
//     a "*" that ends a segment. In ArnEquals and ArnLike a wildcard in the first five segments stays
//     inside its segment, and a "*" that ends the pattern covers the rest.
//   - An operator without ForAllValues or ForAnyValue, on a key with several values, matches when one
//     of them matches; its negation when none does.
//   - For ForAllValues, ForAnyValue and Null, a key whose only value is the empty string is absent.
//   - A request's value that the operator cannot read (a number that is none) equals nothing.
//   - A resource policy that allows everybody ("*") is still capped by a boundary and by session
//     policies, as one that names the role is. Only the caller's own ARN reaches past them.
package policy
