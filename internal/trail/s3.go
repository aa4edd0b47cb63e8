package trail

import (
	"sallyport/internal/bucket"
	"sallyport/internal/store"
)

func openS3(row store.TrailBucket, secret string) (bucket.Bucket, error) {
	return bucket.NewS3(bucket.S3Config{
		Endpoint: row.Endpoint, Region: row.Region, Name: row.Name, PathStyle: row.PathStyle, AccessKey: row.AccessKey, Secret: secret,
	})
}
