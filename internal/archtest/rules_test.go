package archtest

import "slices"

// The layers, bottom first. A package imports downward only; within a layer, only what its own line allows.
var (
	leaves    = []string{"alert/pattern", "arn", "awsapi", "breach", "clock", "config", "fault", "outbound", "page", "passkey", "qr", "quota", "secevent", "skim", "totp"}
	contracts = []string{"awsapi/cloudtrail", "awsapi/identitystore", "awsapi/sallyport", "awsapi/sso", "awsapi/ssoadmin", "awsapi/ssooidc", "awsapi/sts"}
	engines   = []string{"audit", "bucket", "credential", "keyring", "kms", "mail", "policy", "policy/managed", "sigv4", "store", "stream", "trailfile"}
	senders   = []string{"audit/format", "sink", "sink/kafka", "sink/nats", "sink/s3", "sink/syslog"} // engines too, in a line of their own
	rules     = []string{"access", "alert", "application", "collect", "directory", "emergency", "heed", "instance", "login", "provision", "provision/local", "revocation", "scimpush", "session", "setting", "signal", "trail", "usage", "vend"}
)

// allowed says which packages of ours each package may import, below internal/ (but for cmd). Tests may import more.
var allowed = map[string][]string{
	// Foundations: nothing of ours, but for each other where one line says so.
	"archtest":             nil,
	"alert/pattern":        {"fault"},
	"arn":                  {"fault"},
	"awsapi":               {"fault"},
	"awsapi/identitystore": {"awsapi"},
	"awsapi/cloudtrail":    {"awsapi"},
	"awsapi/internal/gen":  nil,
	"awsapi/probe":         join(contracts, "awsapi", "fault"),
	"awsapi/sallyport":     {"awsapi"},
	"awsapi/sso":           {"awsapi"},
	"awsapi/ssoadmin":      {"awsapi"},
	"awsapi/ssooidc":       {"awsapi"},
	"awsapi/sts":           {"awsapi"},
	"breach":               {"fault"},
	"breach/gen":           nil,
	"clock":                nil,
	"clock/clocktest":      {"clock"},
	"config":               {"fault"},
	"fault":                nil,
	"doctor":               {"clock", "fault", "portalclient"},
	"outbound":             {"config", "fault"},
	"page":                 {"fault"},
	"passkey":              {"fault"},
	"passkey/passkeytest":  nil,
	"qr":                   {"fault"},
	"quota":                {"fault"},
	"secevent":             {"awsapi"},
	"skim":                 nil,
	"totp":                 {"fault"},

	// Engines: the store knows no rule, and what decides knows no store.
	"audit":                  join(leaves, "store", "audit/format"),
	"audit/format":           join(leaves, "store"),
	"bucket":                 join(leaves, "sigv4"),
	"bucket/buckettest":      join(leaves, "sigv4"),
	"credential":             join(leaves, "store", "keyring"),
	"keyring":                join(leaves, "store"),
	"kms":                    leaves,
	"mail":                   join(leaves, "store", "keyring"),
	"mail/mailtest":          {"clock"},
	"policy":                 leaves,
	"policy/managed":         join(leaves, "policy"),
	"policy/managed/gen":     {"policy", "policy/managed"},
	"sigv4":                  leaves,
	"sink":                   join(leaves, "audit", "audit/format", "store"),
	"sink/kafka":             sender,
	"sink/nats":              sender,
	"sink/s3":                sender,
	"sink/sinktest":          {"store"},
	"sink/syslog":            sender,
	"store":                  leaves,
	"store/storetest":        join(leaves, "clock/clocktest", "store", "store/storetest/pgtest"),
	"store/storetest/pgtest": nil,
	"stream":                 join(leaves, append([]string{"audit", "keyring", "store"}, senders...)...),
	"trailfile":              join(leaves, "bucket"),

	// Rules: on the engines, and on few of each other.
	"access":                  join(below, "directory"),
	"alert":                   join(below, "setting", "sink", "sink/syslog"),
	"application":             join(below, "access"),
	"collect":                 below,
	"directory":               join(below, "signal"),
	"emergency":               join(below, "access", "session", "setting"),
	"heed":                    join(below, "directory", "login", "session", "setting", "signal"),
	"instance":                join(below, "application", "directory"),
	"login":                   join(below, "directory", "session", "setting", "signal"),
	"provision":               join(below, "access", "setting"),
	"provision/local":         join(below, "access", "provision"),
	"provision/provisiontest": {"arn", "fault", "provision"},
	"scimpush":                join(below, "directory"),
	"revocation":              join(below, "access", "provision", "session"),
	"session":                 join(below, "setting", "signal"),
	"setting":                 below,
	"signal":                  join(below, "setting"),
	"trail":                   join(below, "setting"),
	"usage":                   join(below, "setting"),
	"vend":                    join(below, "access", "directory", "provision", "revocation", "session", "setting"),

	// Protocols: each between one wire and the domain; none knows another, but for the path that they share.
	"endpoint":      join(below, rules...),
	"cloudtrail":    protocol,
	"identitystore": protocol,
	"oauth":         protocol,
	"objects":       protocol,
	"portal":        protocol,
	"sallyport":     protocol,
	"scim":          append([]string{"scim/resource"}, protocol...),
	"scim/resource": {"fault"},
	"ssf":           protocol,
	"ssoadmin":      protocol,
	"ssooidc":       protocol,
	"sts":           protocol,
	"web":           protocol,

	// The house that the tests of the administrative operations share.
	"ssoadmin/admintest": join(everything, "clock/clocktest", "store/storetest", "store/storetest/pgtest"),

	// Composition. The configuration writer and its client of the portal know only what travels.
	"apiclient":     join(leaves, join(contracts, "sigv4")...),
	"ascode":        join(leaves, join(contracts, "apiclient")...),
	"awsconfig":     join(leaves, join(contracts, "portalclient")...),
	"migrate":       join(leaves, join(contracts, "apiclient", "ascode", "sigv4")...),
	"portalclient":  join(leaves, contracts...),
	"server":        everything,
	"cmd/sallyport": everything,
}

