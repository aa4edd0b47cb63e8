//go:build tools

// Package tools pins what `make gen` and the checks run with, apart from the product's own dependencies.
//
// aws-sdk-go v1 is here for its models/apis/**/api-2.json alone (Apache-2.0): the generator in internal/awsapi/internal/gen
// reads them from the module cache. None of its code is built into anything.
package tools

import _ "github.com/aws/aws-sdk-go/aws"
