package contract

import (
	"encoding/json"
	"os"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	managerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
)

// TestEnvoyConfiguration: no package that we can have brings Envoy's program, so its configuration is held against the types that Envoy
// publishes, with every rule that they have of themselves, and against what Sallyport needs of a proxy.
func TestEnvoyConfiguration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	var b bootstrapv3.Bootstrap
	if err := protojson.Unmarshal(raw, &b); err != nil { // which refuses names that no type has
		t.Fatal(err)
	}
	if err := b.ValidateAll(); err != nil {
		t.Error(err)
	}
	var m managerv3.HttpConnectionManager
	filter := b.GetStaticResources().GetListeners()[0].GetFilterChains()[0].GetFilters()[0]
	if err := filter.GetTypedConfig().UnmarshalTo(&m); err != nil {
		t.Fatal(err)
	}
	if err := m.ValidateAll(); err != nil {
		t.Error(err)
	}
	if m.GetCommonHttpProtocolOptions().GetHeadersWithUnderscoresAction() != corev3.HttpProtocolOptions_ALLOW {
		t.Error("the portal's bearer token, whose header has underscores, is dropped")
	}
	if m.GetNormalizePath().GetValue() || m.GetMergeSlashes() || m.GetPathWithEscapedSlashesAction() != managerv3.HttpConnectionManager_KEEP_UNCHANGED {
		t.Error("paths are changed, which are signed")
	}
	if !m.GetUseRemoteAddress().GetValue() || m.GetXffNumTrustedHops() != 0 {
		t.Error("what clients say of their address is believed")
	}
	for _, r := range m.GetRouteConfig().GetVirtualHosts()[0].GetRoutes() {
		if r.GetRoute().GetHostRewriteSpecifier() != nil || r.GetRoute().GetPrefixRewrite() != "" || r.GetRoute().GetRegexRewrite() != nil {
			t.Error("Host or path is rewritten, which are signed")
		}
	}
}
