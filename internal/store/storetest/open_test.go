package storetest_test

import (
	"testing"

	"sallyport/internal/clock"
	"sallyport/internal/store/storetest"
)

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		storetest.Open(b, clock.System{})
	}
}

func BenchmarkOpenPostgres(b *testing.B) {
	for b.Loop() {
		storetest.OpenPostgres(b, clock.System{})
	}
}
