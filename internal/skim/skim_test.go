package skim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"sallyport/internal/skim"
)

// whole reads all of a value, as package encoding/json would.
func whole(c *skim.Scanner, like any) any {
	switch like := like.(type) {
	case map[string]any:
		out := map[string]any{}
		c.Members(func(key string) {
			if v, ok := like[key]; ok {
				out[key] = whole(c, v)
			}
		})
		return out
	case []any:
		out := []any{}
		c.Items(func() {
			if len(out) < len(like) {
				out = append(out, whole(c, like[len(out)]))
			}
		})
		return out
	case string:
		if !c.IsText() {
			return nil
		}
		return c.Text()
	case bool:
		return c.Bool()
	case json.Number:
		if n, err := like.Int64(); err == nil && fmt.Sprint(n) == like.String() {
			return json.Number(fmt.Sprint(c.Int()))
		}
		c.Int()
		return like
	default:
		c.Int()
		return nil
	}
}

// FuzzSkim: whatever the bytes are, reading ends; JSON as this program writes it is read as package encoding/json reads it. Names of members are
// read as they stand: ours need no escapes.
func FuzzSkim(f *testing.F) {
	for _, seed := range []string{
		`{"a":"x\"y\\","b":[1,{"c":true},"z",null,-2.5e3],"d":{},"e":[ ],"f":  17 }`, `{"a":1}`, `{"a"`, `{"a":`, `[`, `"`, `"\`, ``, `{"a":"\u00e9","b":[[["q"]]]}`, `7`, `{"k":-12}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, spaced bool) {
		var want any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err := d.Decode(&want)
		whole(skim.New(text), want)
		if err != nil || escaped(want) {
			return
		}
		var ours bytes.Buffer
		e := json.NewEncoder(&ours)
		if spaced {
			e.SetIndent(" ", "\t")
		}
		if err := e.Encode(want); err != nil {
			t.Fatal(err)
		}
		if got := whole(skim.New(ours.Bytes()), want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", ours.Bytes(), got, want)
		}
	})
}

// escaped tells whether a name of a member is written with escapes.
func escaped(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for key, below := range v {
			if b, _ := json.Marshal(key); string(b) != `"`+key+`"` || escaped(below) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, escaped)
	}
	return false
}

// TestStop: what was read stays, and nothing more comes.
func TestStop(t *testing.T) {
	t.Parallel()
	c := skim.New([]byte(`{"a":{"b":"one","c":"two"},"d":"three"}`))
	var got []string
	c.Members(func(key string) {
		got = append(got, key)
		c.Members(func(key string) {
			got = append(got, key+c.Text())
			c.Stop()
		})
	})
	if !slices.Equal(got, []string{"a", "bone"}) {
		t.Errorf("read %v", got)
	}
}
