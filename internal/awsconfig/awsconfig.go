// Package awsconfig keeps one marked block of profiles in an AWS shared configuration file (~/.aws/config).
//
// All bytes outside the block belong to somebody else and stay as they are. The package knows the file's syntax as
// botocore reads it, the strictest of its readers; which accounts and roles there are is told to it.
package awsconfig

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"sallyport/internal/fault"
)

// Profile is one role of one account, under the name that a person gives to --profile.
type Profile struct {
	Name        string // set by Names
	AccountID   string
	AccountName string // for the name only
	RoleName    string
	Region      string
}

// Block is all that the marked block says. The zero Block says nothing: merging it removes the block.
type Block struct {
	Session   string            // name of the sso-session section
	StartURL  string            // what clients send as start URL
	Region    string            // region of the instance
	Scopes    []string          // registration scopes
	Services  string            // name of the services section
	Endpoints map[string]string // service as the file names it (sso, sso_oidc, sts, …) to URL
	Profiles  []Profile
}

func (b Block) empty() bool { return b.Session == "" && b.Services == "" && len(b.Profiles) == 0 }

// section is one section of the file: its header without brackets, and its lines.
type section struct {
	header string
	lines  []string
}

// Render is the block's text, without markers, with LF line ends. The same block always gives the same text.
//
// Every profile names the services section, since botocore looks endpoints up through the profile in use; so `aws sso
// login` and `aws sso logout` reach this server too, but only with --profile (botocore, ConfiguredEndpointProvider).
func Render(b Block) (string, error) {
	sections, err := b.sections()
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for i, s := range sections {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString("[" + s.header + "]\n")
		for _, line := range s.lines {
			out.WriteString(line + "\n")
		}
	}
	return out.String(), nil
}

func (b Block) sections() ([]section, error) {
	if b.empty() {
		return nil, nil
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	out := []section{
		{"sso-session " + b.Session, []string{
			"sso_start_url = " + b.StartURL,
			"sso_region = " + b.Region,
			"sso_registration_scopes = " + strings.Join(b.Scopes, ","),
		}},
		{"services " + b.Services, nil},
	}
	services := &out[1]
	for _, id := range slices.Sorted(maps.Keys(b.Endpoints)) {
		services.lines = append(services.lines, id+" =", "  endpoint_url = "+b.Endpoints[id])
	}
	profiles := slices.SortedFunc(slices.Values(b.Profiles), func(x, y Profile) int { return strings.Compare(x.Name, y.Name) })
	for i, p := range profiles {
		if i > 0 && profiles[i-1].Name == p.Name {
			return nil, fault.Invalidf("two profiles have the name %q", p.Name)
		}
		out = append(out, section{"profile " + p.Name, []string{
			"sso_session = " + b.Session,
			"sso_account_id = " + p.AccountID,
			"sso_role_name = " + p.RoleName,
			"region = " + p.Region,
			"services = " + b.Services,
		}})
	}
	return out, nil
}

var (
	nameForm      = regexp.MustCompile(`^[A-Za-z0-9_.@+=/:][A-Za-z0-9_.@+=/:-]{0,199}$`) // needs no quotes in a section header
	valueForm     = regexp.MustCompile(`^[!-~]{1,1000}$`)                                // printable ASCII: botocore reads the file in the locale's encoding
	accountForm   = regexp.MustCompile(`^[0-9]{12}$`)
	serviceIDForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// check keeps what came from elsewhere from breaking out of its line.
func (b Block) check() error {
	for _, name := range []string{b.Session, b.Services} {
		if !nameForm.MatchString(name) {
			return fault.Invalidf("%q cannot be the name of a section: use letters, digits and any of _.@+=/:-", name)
		}
	}
	if len(b.Scopes) == 0 || len(b.Endpoints) == 0 {
		return fault.Invalidf("a block needs at least one registration scope and one endpoint")
	}
	values := slices.Concat([]string{b.StartURL, b.Region}, b.Scopes, slices.Collect(maps.Values(b.Endpoints)))
	for id := range b.Endpoints {
		if !serviceIDForm.MatchString(id) {
			return fault.Invalidf("%q is not a service of the configuration file", id)
		}
	}
	for _, p := range b.Profiles {
		if !nameForm.MatchString(p.Name) {
			return fault.Invalidf("%q cannot be the name of a profile: use letters, digits and any of _.@+=/:-", p.Name)
		}
		if !accountForm.MatchString(p.AccountID) {
			return fault.Invalidf("profile %q: %q is not an account ID", p.Name, p.AccountID)
		}
		values = append(values, p.RoleName, p.Region)
	}
	for _, v := range values {
		if !valueForm.MatchString(v) {
			return fault.Invalidf("%q cannot stand in the configuration file: values are printable ASCII without spaces", v)
		}
	}
	return nil
}
