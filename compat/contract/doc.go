// Package contract runs the wire fixtures that the AWS SDK for Go v2 ships inside its service modules through package awsapi:
// every request, response and error is decoded and encoded again and must come out equal. The fixtures are read from the module
// cache at the versions in go.mod, so a new SDK release shows here what the models lack.
//
// What filters and PATCHes of SCIM mean is compared with what other implementations make of them (scripts/scim-peers).
package contract
