package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	ssotypes "github.com/aws/aws-sdk-go-v2/service/sso/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// behind is a server behind a proxy.
type behind struct {
	*server
	*authority
	proxy, back, plain string // addresses: the proxy's, the server's, the proxy's for plain HTTP
}

// newBehind starts a server that trusts the proxy at 127.0.0.1 alone; the proxy is for the test to start.
func newBehind(t *testing.T) *behind {
	t.Helper()
	b := &behind{authority: newAuthority(t), proxy: freeAddress(t), back: freeAddress(t), plain: freeAddress(t)}
	b.server = startServe(t, "--url", "https://"+strings.Replace(b.proxy, "127.0.0.1", "localhost", 1), "--listen", b.back, "--trusted-proxies", "127.0.0.1")
	return b
}

// nginx starts nginx with deploy/nginx.conf and changes to it. It has one process, which ends with the test.
func (b *behind) nginx(t *testing.T, changes ...string) *process {
	t.Helper()
	dir := t.TempDir()
	site := edited(t, "nginx.conf", append([]string{
		"listen 443 ssl", "listen " + b.proxy + " ssl", "listen 80;", "listen " + b.plain + ";",
		"\tlisten [::]:443 ssl http2;\n", "", "\tlisten [::]:80;\n", "", "id.example.org$request_uri", strings.TrimPrefix(b.Endpoint, "https://") + "$request_uri",
		"server_name id.example.org", "server_name localhost",
		"/etc/ssl/id.example.org.pem", b.cert, "/etc/ssl/private/id.example.org.key", b.key, "127.0.0.1:8080", b.back,
	}, changes...)...)
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "\t%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	write(t, filepath.Join(dir, "site.conf"), []byte(site))
	write(t, filepath.Join(dir, "nginx.conf"), []byte("daemon off;\nmaster_process off;\nerror_log stderr;\npid "+dir+"/pid;\n"+
		"events {}\nhttp {\n\taccess_log off;\n"+temp.String()+"\tinclude "+dir+"/site.conf;\n}\n"))
	p := start(t, exec.Command(program(t, "nginx"), "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf")))
	p.reachable(b.proxy)
	return p
}

// caddy starts Caddy with deploy/Caddyfile, and the test's certificate in place of ACME's.
func (b *behind) caddy(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	site := edited(t, "Caddyfile", "\nid.example.org {\n", "\n"+b.Endpoint+" {\n\tbind 127.0.0.1\n\ttls "+b.cert+" "+b.key+"\n", "127.0.0.1:8080", b.back)
	write(t, filepath.Join(dir, "Caddyfile"), []byte("{\n\tadmin off\n\tauto_https off\n}\n"+site))
	cmd := exec.Command(program(t, "caddy"), "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
	cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	start(t, cmd).reachable(b.proxy)
}

// code is the code of an API's error.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return fmt.Sprint(err)
}

// works holds a server behind a proxy to what it owes its clients.
func (b *behind) works(t *testing.T) {
	t.Helper()
	ctx, client := t.Context(), b.visitor(t)
	config := b.operatorVia(client)
	if _, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, nil); err != nil {
		t.Errorf("signed call: %v", err)
	}
	_, err := identitystore.NewFromConfig(config).CreateGroup(ctx, &identitystore.CreateGroupInput{
		IdentityStoreId: aws.String(b.IdentityStoreID), DisplayName: aws.String("proxied"),
	})
	if err != nil {
		t.Errorf("signed JSON call: %v", err)
	}
	if d := cmp.Diff([]string{visitorIP}, b.sources("CreateGroup")); d != "" {
		t.Errorf("address in the audit log:\n%s", d)
	}
	_, err = sso.NewFromConfig(config).ListAccounts(ctx, &sso.ListAccountsInput{AccessToken: aws.String("made up")})
	want[*ssotypes.UnauthorizedException](t, err)

	config.Credentials = credentials.NewStaticCredentialsProvider("ASIAEXAMPLEEXAMPLE12", "secret", strings.Repeat("x", 8192))
	if _, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, nil); code(err) != "InvalidClientTokenId" {
		t.Errorf("call with a large token: %v", err)
	}
	b.pages(ctx, t, client)
	for name, c := range b.doctor(b.authority) {
		if c.Result != "ok" && name != "environment" {
			t.Errorf("doctor: %s is %s: %s", name, c.Result, c.Text)
		}
	}
}

// pages looks at what browsers and the CLI's start URL meet.
func (b *behind) pages(ctx context.Context, t *testing.T, client *http.Client) {
	t.Helper()
	for _, test := range []struct{ method, url, status, location, header string }{
		{http.MethodHead, b.Endpoint + "/start", "HTTP/2.0 302", b.StartURL, "max-age=31536000"},
		{http.MethodGet, b.Endpoint + "/signin", "HTTP/2.0 200", "", "max-age=31536000"},
		{http.MethodGet, "http://" + b.back + "/signin", "HTTP/1.1 403", "", ""}, // past the proxy
		{http.MethodGet, "http://" + b.back + "/healthz", "HTTP/1.1 200", "", ""},
	} {
		r, err := http.NewRequestWithContext(ctx, test.method, test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Errorf("%s %s: %v", test.method, test.url, err)
			continue
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		status := fmt.Sprintf("%s %d", res.Proto, res.StatusCode)
		if status != test.status || test.location != "" && res.Header.Get("Location") != test.location || res.Header.Get("Strict-Transport-Security") != test.header {
			t.Errorf("%s %s: %s %v", test.method, test.url, status, res.Header)
		}
	}
}

// TestNginx runs deploy/nginx.conf, and then without each of the lines that people leave out.
func TestNginx(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	nginx := b.nginx(t)
	b.works(t)
	res, err := b.visitor(t).Get("http://" + b.plain + "/portal?a=b")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || got != b.Endpoint+"/portal?a=b" {
		t.Errorf("plain HTTP: %s %s", res.Status, got)
	}

	for _, test := range []struct{ line, check, code string }{
		{"\tunderscores_in_headers on;\n", "headers", ""},
		{"\t\tproxy_set_header Host $http_host;\n", "host", "SignatureDoesNotMatch"},
		{"\t\tproxy_set_header X-Forwarded-Proto $scheme;\n", "scheme", "refused"},
		{"127.0.0.1:8080;", "path", ""},
	} {
		nginx.terminate()
		instead := ""
		if test.check == "path" { // not left out, but written as many do
			test.line, instead = b.back+";", b.back+"/;"
		}
		nginx = b.nginx(t, test.line, instead)
		if found := b.doctor(b.authority)[test.check]; found.Result != "bad" {
			t.Errorf("without %q the doctor finds %v", test.line, found)
		}
		_, err := sts.NewFromConfig(b.operatorVia(b.visitor(t))).GetCallerIdentity(t.Context(), nil)
		if (test.code == "") != (err == nil) || test.code == "SignatureDoesNotMatch" && code(err) != test.code {
			t.Errorf("without %q a signed call ends with %v", test.line, err)
		}
	}
}

// TestCaddy runs deploy/Caddyfile.
func TestCaddy(t *testing.T) {
	t.Parallel()
	b := newBehind(t)
	b.caddy(t)
	b.works(t)
}
