package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// model is the part of an api-2.json that the contract is made of.
type model struct {
	Metadata   metadata
	Operations map[string]operation
	Shapes     map[string]*shape
}

type metadata struct {
	Protocol, ServiceID, ServiceFullName, APIVersion, TargetPrefix, SigningName, EndpointPrefix, XMLNamespace string
}

type operation struct {
	HTTP struct {
		Method     string
		RequestURI string
	}
	Input, Output ref
	Errors        []ref
	AuthType      string
	Self          bool   // of our own model: a person may call it for themselves, by their portal token
	Documentation string // of our own model
}

type ref struct {
	Shape         string
	ResultWrapper string
	Location      string
	LocationName  string
}

type shape struct {
	Type               string
	Members            map[string]ref
	Required           []string
	Member, Key, Value ref
	Min, Max           *int64
	Pattern            string
	Enum               []string
	Sensitive          bool
	Document           bool
	Union              bool
	Exception          bool
	Fault              bool
	Error              struct {
		Code           string
		HTTPStatusCode int
	}
}

// load reads a service's model and lays the overlay over it.
func load(models string, s service) (*model, error) {
	base, err := os.ReadFile(s.path(models))
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(base, &tree); err != nil {
		return nil, err
	}
	patch, err := os.ReadFile(filepath.Join(overlayDir, s.model+".json"))
	switch {
	case os.IsNotExist(err): // nothing newer
	case err != nil:
		return nil, err
	default:
		var over any
		if err := json.Unmarshal(patch, &over); err != nil {
			return nil, fmt.Errorf("overlay: %w", err)
		}
		tree = merge(tree, over)
	}
	merged, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	m := new(model)
	if err := json.Unmarshal(merged, m); err != nil {
		return nil, err
	}
	m.normalize()
	return m, nil
}

// merge is RFC 7396: objects are merged, null removes, anything else replaces.
func merge(base, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	b, ok := base.(map[string]any)
	if !ok {
		b = map[string]any{}
	}
	for k, v := range p {
		if v == nil {
			delete(b, k)
			continue
		}
		b[k] = merge(b[k], v)
	}
	return b
}

// normalize drops the anchors that some model versions put around a pattern: patterns always mean the whole value.
func (m *model) normalize() {
	for _, s := range m.Shapes {
		s.Pattern = strings.TrimPrefix(s.Pattern, "^")
		if !strings.HasSuffix(s.Pattern, `\$`) {
			s.Pattern = strings.TrimSuffix(s.Pattern, "$")
		}
	}
	for _, op := range m.Operations {
		slices.SortFunc(op.Errors, func(a, b ref) int { return strings.Compare(a.Shape, b.Shape) })
	}
}

// authz is what the models lack about one service.
type authz struct {
	EventSource string
	Operations  map[string]authzRow
}

// authzRow is one operation as the service authorization reference has it.
type authzRow struct {
	Action      string   // "" where there is nothing to authorize
	Access      string   // read or write
	Resources   []string // ARN templates
	EventSource string   // where it differs from the service's
}

func loadAuthz(path string) (map[string]authz, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct{ Services map[string]authz }
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return file.Services, nil
}
