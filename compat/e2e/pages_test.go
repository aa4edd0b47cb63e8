package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe is axe-core, which finds what keeps people with disabilities out.
var axe = sync.OnceValues(func() (string, error) {
	file, err := exec.Command("../../scripts/axe").Output()
	if err != nil {
		return "", fmt.Errorf("get axe-core by scripts/axe: %w", err)
	}
	source, err := os.ReadFile(strings.TrimSpace(string(file)))
	return string(source), err
})

// screens are what pages are looked at in.
var screens = map[string]struct {
	width, height int64
	colors        string
}{"wide": {1280, 900, "light"}, "phone": {390, 844, "dark"}}

// inspect looks at the page at hand on a wide screen in light, and on a phone in dark colors: serious findings of axe-core fail the test, as does a page
// that has to be scrolled sideways. Pictures are kept with -artifacts.
func (b *browser) inspect(name string) {
	b.tb.Helper()
	source, err := axe()
	if err != nil {
		b.tb.Fatal(err)
	}
	for screen, size := range screens {
		b.do("change the window", chromedp.EmulateViewport(size.width, size.height), inColors(size.colors))
		found, err := look(b, chromedp.Evaluate[string](`if (!window.axe) {`+source+`}; axe.run().then(r => r.violations.filter(v => ["serious", "critical"].includes(v.impact))
			.map(v => v.id + ": " + v.help + " at " + v.nodes.map(n => n.target.join(" ")).join(", ")).join("\n"))`, chromedp.EvalAwaitPromise))
		if err != nil || found != "" {
			b.tb.Errorf("%s on a %s screen: %v\n%s", name, screen, err, found)
		}
		if wide, err := look(b, chromedp.Evaluate[bool]("document.documentElement.scrollWidth > window.innerWidth")); wide || err != nil {
			b.tb.Errorf("%s on a %s screen has to be scrolled sideways (%v)", name, screen, err)
		}
		if !keepsArtifacts() {
			continue
		}
		png, err := look(b, chromedp.FullScreenshot(100))
		if err == nil {
			err = os.WriteFile(filepath.Join(b.artifacts, name+"-"+screen+".png"), png, 0o600)
		}
		if err != nil {
			b.tb.Errorf("picture of %s: %v", name, err)
		}
	}
}

// inColors has pages come as to somebody who likes them light or dark.
func inColors(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// keepsArtifacts says whether anybody will look at pictures, which take their time.
func keepsArtifacts() bool {
	f := flag.Lookup("test.artifacts")
	return f != nil && f.Value.String() == "true"
}

// TestPages looks at every page that a person comes to on the way in and in their account.
func TestPages(t *testing.T) {
	t.Parallel()
	s := startDev(t)
	s.runSample(s.operator())
	who, home := s.newcomer(), strings.TrimSuffix(s.PortalURL, "/portal")
	b := newBrowser(t)
	b.open(s.PortalURL)
	b.inspect("user-name")
	b.step(who)
	b.inspect("password")
	wrong := who
	wrong.Password = "wrong"
	b.step(wrong)
	b.inspect("password-wrong")
	b.step(who)
	b.inspect("add-device")
	b.press(`a[href="/signin/app"]`)
	b.inspect("add-app")
	b.step(who)
	b.inspect("new-password")
	b.step(who)
	b.inspect("portal-empty")
	b.open(home + "/account")
	b.inspect("account")
	b.open(home + "/confirm")
	b.inspect("confirm")
	b.press(`form[action="/account/confirm"] button`)
	b.inspect("second-factor-again")
	b.open(home + "/device")
	b.inspect("device")
	b.open(home + "/nothing")
	b.inspect("problem")

	b = newBrowser(t)
	b.signIn(s.PortalURL, s.member(t, sampleGroup))
	b.inspect("portal")
	b.pressText(sampleAccount)
	b.inspect("roles")
	b.pressText("Show credentials")
	b.inspect("credentials")
	b.pressText("Sign out")
	b.inspect("sign-out")
	b.pressText("Sign out and stop them")
	b.inspect("signed-out")
}
