package credential

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func drawCaller(t *rapid.T) Caller {
	text := rapid.StringN(0, 60, 200)
	at := rapid.Int64Range(0, 4_000_000_000_000_000) // until 2096
	c := Caller{
		RoleARN: text.Draw(t, "role"), RoleID: text.Draw(t, "role id"), SessionName: text.Draw(t, "session"),
		UserName: text.Draw(t, "user name"), UserID: text.Draw(t, "user"), SessionID: text.Draw(t, "session id"),
		ParentID: text.Draw(t, "parent"), PermissionSet: text.Draw(t, "set"), ViaKey: text.Draw(t, "key"),
		SourceIdentity: text.Draw(t, "source"), SessionPolicy: rapid.StringN(0, 500, maxPolicy).Draw(t, "policy"),
		CutsSeen: rapid.Int64Min(0).Draw(t, "cuts"), Issued: time.UnixMicro(at.Draw(t, "issued")).UTC(), Expires: time.UnixMicro(at.Draw(t, "expires")).UTC(),
		Tags: rapid.MapOfN(text, text, 0, maxTags).Draw(t, "tags"),
	}
	if n := at.Draw(t, "mfa"); n > 0 {
		c.MFATime = time.UnixMicro(n).UTC()
	}
	return c
}

func TestPayloadRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, epoch := drawCaller(t), rapid.String().Draw(t, "epoch")
		b, err := encode(&c, epoch)
		if err != nil {
			t.Fatal(err)
		}
		got, gotEpoch, err := decode(b)
		if err != nil || gotEpoch != epoch {
			t.Fatalf("epoch %q, %v", gotEpoch, err)
		}
		if d := cmp.Diff(c, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		cut := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if _, _, err := decode(b[:cut]); err == nil {
			t.Fatalf("cut at %d of %d: decoded", cut, len(b))
		}
		if _, _, err := decode(append(b, 0)); err == nil {
			t.Fatal("trailing byte: decoded")
		}
	})
}

// TestPayloadOfBefore: tokens that earlier releases gave out are read. The first had seen no cut, the second came from no emergency.
func TestPayloadOfBefore(t *testing.T) {
	t.Parallel()
	at := time.UnixMicro(1_800_000_000_000_000).UTC()
	want := Caller{RoleARN: "arn", UserID: "u", Issued: at, Expires: at.Add(time.Hour)}
	b, err := encode(&want, "e")
	if err != nil {
		t.Fatal(err)
	}
	second := append([]byte{2}, b[1:len(b)-1]...) // an empty text less, before no tags
	first := append([]byte{1}, second[1:]...)
	times := len(binary.AppendVarint(binary.AppendVarint(nil, want.Issued.UnixMicro()), want.Expires.UnixMicro()))
	first = slices.Delete(first, 1+times+1, 1+times+2) // after both times and that of the second factor, a byte of each
	for _, old := range [][]byte{first, second} {
		got, epoch, err := decode(old)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || epoch != "e" || d != "" {
			t.Errorf("version %d: epoch %q, %v:\n%s", old[0], epoch, err, d)
		}
	}
}

func TestInflateIsBounded(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	w, _ := flate.NewWriter(&bomb, flate.BestCompression)
	_, _ = w.Write([]byte(strings.Repeat(" ", maxPolicy+1)))
	_ = w.Close()
	if _, err := inflate(bomb.String()); err == nil {
		t.Error("a policy past the bound was read")
	}
	if _, err := inflate("\xff\xff"); err == nil {
		t.Error("garbage was read")
	}
}

func FuzzDecode(f *testing.F) {
	at := time.UnixMicro(1_800_000_000_000_000).UTC()
	for _, c := range []Caller{
		{Issued: at, Expires: at},
		{RoleARN: "arn:aws:iam::123456789012:role/r", RoleID: "AROA", SessionName: "s", MFATime: at, Tags: map[string]string{"a": "b"}, SessionPolicy: "{}"},
	} {
		b, err := encode(&c, "e")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{payloadVersion, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, epoch, err := decode(b)
		if err != nil {
			return
		}
		again, err := encode(&c, epoch)
		if err != nil {
			t.Fatalf("what was decoded does not encode: %v", err)
		}
		c2, epoch2, err := decode(again)
		if err != nil || epoch2 != epoch {
			t.Fatalf("second decode: %q, %v", epoch2, err)
		}
		if d := cmp.Diff(c, c2, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzOpen(f *testing.F) {
	w := newWorld(f)
	c := w.mint(f, w.grant())
	token := string(c.SessionToken)
	f.Add(token, c.AccessKeyID)
	f.Add(token[:100], c.AccessKeyID)
	f.Add("", "ASIA")
	f.Add(token, "ASIADOZY2NDIYAAAAAAA")
	f.Fuzz(func(t *testing.T, tok, id string) {
		if _, _, err := w.Open(tok, id, w.clock.Now()); err == nil && (tok != token || id != c.AccessKeyID) {
			t.Errorf("credentials that were never minted open: %q %q", id, tok)
		}
	})
}
