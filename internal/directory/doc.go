// Package directory has the rules of an identity store: its users, groups and memberships, and their external ids.
// It is called by every API that changes people, and knows none of them; who may reach what is the business of package access.
package directory
