package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// chromium is one headless browser for all tests; each page is in an incognito window of its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	profile, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		return nil, err
	}
	// Without the background flags Chromium looks for its maker's services at every start.
	alloc, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(profile),
		chromedp.WindowSize(1000, 900),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	ctx, cancel := chromedp.NewContext(alloc)
	atExit(func() {
		cancel()
		stop()
		_ = os.RemoveAll(profile)
	})
	return ctx, chromedp.Do(ctx)
})

// browser is one person's browser window, with cookies of its own.
type browser struct {
	tb        testing.TB
	ctx       context.Context
	artifacts string // folder for pictures
}

func newBrowser(tb testing.TB) *browser {
	tb.Helper()
	shared, err := chromium()
	if err != nil {
		tb.Fatalf("start Chromium (scripts/install-test-deps installs it): %v", err)
	}
	ctx, cancel := chromedp.NewContext(shared, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil { // without a time limit, which would be the window's
		tb.Fatalf("open a browser window: %v", err)
	}
	b := &browser{tb: tb, ctx: ctx, artifacts: tb.ArtifactDir()}
	tb.Cleanup(func() {
		if tb.Failed() {
			b.picture()
		}
		cancel()
	})
	return b
}

// look reads something from the page.
func look[T any](b *browser, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// do takes steps in the browser; doing says what they are for.
func (b *browser) do(doing string, steps ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	if _, err := look(b, chromedp.Steps(steps...)); err != nil {
		b.fail(doing, err)
	}
}

func (b *browser) fail(doing string, err error) {
	b.tb.Helper()
	b.tb.Fatalf("%s: %v\non %s:\n%s", doing, err, b.address(), b.text())
}

// open goes to a URL and waits for the page.
func (b *browser) open(url string) {
	b.tb.Helper()
	b.do("open "+url, chromedp.Navigate(url))
}

// address is the URL that the browser shows.
func (b *browser) address() string {
	url, err := look(b, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return url
}

// text is what a person can read on the page.
func (b *browser) text() string {
	text, err := look(b, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	if err != nil {
		return err.Error()
	}
	return text
}

// shows says whether a person can read the given words on the page.
func (b *browser) shows(words string) bool { return strings.Contains(b.text(), words) }

// expect fails the test unless a person can read the given words on the page.
func (b *browser) expect(words string) {
	b.tb.Helper()
	if !b.shows(words) {
		b.fail("read the page", fmt.Errorf("it does not say %q", words))
	}
}

// arrive waits for the given words: a page's script leads to them.
func (b *browser) arrive(words string) {
	b.tb.Helper()
	for end := time.Now().Add(patience); !b.shows(words); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			b.fail("wait for the page", fmt.Errorf("it does not come to say %q", words))
		}
	}
}

// has says whether the page has an element that matches a CSS selector.
func (b *browser) has(selector string) bool {
	b.tb.Helper()
	found, err := look(b, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q) !== null", selector)))
	if err != nil {
		b.fail("look for "+selector, err)
	}
	return found
}

// textOf is what a person reads in an element.
func (b *browser) textOf(selector string) string {
	b.tb.Helper()
	text, err := look(b, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).innerText", selector)))
	if err != nil {
		b.fail("read "+selector, err)
	}
	return text
}

// value is what a form field holds.
func (b *browser) value(selector string) string {
	b.tb.Helper()
	value, err := look(b, chromedp.Value(chromedp.CSS(selector)))
	if err != nil {
		b.fail("read "+selector, err)
	}
	return value
}

// fill types into the form field of the given name, in place of what it holds.
func (b *browser) fill(name, value string) {
	b.tb.Helper()
	field := chromedp.CSS(fmt.Sprintf("[name=%q]", name))
	b.do("fill "+name, chromedp.Clear(field), chromedp.SendKeys(field, value))
}

// submit presses the button that sends the form with the given field, and waits for the next page.
func (b *browser) submit(name string) {
	b.tb.Helper()
	b.press(fmt.Sprintf(`form:has([name=%q]) button[type="submit"]`, name))
}

// press clicks what matches a CSS selector and leads to another page, and waits for that page.
func (b *browser) press(selector string) {
	b.tb.Helper()
	b.follow(selector, chromedp.Click(chromedp.CSS(selector)))
}

// pressText clicks the button or link that reads so and leads to another page, and waits for that page.
func (b *browser) pressText(words string) {
	b.tb.Helper()
	b.follow(words, chromedp.Click(fmt.Sprintf(`//*[self::button or self::a][contains(normalize-space(.), %q)]`, words)))
}

func (b *browser) follow(what string, click chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, click); err != nil {
		b.fail("press "+what, err)
	}
}

// picture keeps what the browser shows among the test's artifacts.
func (b *browser) picture() {
	png, err := look(b, chromedp.FullScreenshot(100))
	if err != nil {
		b.tb.Logf("take a picture of %s: %v", b.address(), err)
		return
	}
	file := filepath.Join(b.artifacts, "browser.png")
	if err := os.WriteFile(file, png, 0o600); err != nil {
		b.tb.Log(err)
		return
	}
	b.tb.Logf("browser was on %s; picture in %s:\n%s", b.address(), file, b.text())
}
