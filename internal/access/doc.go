// Package access has the rules of who may do what in which account: permission sets, account assignments, the requests that
// change them, and what a user can reach. It writes the wanted state and a job; making accounts match is the business of
// package provision.
package access
