package apiclient

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"sallyport/internal/awsapi"
	"sallyport/internal/fault"
)

// Journal keeps answers in a file, so that a long series of reads goes on where it was cut short. It is for reads alone.
type Journal struct {
	mu      sync.Mutex
	file    *os.File
	answers map[string]json.RawMessage
}

// entry is one line of the file.
type entry struct {
	Request string          `json:"request"`
	Answer  json.RawMessage `json:"answer"`
}

// OpenJournal opens or makes the file, which only its owner may read.
func OpenJournal(path string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fault.Invalidf("%s, in which answers are kept, cannot be opened: %v.", path, err)
	}
	j := &Journal{file: f, answers: map[string]json.RawMessage{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxAnswer+1024)
	whole := int64(0)
	for lines.Scan() {
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			break // cut short while it was written
		}
		whole += int64(len(lines.Bytes())) + 1
		j.answers[e.Request] = e.Answer
	}
	if err := errors.Join(lines.Err(), f.Truncate(whole)); err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return j, nil
}

// Answers is how many answers are kept.
func (j *Journal) Answers() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.answers)
}

// Remove removes the file: what it was for is done.
func (j *Journal) Remove() error { return errors.Join(j.file.Close(), os.Remove(j.file.Name())) }

// Close closes the file and leaves it there.
func (j *Journal) Close() error { return j.file.Close() }

func requestKey(s *awsapi.Service, o *awsapi.OperationMeta, body []byte) string {
	sum := sha256.Sum256(append([]byte(s.SigningName+"."+o.Name+"\n"), body...))
	return hex.EncodeToString(sum[:16])
}

func (j *Journal) get(key string) (json.RawMessage, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	answer, ok := j.answers[key]
	return answer, ok
}

func (j *Journal) put(key string, answer []byte) error {
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(entry{key, answer}); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(line.Bytes()); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	j.answers[key] = bytes.Clone(answer)
	return nil
}
