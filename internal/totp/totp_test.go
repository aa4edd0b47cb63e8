package totp

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sallyport/internal/fault"
)

var rfcSeed = Seed("12345678901234567890")

// The vectors of RFC 6238 appendix B for SHA-1 have eight digits; ours are the last six.
func TestVectorsOfRFC6238(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
		1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := rfcSeed.Code(Step(time.Unix(seconds, 0))); got != want[2:] {
			t.Errorf("at %d: %s, want %s", seconds, got, want[2:])
		}
	}
}

// The vectors of RFC 4226 appendix D: the same function on a counter.
func TestVectorsOfRFC4226(t *testing.T) {
	t.Parallel()
	var got []string
	for i := range int64(10) {
		got = append(got, rfcSeed.Code(i))
	}
	want := []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_015, 0)
	s := Step(now)
	code := rfcSeed.Code(s)
	for name, c := range map[string]struct {
		code string
		last int64
		want int64 // 0: refused
	}{
		"now":                 {code, 0, s},
		"one step slow":       {rfcSeed.Code(s - 1), 0, s - 1},
		"one step fast":       {rfcSeed.Code(s + 1), 0, s + 1},
		"two steps slow":      {rfcSeed.Code(s - 2), 0, 0},
		"two steps fast":      {rfcSeed.Code(s + 2), 0, 0},
		"after an earlier":    {code, s - 1, s},
		"used":                {code, s, 0},
		"earlier than used":   {rfcSeed.Code(s - 1), s, 0},
		"fast after used":     {rfcSeed.Code(s + 1), s, s + 1},
		"grouped":             {" " + code[:3] + " " + code[3:] + "\n", 0, s},
		"no-break space":      {code[:3] + "\u00a0" + code[3:], 0, s},
		"empty":               {"", 0, 0},
		"only spaces":         {"      ", 0, 0},
		"five digits":         {code[:5], 0, 0},
		"seven digits":        {code + "0", 0, 0},
		"led by a zero":       {"0" + code, 0, 0},
		"other script's":      {strings.Map(func(r rune) rune { return r - '0' + '٠' }, code), 0, 0},
		"a mile of spaces":    {code + strings.Repeat(" ", 1<<20), 0, 0},
		"used in the future":  {code, s + 100, 0},
		"sign":                {"+" + code[1:], 0, 0},
		"another seed's code": {Seed("another seed of twenty").Code(s), 0, 0},
	} {
		step, ok := rfcSeed.Check(c.code, now, c.last)
		if step != c.want || ok != (c.want != 0) {
			t.Errorf("%s: step %d, %v; want %d", name, step, ok, c.want)
		}
	}
}

// Whatever is typed when, the steps that are taken only rise, so no code is taken twice.
func TestTakenStepsOnlyRise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := Seed(rapid.SliceOfN(rapid.Byte(), minSeed, maxSeed).Draw(t, "seed"))
		now := rapid.Int64Range(1, 1<<40).Draw(t, "start")
		taken := map[int64]bool{}
		var last int64
		for range 20 {
			now += rapid.Int64Range(0, 45).Draw(t, "wait")
			at := time.Unix(now, 0)
			typed := Step(at) + rapid.Int64Range(-3, 3).Draw(t, "off")
			step, ok := seed.Check(seed.Code(typed), at, last)
			near := typed >= Step(at)-1 && typed <= Step(at)+1
			if near && typed > last && !ok {
				t.Fatalf("step %d at %d after %d is refused", typed, Step(at), last)
			}
			if !ok {
				continue
			}
			if step <= last || taken[step] || step < Step(at)-1 || step > Step(at)+1 || seed.Code(step) != seed.Code(typed) {
				t.Fatalf("step %d typed at %d after %d is taken as %d", typed, Step(at), last, step)
			}
			last, taken[step] = step, true
		}
	})
}

func TestSeedReadsAsItIsWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seed := Seed(rapid.SliceOfN(rapid.Byte(), minSeed, maxSeed).Draw(t, "seed"))
		text := seed.Text()
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		for _, s := range []string{text, strings.ToLower(text), text[:cut] + " " + text[cut:] + "\n", base32.StdEncoding.EncodeToString(seed)} {
			got, err := ParseSeed(s)
			if err != nil || string(got) != string(seed) {
				t.Fatalf("%q reads as %x: %v", s, []byte(got), err)
			}
		}
	})
	a, b := NewSeed(), NewSeed()
	if len(a) != 20 || string(a) == string(b) || len(a.Text()) != 32 {
		t.Error("seeds are not 20 random bytes")
	}
}

func TestSeedIsRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "JBSWY3DPEHPK3PXP", "not base32!", "01890189018901890189018901890189", rfcSeed.Text() + "A", strings.Repeat("A", 1<<20)} {
		if _, err := ParseSeed(s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.40q: %v", s, err)
		}
	}
}

func TestURI(t *testing.T) {
	t.Parallel()
	want := "otpauth://totp/Example%20%26%20Co:alice%2Bops%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example%20%26%20Co"
	if got := rfcSeed.URI("Example & Co", "alice+ops@example.com"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	rapid.Check(t, func(t *rapid.T) {
		issuer, account := rapid.String().Draw(t, "issuer"), rapid.String().Draw(t, "account")
		u, err := url.Parse(rfcSeed.URI(issuer, account))
		if err != nil {
			t.Fatal(err)
		}
		issuer = strings.ReplaceAll(issuer, ":", " ")
		left, right, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), ":")
		got := []string{u.Scheme, u.Host, left, right, u.Query().Get("issuer"), u.Query().Get("secret")}
		if d := cmp.Diff([]string{"otpauth", "totp", issuer, account, issuer, rfcSeed.Text()}, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestSeedIsNeverPrinted(t *testing.T) {
	t.Parallel()
	seed := NewSeed()
	j, err := json.Marshal(map[string]any{"seed": seed})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", seed)
	all := out.String() + string(j) + fmt.Sprintf("%v %+v %#v %s %q", seed, seed, seed, seed, seed)
	for _, s := range []string{seed.Text(), string(seed), fmt.Sprint([]byte(seed))} {
		if strings.Contains(all, s) {
			t.Error(all)
		}
	}
}

// FuzzParseSeed: what is read writes itself the same way.
func FuzzParseSeed(f *testing.F) {
	f.Add(rfcSeed.Text())
	f.Add("gezd gnbv gy3t qojq gezd gnbv gy3t qojq")
	f.Add("========")
	f.Fuzz(func(t *testing.T, s string) {
		seed, err := ParseSeed(s)
		if err != nil {
			return
		}
		if again, err := ParseSeed(seed.Text()); err != nil || string(again) != string(seed) {
			t.Errorf("%q reads as %x, and that as %x: %v", s, []byte(seed), []byte(again), err)
		}
	})
}

// FuzzCheck: what is taken is a code of a step at hand.
func FuzzCheck(f *testing.F) {
	f.Add(rfcSeed.Code(1), int64(45), int64(0))
	f.Add("287 082", int64(59), int64(1))
	f.Fuzz(func(t *testing.T, code string, now, last int64) {
		at := time.Unix(now, 0)
		step, ok := rfcSeed.Check(code, at, last)
		if ok && (step <= last || step < Step(at)-1 || step > Step(at)+1 || rfcSeed.Code(step) != withoutSpaces(code)) {
			t.Errorf("%q at %d after %d is taken as %d", code, now, last, step)
		}
	})
}
