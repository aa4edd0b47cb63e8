package ssoadmin_test

import (
	"strings"
	"sync"
	"testing"

	"sallyport/internal/application"
	api "sallyport/internal/awsapi/ssoadmin"
	"sallyport/internal/clock"
	"sallyport/internal/ssoadmin/admintest"
	"sallyport/internal/store"
	"sallyport/internal/store/storetest"
)

// TestOfManyCreatorsOneWins: of those who make the same thing at once, one makes it and all others are told that it is there.
func TestOfManyCreatorsOneWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		app, member := w.application("App"), w.As(admintest.Member)
		for what, create := range map[string]func() error{
			"permission set": func() error {
				return fails[api.CreatePermissionSetResponse](w, &api.CreatePermissionSetRequest{InstanceArn: w.instance, Name: "Race"})
			},
			"assignment to an application": func() error {
				return fails[api.CreateApplicationAssignmentResponse](w, w.share(app, api.PrincipalTypeUser, w.user))
			},
			"token issuer": func() error {
				return fails[api.CreateTrustedTokenIssuerResponse](w, w.newIssuer("race", "https://race.example"))
			},
			"instance": func() error {
				_, err := admintest.Call[api.CreateInstanceResponse](t, member, &api.CreateInstanceRequest{})
				return err
			},
		} {
			made := 0
			for _, err := range atOnce(create) {
				switch {
				case err == nil:
					made++
				case !strings.HasPrefix(err.Error(), "ConflictException"):
					t.Errorf("%s: a loser got %v", what, err)
				}
			}
			if made != 1 {
				t.Errorf("%s: %d creators won", what, made)
			}
		}
	})
}

// TestOneApplicationOfAToken: names of applications may repeat, so the request that repeats one at the same moment is known by
// its client token alone, and is answered with what the first has made.
func TestOneApplicationOfAToken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(testing.TB, clock.Clock) *store.DB) {
		w := newWorldOn(t, open)
		in := &api.CreateApplicationRequest{InstanceArn: w.instance, ApplicationProviderArn: application.CustomProvider, Name: "App", ClientToken: new("once")}
		for _, err := range atOnce(func() error { return fails[api.CreateApplicationResponse](w, in) }) {
			if err != nil {
				t.Error(err)
			}
		}
		all := admintest.Must[api.ListApplicationsResponse](t, w.World, &api.ListApplicationsRequest{InstanceArn: w.instance}).Applications
		if len(all) != 1 {
			t.Errorf("%d applications were made", len(all))
		}
	})
}

// atOnce does the same sixteen times side by side.
func atOnce(do func() error) []error {
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = do() })
	}
	wg.Wait()
	return errs
}
