// Package e2e tests the built program with the clients that people use: boto3, the AWS CLI, the AWS SDK for Go, what
// Terraform's provider does with that, and a browser. Nothing of the program is linked into these tests, except to put into a
// stopped server's database what no client can put there; it is started, spoken to and killed from outside.
//
// The AWS CLI and boto3 are Debian 13's, in a folder that scripts/aws-cli-chroot makes; the tests enter it by chroot and
// therefore run as root. What boto3 does beyond the sample is written in Python: testdata/boto has a table of calls for
// each family of operations, and holds the tables against boto3's own lists of operations, errors and paginators.
//
// A failing test leaves a picture of its browser pages among its artifacts (go test -artifacts).
package e2e
