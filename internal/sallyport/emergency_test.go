package sallyport_test

import (
	"strings"
	"testing"

	"sallyport/internal/arn"
	api "sallyport/internal/awsapi/sallyport"
)

// TestEmergencyIsOfTheManagementAccount: who says how an emergency is met gives access to every account, so that a delegated
// administrator may look, and change nothing.
func TestEmergencyIsOfTheManagementAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, user := arn.NewUUID(), arn.NewUUID()
	changes := map[string]func(*world) (string, bool){
		"prepare": opens[api.PrepareEmergencyAccessResponse](&api.PrepareEmergencyAccessRequest{
			InstanceArn: w.instance.ID.ARN(), PermissionSetArn: arn.NewPermissionSet(w.instance.ID).ARN(), Name: "Down", AccountIds: []string{string(delegate)}, OpenerIds: []string{user},
		}),
		"update":       opens[api.UpdateEmergencyAccessResponse](&api.UpdateEmergencyAccessRequest{AccessId: id, AccountIds: []string{string(delegate)}, OpenerIds: []string{user}}),
		"delete":       opens[api.DeleteEmergencyAccessResponse](&api.DeleteEmergencyAccessRequest{AccessId: id}),
		"codes":        opens[api.CreateEmergencyCodesResponse](&api.CreateEmergencyCodesRequest{AccessId: id, Count: 1}),
		"test":         opens[api.TestEmergencyAccessResponse](&api.TestEmergencyAccessRequest{AccessId: id}),
		"close":        opens[api.CloseEmergencyOpeningResponse](&api.CloseEmergencyOpeningRequest{OpeningId: id}),
		"close review": opens[api.CloseEmergencyReviewResponse](&api.CloseEmergencyReviewRequest{OpeningId: id, Reason: "It was a drill."}),
	}
	d := w.as(w.keys[delegate])
	for name, try := range changes {
		if message, done := try(d); done || !strings.Contains(message, "management account") {
			t.Errorf("%s is answered %q (done: %t)", name, message, done)
		}
	}
	must[api.ListEmergencyAccessesResponse](d, &api.ListEmergencyAccessesRequest{})
	must[api.ListEmergencyOpeningsResponse](d, &api.ListEmergencyOpeningsRequest{})
	fails(w, &api.DeleteEmergencyAccessRequest{AccessId: id}, "ResourceNotFoundException")
	fails(w, &api.TestEmergencyAccessRequest{AccessId: id}, "ResourceNotFoundException")
	fails(w, &api.CloseEmergencyReviewRequest{OpeningId: id, Reason: "It was a drill."}, "ResourceNotFoundException")
}
