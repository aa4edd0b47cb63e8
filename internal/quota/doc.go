// Package quota has the one table of what is bounded: how many there may be of a thing, and how often something may be asked.
// Each limit has AWS's value and a value of ours for the relaxed mode. Rules ask it; nothing else holds such a number.
package quota
