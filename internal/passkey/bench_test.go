package passkey_test

import (
	"testing"

	"sallyport/internal/passkey"
)

// BenchmarkAssertion verifies ES256 assertions, of which a core is to do thousands in a second.
func BenchmarkAssertion(b *testing.B) {
	w := newWorld(b)
	w.register(b)
	c, response := w.asserting(b)
	alone, responseAlone := w.alone(b)
	verify := map[string]func() (passkey.Assertion, error){
		"second": func() (passkey.Assertion, error) { return w.FinishAssertion(w.who, c, response, w.now) },
		"alone":  func() (passkey.Assertion, error) { return w.FinishPasskey(alone, responseAlone, w.now, w.find) },
	}
	for name, once := range verify {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := once(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