var (
	below    = slices.Concat(leaves, engines, senders)
	sender   = slices.Concat(leaves, []string{"audit", "audit/format", "sink", "store"})
	protocol = slices.Concat(below, rules, contracts, []string{"endpoint"})

	// everything is what only the outermost packages may import: all but what exists for tests and tools.
	everything = slices.Concat(protocol, []string{
		"apiclient", "ascode", "awsconfig", "cloudtrail", "doctor", "identitystore", "migrate", "oauth", "objects", "portal", "portalclient", "sallyport", "scim", "server", "ssf", "ssoadmin", "ssooidc", "sts", "web",
	})
)

// forbidden names outside packages, with all that is below them, that a package of ours may not import.
var forbidden = map[string][]string{
	"login":   {"net/http"},
	"policy":  {"context", "database/sql", "net/http", "os"}, // pure: same inputs, same answer
	"session": {"net/http"},
	"sigv4":   {"database/sql", "os"},
	"store":   {"net/http"},
}

// reserved says which packages alone may import something from outside.
var reserved = map[string][]string{
	"database/sql":                {"store", "store/storetest"},
	"github.com/aws":              {"bucket", "kms", "migrate", "sink/s3"},
	"github.com/fxamacker/cbor":   {"passkey/passkeytest"},
	"github.com/go-jose":          {"secevent"},
	"github.com/go-webauthn":      {"passkey"},
	"go.yaml.in/yaml":             {"ascode"},
	"github.com/jackc/pgx/v5":     {"store", "store/storetest"},
	"github.com/nats-io":          {"sink/nats"},
	"github.com/pressly/goose/v3": {"store"},
	"github.com/spf13/cobra":      {"cmd/sallyport"},
	"github.com/twmb":             {"sink/kafka"},
	"math/rand":                   nil, // crypto/rand, always
	"modernc.org/sqlite":          {"store", "store/storetest"},
	"rsc.io/qr":                   {"qr"},
}

// printing is for programs.
var printing = []string{"cmd/sallyport", "awsapi/internal/gen", "policy/managed/gen"}

// calls says which packages alone may use a function.
var calls = map[string][]string{
	"fmt.Print":    printing,
	"fmt.Printf":   printing,
	"fmt.Println":  printing,
	"os.Environ":   {"cmd/sallyport", "config"},
	"os.Getenv":    {"cmd/sallyport", "config"},
	"os.LookupEnv": {"cmd/sallyport", "config"},
	"time.Now":     {"clock"},
	"time.Since":   nil,
	"time.Until":   nil,
}

// Sizes past which a file or a function has more than one job. Generated files are exempt.
const (
	maxFileLines = 500
	maxFuncLines = 80
)

func join(base []string, more ...string) []string { return slices.Concat(base, more) }
