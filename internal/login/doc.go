// Package login is sign-in as a state machine in rows: an attempt says what was asked and which steps are done, and every
// step changes the row and returns to one dispatcher, [Service.Step], which says what is next. The browser holds only the
// attempt's random id. Sessions are package session's business, pages are package web's.
package login
