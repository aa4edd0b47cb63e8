package store

import "testing"

func TestPerKey(t *testing.T) {
	t.Parallel()
	var work PerKey
	begun, goOn := make(chan string, 4), make(chan struct{})
	f := func(name string) func() { return func() { begun <- name; <-goOn } }
	work.Go("a", f("first"))
	<-begun
	work.Go("a", f("second")) // the first is under way
	work.Go("b", f("other"))
	if got := <-begun; got != "other" {
		t.Errorf("%s was begun", got)
	}
	close(goOn)
	work.Wait()
	work.Go("a", f("third"))
	work.Wait()
	if got := <-begun; got != "third" || len(begun) > 0 {
		t.Errorf("%s was begun, and %d more", got, len(begun))
	}
}
