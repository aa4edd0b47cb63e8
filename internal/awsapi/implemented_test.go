package awsapi_test

import (
	"context"
	"testing"

	"sallyport/internal/awsapi"
	"sallyport/internal/awsapi/sso"
)

type none struct{ sso.Unimplemented[int] }

type byPointer struct{ sso.Unimplemented[int] }

func (*byPointer) Logout(context.Context, int, *sso.LogoutRequest) (*sso.LogoutResponse, error) {
	return nil, nil
}

type byValue struct{ sso.Unimplemented[int] }

func (byValue) Logout(context.Context, int, *sso.LogoutRequest) (*sso.LogoutResponse, error) {
	return nil, nil
}

type wraps struct{ *byPointer }

type deep struct{ none }

func (d *deep) ListAccounts(context.Context, int, *sso.ListAccountsRequest) (*sso.ListAccountsResponse, error) {
	return nil, nil
}

// hidden has an implementation, but deeper than Unimplemented, which therefore answers.
type hidden struct {
	wraps
	sso.Unimplemented[int]
}

func TestImplemented(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		service   sso.Service[int]
		operation string
		want      bool
	}{
		{"nothing but Unimplemented", none{}, "Logout", false},
		{"Unimplemented itself", sso.Unimplemented[int]{}, "Logout", false},
		{"pointer receiver", &byPointer{}, "Logout", true},
		{"another method of it", &byPointer{}, "ListAccounts", false},
		{"value receiver", byValue{}, "Logout", true},
		{"value receiver through a pointer", &byValue{}, "Logout", true},
		{"another method through a pointer", &byValue{}, "ListAccounts", false},
		{"embedded implementation", wraps{&byPointer{}}, "Logout", true},
		{"what that lacks", wraps{&byPointer{}}, "GetRoleCredentials", false},
		{"declared above an embedded type", &deep{}, "ListAccounts", true},
		{"lacking at every depth", &deep{}, "Logout", false},
		{"declared below Unimplemented", hidden{}, "Logout", false},
		{"no such operation", &deep{}, "Login", false},
	} {
		if got := awsapi.Implemented(c.service, c.operation); got != c.want {
			t.Errorf("%s: Implemented(%T, %s) = %t, want %t", c.name, c.service, c.operation, got, c.want)
		}
	}
}
