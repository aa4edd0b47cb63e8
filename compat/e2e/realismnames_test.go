package e2e

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ssoadmin"
	admintypes "github.com/aws/aws-sdk-go-v2/service/ssoadmin/types"
)

// namesRows are about names that are taken, and about names and texts that are none.
var namesRows = []behaviour{
	{
		what: "create a permission set whose name is taken", aws: "ConflictException",
		source: "terraform #38544", run: func(w *realm) string {
			in := with{"Name": w.name()}
			w.must("CreatePermissionSet", in)
			return w.call("CreatePermissionSet", in).code()
		},
	},
	{
		what: "how often an SDK in its standard mode then tries", aws: "once",
		source: "aws-sdk-js-v3 #3822: a conflict is not retryable", run: attemptsAtTaken,
	},
	{
		what: "create one permission set eight times at once", aws: "1 accepted, 7 ConflictException",
		source: "API Reference, CreatePermissionSet: names are unique in an instance", run: func(w *realm) string {
			return w.atOnce("CreatePermissionSet", with{"Name": w.name()})
		},
	},
	{
		what: "a permission set named `two words`", aws: "ValidationException",
		source: "model, PermissionSetName", run: func(w *realm) string {
			return w.call("CreatePermissionSet", with{"Name": "two words"}).code()
		},
	},
	{
		what: "a permission set's name of 33 characters", aws: "ValidationException",
		source: "model, PermissionSetName", run: func(w *realm) string {
			return w.call("CreatePermissionSet", with{"Name": strings.Repeat("n", 33)}).code()
		},
	},
	{
		what: "create a user whose user name is taken", aws: "ConflictException, UNIQUENESS_CONSTRAINT_VIOLATION",
		source: "API Reference, CreateUser and ConflictException", run: func(w *realm) string {
			in := w.person(nil)
			w.must("CreateUser", in)
			return w.call("CreateUser", in).because()
		},
	},
	{
		what:   "create a user whose name differs from another's by case alone",
		source: "RFC 7643 §4.1 has user names without case", ours: "ConflictException", run: func(w *realm) string {
			in := w.person(nil)
			w.must("CreateUser", in)
			in["UserName"] = strings.ToUpper(in["UserName"].(string))
			return w.call("CreateUser", in).code()
		},
	},
	{
		what:   "find a user by the user name in another case",
		source: "as above", ours: "found", run: func(w *realm) string {
			in := w.person(nil)
			w.must("CreateUser", in)
			return w.found("GetUserId", unique("userName", strings.ToUpper(in["UserName"].(string))))
		},
	},
	{
		what: "create a user whose primary mail address is another's", aws: "ConflictException",
		source: "User Guide, user properties: a primary address is unique", run: func(w *realm) string {
			mail := with{"Emails": []with{{"Value": w.name() + "@example.org", "Primary": true, "Type": "work"}}}
			w.must("CreateUser", w.person(mail))
			return w.call("CreateUser", w.person(mail)).code()
		},
	},
	{
		what: "rename a user to a name that is taken", aws: "ConflictException, UNIQUENESS_CONSTRAINT_VIOLATION",
		source: "API Reference, UpdateUser and ConflictException", run: func(w *realm) string {
			in := w.person(nil)
			w.must("CreateUser", in)
			return w.call("UpdateUser", with{"UserId": w.user(), "Operations": attribute("userName", in["UserName"])}).because()
		},
	},
	{
		what: "a user named `Administrator`", aws: "refused",
		source: "API Reference, CreateUser: the name is reserved", run: func(w *realm) string {
			return w.call("CreateUser", w.person(with{"UserName": "Administrator"})).refused()
		},
	},
	{
		what: "a user name with a space", aws: "ValidationException",
		source: "model, UserName", run: func(w *realm) string {
			return w.call("CreateUser", w.person(with{"UserName": "ann lee"})).code()
		},
	},
	{
		what: "create a group whose display name is taken", aws: "ConflictException, UNIQUENESS_CONSTRAINT_VIOLATION",
		source: "API Reference, CreateGroup and ConflictException", run: func(w *realm) string {
			in := with{"DisplayName": w.name()}
			w.must("CreateGroup", in)
			return w.call("CreateGroup", in).because()
		},
	},
}

// attemptsAtTaken makes a permission set that is there, with the SDK's own retries, and counts its attempts.
func attemptsAtTaken(w *realm) string {
	name := w.name()
	w.must("CreatePermissionSet", with{"Name": name})
	again := false
	patient := ssoadmin.NewFromConfig(w.config, func(o *ssoadmin.Options) {
		o.Retryer = witness{retry.NewStandard(), func() { again = true }}
	})
	_, err := patient.CreatePermissionSet(w.ctx, &ssoadmin.CreatePermissionSetInput{InstanceArn: &w.instance, Name: aws.String(name)})
	switch conflict := (*admintypes.ConflictException)(nil); {
	case !errors.As(err, &conflict):
		return "no conflict to see"
	case again:
		return "several times"
	default:
		return "once"
	}
}
