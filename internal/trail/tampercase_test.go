package trail_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"strings"

	"sallyport/internal/trailfile"
)

// tampering are ways to change a trail's files, and what must be found.
var tampering = map[string]struct {
	do      func(c *crime)
	want    string // by the files alone
	against string // with a copy of the log
}{
	"nothing":     {do: func(*crime) {}},
	"log deleted": {do: func(c *crime) { c.remove(c.logs[0]) }, want: trailfile.LogMissing},
	"log edited": {do: func(c *crime) {
		p, _ := c.get(c.logs[0])
		c.put(c.logs[0], bytes.Replace(p, []byte("Event1"), []byte("Event2"), 1), nil)
	}, want: trailfile.LogChanged},
	"logs exchanged": {do: func(c *crime) { c.swap(c.logs[0], c.logs[1]) }, want: trailfile.LogChanged},
	"log renamed": {do: func(c *crime) {
		p, _ := c.get(c.logs[0])
		c.put(c.logs[0][:len(c.logs[0])-12]+"AAAA.json.gz", p, nil)
		c.remove(c.logs[0])
	}, want: trailfile.LogMissing},
	"log cut":               {do: func(c *crime) { b := c.raw(c.logs[0]); c.putRaw(c.logs[0], b[:len(b)-6], nil) }, want: trailfile.LogUnreadable},
	"bytes behind a log":    {do: func(c *crime) { c.putRaw(c.logs[0], append(c.raw(c.logs[0]), "more"...), nil) }, want: trailfile.LogUnreadable},
	"a stream behind a log": {do: func(c *crime) { c.putRaw(c.logs[0], append(c.raw(c.logs[0]), c.raw(c.logs[1])...), nil) }, want: trailfile.LogUnreadable},
	"log added":             {do: func(c *crime) { p, _ := c.get(c.logs[1]); c.put(c.logs[0][:len(c.logs[0])-12]+"AAAA.json.gz", p, nil) }, want: trailfile.LogUnlisted},
	"digest deleted":        {do: func(c *crime) { c.remove(c.digests[2]) }, want: trailfile.DigestMissing},
	"digest edited": {do: func(c *crime) {
		p, m := c.get(c.digests[2])
		c.put(c.digests[2], bytes.Replace(p, []byte("T1"), []byte("T0"), 1), m)
	}, want: trailfile.SignatureInvalid},
	"digests exchanged": {do: func(c *crime) { c.swap(c.digests[1], c.digests[2]) }, want: trailfile.DigestMoved},
	"digest moved": {do: func(c *crime) {
		p, m := c.get(c.digests[3])
		c.remove(c.digests[3])
		c.put(strings.Replace(c.digests[3], "0000Z.json", "3000Z.json", 1), p, m)
	}, want: trailfile.DigestMoved},
	"digest renamed": {do: func(c *crime) {
		p, m := c.get(c.digests[5])
		c.remove(c.digests[5])
		c.put(strings.Replace(c.digests[5], "0000Z.json", "0000Z.old.json", 1), p, m)
	}, want: trailfile.ObjectUnknown},
	"signatures exchanged": {do: func(c *crime) { p, _ := c.get(c.digests[1]); _, m := c.get(c.digests[2]); c.put(c.digests[1], p, m) }, want: trailfile.SignatureInvalid},
	"signature removed":    {do: func(c *crime) { p, _ := c.get(c.digests[1]); c.remove(c.digests[1]); c.put(c.digests[1], p, nil) }, want: trailfile.SignatureMissing},
	"digest cut": {do: func(c *crime) {
		b := c.raw(c.digests[1])
		_, m := c.get(c.digests[1])
		c.putRaw(c.digests[1], b[:len(b)/2], m)
	}, want: trailfile.DigestUnreadable},
	"bytes behind a digest":   {do: func(c *crime) { _, m := c.get(c.digests[1]); c.putRaw(c.digests[1], append(c.raw(c.digests[1]), 0), m) }, want: trailfile.DigestUnreadable},
	"newest digests removed":  {do: func(c *crime) { c.remove(c.digests[3:]...) }, want: trailfile.EndMissing, against: trailfile.EndMissing},
	"oldest digests removed":  {do: func(c *crime) { c.remove(c.digests[:2]...) }, want: trailfile.DigestMissing},
	"newest logs and digests": {do: func(c *crime) { c.remove(c.digests[2:]...); c.remove(c.logs[2:]...) }, want: trailfile.EndMissing, against: trailfile.EndMissing},
	"everything":              {do: func(c *crime) { c.remove(c.digests...); c.remove(c.logs...) }, want: trailfile.EndMissing},
	"history by the key":      {do: func(c *crime) { c.rewrite(false) }, want: trailfile.EventsChanged, against: trailfile.Rewritten},
	"history with its chain":  {do: func(c *crime) { c.rewrite(true) }, against: trailfile.Rewritten},
	"signed by a foreign key": {do: foreign, want: trailfile.KeyUnknown},
	"foreign key, known name": {do: impostor, want: trailfile.SignatureInvalid},
	"newest signed to be last": {do: func(c *crime) {
		p, _ := c.get(c.digests[3])
		d, _ := trailfile.ParseDigest(p)
		c.remove(c.digests[3:]...)
		d.PreviousObject = nil
		c.sign(d, c.key)
	}, want: trailfile.ChainBroken},
}

func foreign(c *crime) {
	p, _ := c.get(c.digests[1])
	d, err := trailfile.ParseDigest(p)
	if err != nil {
		c.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.Fatal(err)
	}
	c.sign(d, other)
}

// impostor signs with a key of their own, and says that it is the server's.
func impostor(c *crime) {
	p, _ := c.get(c.digests[1])
	d, err := trailfile.ParseDigest(p)
	if err != nil {
		c.Fatal(err)
	}
	name := d.Fingerprint
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.Fatal(err)
	}
	c.sign(d, other)
	p, m := c.get(c.digests[1])
	c.put(c.digests[1], bytes.Replace(p, []byte(d.Fingerprint), []byte(name), 1), m)
}
