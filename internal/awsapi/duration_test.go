package awsapi_test

import (
	"testing"

	"sallyport/internal/awsapi"
)

func TestMatchDuration(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"PT1H": true, "PT12H": true, "P1D": true, "P1DT1H30M": true, "PT0.5S": true, "-PT1H": true, "P1Y2M3W": true,
		"": false, "P": false, "PT": false, "1H": false, "PT1": false, "PT1H ": false, "PTH": false, "P1DT": true, "--PT1H": false, "PT1H\n": false,
	} {
		if got := awsapi.MatchDuration(value); got != want {
			t.Errorf("MatchDuration(%q) = %t", value, got)
		}
	}
}
