// Package awsapi is the AWS wire: it decodes and validates requests, encodes answers, and writes faults as each service's
// exceptions, for awsJson 1.1, restJson 1 and Query. What it knows of a service are tables, generated into the packages below
// it; there is one walker for all of them. It knows neither who calls nor what an operation does: that is package endpoint's
// and the services' own.
package awsapi

//go:generate go run ./internal/gen
