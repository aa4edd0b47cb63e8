package trailfile

import (
	"bytes"
	"crypto/rand"
)

const (
	logHead = `{"Records":[`
	logTail = `]}`
)

// MaxLog is the most bytes that a log file has before it is compressed. CloudTrail's are of at most 50 MB when they are; these stay
// far below it.
const MaxLog = 16 << 20

// Log is a log file in the making.
type Log struct{ buf bytes.Buffer }

// Add appends an event: the bytes that the log's chain is over, unchanged.
func (l *Log) Add(event []byte) {
	if l.buf.Len() == 0 {
		l.buf.WriteString(logHead)
	} else {
		l.buf.WriteByte(',')
	}
	l.buf.Write(event)
}

// Len is how many bytes it has.
func (l *Log) Len() int { return l.buf.Len() }

// Plain is the file before it is compressed.
func (l *Log) Plain() []byte {
	if l.buf.Len() == 0 {
		return []byte(logHead + logTail)
	}
	return append(bytes.Clone(l.buf.Bytes()), logTail...)
}

// Suffix is what keeps the names of log files of one minute apart.
func Suffix() string { return rand.Text()[:16] }
