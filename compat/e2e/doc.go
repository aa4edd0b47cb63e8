// Package e2e tests the built program with the clients that people use: boto3, the AWS CLI, the AWS SDK for Go and a
// browser. Nothing of the program is linked into these tests; it is started, spoken to and killed from outside.
//
// The AWS CLI and boto3 are Debian 13's, in a folder that scripts/aws-cli-chroot makes; the tests enter it by chroot and
// therefore run as root. A failing test leaves a picture of its browser pages among its artifacts (go test -artifacts).
package e2e
