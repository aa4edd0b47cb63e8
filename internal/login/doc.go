// Package login is sign-in as a state machine in rows: an attempt says what was asked, who is claimed and which steps are
// done, and every step changes the row and returns to one dispatcher, [StepOf], which says what is next. The browser holds
// only the attempt's random id. Sessions are package session's business, pages are package web's.
//
// What a stranger can make it do is bounded, for each claimed name (a rising lock) and for each network (an allowance, and a
// share of the queue before the hash), and is the same whether or not the name is somebody's.
package login
