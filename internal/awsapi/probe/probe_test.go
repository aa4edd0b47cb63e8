package probe_test

import (
	"strings"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/awsapi/identitystore"
	"sallyport/internal/awsapi/probe"
	"sallyport/internal/awsapi/sallyport"
	"sallyport/internal/awsapi/sso"
	"sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/awsapi/ssooidc"
	"sallyport/internal/awsapi/sts"
	"sallyport/internal/fault"
)

var services = []*awsapi.Service{&ssoadmin.Info, &identitystore.Info, &sso.Info, &ssooidc.Info, &sts.Info, &sallyport.Info, &cloudtrail.Info}

const base = "https://example.com/"

func TestMinimal(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		for _, o := range s.Operations {
			p, err := probe.Minimal(s, o, base)
			if err != nil {
				t.Fatal(err)
			}
			if name, err := s.OperationName(p.Request, p.Body); err != nil || name != o.Name {
				t.Errorf("%s %s: routed to %q, %v", s.ID, o.Name, name, err)
			}
			if _, err := s.DecodeRequest(o, p.Request, p.Body); err != nil {
				t.Errorf("%s %s: %v\n%s", s.ID, o.Name, err, p.Body)
			}
		}
	}
}

// TestAll sends every probe through the decoder, and makes sure that there are as many as the models have constraints.
func TestAll(t *testing.T) {
	t.Parallel()
	for _, s := range services {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			n := 0
			for _, o := range s.Operations {
				probes, err := probe.All(s, o, base)
				if err != nil {
					t.Fatal(err)
				}
				n += len(probes)
				for _, p := range probes {
					check(t, s, o, p)
				}
			}
			t.Logf("%s: %d probes of %d operations", s.ID, n, len(s.Operations))
		})
	}
}

func check(t *testing.T, s *awsapi.Service, o *awsapi.OperationMeta, p probe.Probe) {
	t.Helper()
	in, err := s.DecodeRequest(o, p.Request, p.Body)
	if fault.As(err) == nil {
		t.Errorf("%s, %s: error %v for %.300s", o.Name, p.Name, err, p.Body)
		return
	}
	code, message := s.Code(err)
	if code != p.Code || !strings.Contains(message, p.Want) {
		t.Errorf("%s, %s: %s %q\nwant %s %q\nfor %.300s", o.Name, p.Name, code, message, p.Code, p.Want, p.Body)
	}
	if invalid := fault.KindOf(err) == fault.Invalid; invalid != (in != nil) {
		t.Errorf("%s, %s: input given %t, invalid %t", o.Name, p.Name, in != nil, invalid)
	}
}
