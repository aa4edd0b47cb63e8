// Command gen writes the contract packages of internal/awsapi: one zz_generated.go per service.
//
// Its input are the api-2.json models of module github.com/aws/aws-sdk-go (pinned in tools/go.mod, Apache-2.0), read from the
// module cache, and what AWS published since: overlay/<service>.json, a JSON merge patch (RFC 7396) in the same grammar.
// The model of our own service is models/sallyport.json; it says "self" of operations, and "documentation", beside that grammar.
// overlay/authz.json adds what no model has: the IAM action and the resources of each operation. Its output is data and types;
// control flow is package awsapi's.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	module     = "github.com/aws/aws-sdk-go"
	overlayDir = "internal/gen/overlay"
	ownDir     = "internal/gen/models"
)

// service tells where a model comes from and which package it becomes.
type service struct {
	pkg, model, version string
	own                 bool // the model is in our own tree
}

// path is the model's file. models is where those of the module lie.
func (s service) path(models string) string {
	if s.own {
		return filepath.Join(ownDir, s.model+".json")
	}
	return filepath.Join(models, s.model, s.version, "api-2.json")
}

var services = []service{
	{pkg: "ssoadmin", model: "sso-admin", version: "2020-07-20"},
	{pkg: "identitystore", model: "identitystore", version: "2020-06-15"},
	{pkg: "sso", model: "sso", version: "2019-06-10"},
	{pkg: "ssooidc", model: "sso-oidc", version: "2019-06-10"},
	{pkg: "sts", model: "sts", version: "2011-06-15"},
	{pkg: "cloudtrail", model: "cloudtrail", version: "2013-11-01"},
	{pkg: "sallyport", model: "sallyport", version: "2026-11-01", own: true},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run works in the directory of package awsapi, where go generate starts it.
func run() error {
	models, err := modelDir(filepath.Join("..", "..", "tools"))
	if err != nil {
		return err
	}
	authz, err := loadAuthz(filepath.Join(overlayDir, "authz.json"))
	if err != nil {
		return err
	}
	for _, s := range services {
		m, err := load(models, s)
		if err != nil {
			return fmt.Errorf("load %s: %w", s.model, err)
		}
		src, err := generate(s, m, authz[s.model])
		if err != nil {
			return fmt.Errorf("generate %s: %w", s.pkg, err)
		}
		if err := write(s.pkg, src); err != nil {
			return err
		}
	}
	return nil
}

func write(pkg string, src []byte) error {
	if err := os.MkdirAll(pkg, 0o755); err != nil {
		return err
	}
	path := filepath.Join(pkg, "zz_generated.go")
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, src) {
		return nil
	}
	return os.WriteFile(path, src, 0o644)
}

// modelDir asks the go command where the pinned module lies, and has it downloaded if it must be.
func modelDir(tools string) (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = tools
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("download %s: %w", module, err)
	}
	var mod struct{ Dir string }
	if err := json.Unmarshal(out, &mod); err != nil {
		return "", fmt.Errorf("read what go mod download printed: %w", err)
	}
	return filepath.Join(mod.Dir, "models", "apis"), nil
}
