package objects

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sallyport/internal/bucket"
	"sallyport/internal/fault"
)

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// maxKeys is how many keys S3 lists at once.
const maxKeys = 1000

type object struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

type common struct{ Prefix string }

// listing is the answer to both versions of the list; what the other has is left out.
type listing struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Namespace             string   `xml:"xmlns,attr"`
	Name                  string
	Prefix                string
	Marker                *string
	NextMarker            string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              *int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []object
	CommonPrefixes        []common
}

// etag names a version of an object. It is no MD5, which the dash says, as of an object that came in parts.
func etag(o bucket.Object) string {
	sum := sha256.Sum256(fmt.Append(nil, o.Key, "\x00", o.Size, "\x00", o.Modified.UnixNano()))
	return `"` + hex.EncodeToString(sum[:16]) + `-1"`
}

// list answers ListObjects and ListObjectsV2.
func (s *Server) list(w http.ResponseWriter, r *http.Request, q request) error {
	query := r.URL.Query()
	page := &listing{Namespace: namespace, Name: q.bucket, Prefix: query.Get("prefix"), Delimiter: query.Get("delimiter"), MaxKeys: maxKeys}
	if text := query.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fault.Invalidf("Argument max-keys must be an integer between 0 and 2147483647.").WithReason("InvalidArgument")
		}
		page.MaxKeys = min(n, maxKeys)
	}
	after, second := query.Get("marker"), query.Get("list-type") == "2"
	if second {
		after = query.Get("start-after")
		page.StartAfter, page.ContinuationToken = after, query.Get("continuation-token")
		if page.ContinuationToken != "" {
			b, err := hex.DecodeString(page.ContinuationToken)
			if err != nil {
				return fault.Invalidf("The continuation token provided is incorrect.").WithReason("InvalidArgument")
			}
			after = string(b)
		}
	}
	d, err := s.open(r, q.bucket)
	if err != nil {
		return err
	}
	defer d.Close()
	last, err := page.fill(r, d, after)
	if err != nil {
		return err
	}
	if second {
		page.KeyCount = new(len(page.Contents) + len(page.CommonPrefixes))
		if page.IsTruncated {
			page.NextContinuationToken = hex.EncodeToString([]byte(last))
		}
	} else {
		page.Marker = &after
		if page.IsTruncated && page.Delimiter != "" {
			page.NextMarker = last
		}
	}
	if query.Get("encoding-type") == "url" {
		page.encode()
	}
	return s.write(w, page)
}

// fill takes the keys that come after one, and returns the last, or the last common prefix.
func (l *listing) fill(r *http.Request, d *bucket.Directory, after string) (last string, err error) {
	const beyond = "\U0010FFFF" // sorts behind all that begins with a common prefix
	last = after
	if l.Delimiter != "" && strings.HasPrefix(after, l.Prefix) && strings.HasSuffix(after, l.Delimiter) && after != l.Prefix {
		after += beyond
	}
	for n := l.MaxKeys; n > 0; {
		found, more, err := d.List(r.Context(), l.Prefix, after, n)
		if err != nil {
			return "", fmt.Errorf("list objects: %w", err)
		}
		jumped := false
		for _, o := range found {
			if rest, _, ok := strings.Cut(o.Key[len(l.Prefix):], l.Delimiter); ok && l.Delimiter != "" {
				last = l.Prefix + rest + l.Delimiter
				l.CommonPrefixes = append(l.CommonPrefixes, common{last})
				after, jumped = last+beyond, true
				n--
				break
			}
			last, after = o.Key, o.Key
			l.Contents = append(l.Contents, object{o.Key, o.Modified.Format("2006-01-02T15:04:05.000Z"), etag(o), o.Size, "STANDARD"})
			n--
		}
		l.IsTruncated = more || jumped
		if !jumped {
			break
		}
	}
	if l.IsTruncated {
		rest, _, err := d.List(r.Context(), l.Prefix, after, 1)
		if err != nil {
			return "", fmt.Errorf("list objects: %w", err)
		}
		l.IsTruncated = len(rest) > 0
	}
	return last, nil
}

// encode writes keys as URLs do: XML has no place for some characters.
func (l *listing) encode() {
	l.EncodingType = "url"
	escape := func(s *string) { *s = strings.ReplaceAll(url.QueryEscape(*s), "%2F", "/") }
	for _, s := range []*string{&l.Prefix, &l.NextMarker, &l.StartAfter, &l.Delimiter} {
		escape(s)
	}
	if l.Marker != nil {
		l.Marker = new(strings.ReplaceAll(url.QueryEscape(*l.Marker), "%2F", "/"))
	}
	for i := range l.Contents {
		escape(&l.Contents[i].Key)
	}
	for i := range l.CommonPrefixes {
		escape(&l.CommonPrefixes[i].Prefix)
	}
}

// location tells the bucket's region, which is the server's.
func (s *Server) location(w http.ResponseWriter, r *http.Request, q request) error {
	d, err := s.open(r, q.bucket)
	if err != nil {
		return err
	}
	defer d.Close()
	out := struct {
		XMLName   xml.Name `xml:"LocationConstraint"`
		Namespace string   `xml:"xmlns,attr"`
		Region    string   `xml:",chardata"`
	}{Namespace: namespace, Region: s.Region}
	if s.Region == "us-east-1" { // which S3 has no name for
		out.Region = ""
	}
	return s.write(w, out)
}

func (s *Server) write(w http.ResponseWriter, v any) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if err := xml.NewEncoder(&b).Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes()) // the client is gone if this fails
	return nil
}
