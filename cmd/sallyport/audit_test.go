package main

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sallyport/internal/apiclient"
	trailapi "sallyport/internal/awsapi/cloudtrail"
	"sallyport/internal/bucket/buckettest"
	"sallyport/internal/clock"
)

// s3 starts an S3 server with one bucket, in memory: s3 NAME BUCKET SECRETFILE. $NAME is its URL.
func s3(ts *testscript.TestScript, _ bool, args []string) {
	h := &buckettest.Server{Bucket: args[1], Secret: strings.TrimSpace(ts.ReadFile(args[2])), Clock: clock.System{}}
	s := httptest.NewServer(h)
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
	shelves.Store(s.URL, h)
}

// shelves are the S3 servers of scripts, by URL.
var shelves sync.Map

// trailed makes a trail that writes to a bucket, and waits until the S3 server at URL has two of its digests. keys.json are
// the public keys, as the API tells them: trailed DIR BUCKET URL.
func trailed(ts *testscript.TestScript, _ bool, args []string) {
	c, err := newClient(ts.MkAbs(args[0]))
	ts.Check(err)
	ctx := context.Background()
	_, _, err = apiclient.Ask[trailapi.CreateTrailResponse](ctx, c.Client, &trailapi.CreateTrailRequest{Name: "main", S3BucketName: args[1], EnableLogFileValidation: new(true)})
	ts.Check(err)
	_, _, err = apiclient.Ask[trailapi.StartLoggingResponse](ctx, c.Client, &trailapi.StartLoggingRequest{Name: "main"})
	ts.Check(err)
	found, _ := shelves.Load(args[2])
	shelf := found.(*buckettest.Server)
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		digests := 0
		for _, k := range shelf.Keys() {
			if strings.Contains(k, "CloudTrail-Digest_") {
				digests++
			}
		}
		if digests > 1 {
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the trail's files do not come")
		}
	}
	_, keys, err := apiclient.Ask[trailapi.ListPublicKeysResponse](ctx, c.Client, &trailapi.ListPublicKeysRequest{})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("keys.json"), keys, 0o600))
}
