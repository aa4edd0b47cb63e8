// Package clock is where the time comes from. Nothing else calls time.Now.
package clock

import "time"

// Clock tells the time. Timers and worker loops use package time and are tested with testing/synctest.
type Clock interface {
	Now() time.Time
}

// Machine is a clock that goes by itself and may be wrong, so that whoever knows the time better corrects it.
type Machine interface {
	Clock
	Machine()
}

// System is the machine's clock.
type System struct{}

// Now is the machine's time in UTC, to the microsecond, which is what the store keeps.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Machine says that it is a machine's.
func (System) Machine() {}
