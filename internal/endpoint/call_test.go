package endpoint

import (
	"bytes"
	"testing"

	"sallyport/internal/credential"
	"sallyport/internal/fault"
	"sallyport/internal/page"
)

// TestTokensAreBound: a token opens for the operation, the account, the session and the parameters that it was made for.
func TestTokensAreBound(t *testing.T) {
	t.Parallel()
	pages, err := page.NewCodec(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	call := func(operation, session string, c credential.Caller) *Call {
		c.SessionID = session
		return &Call{operation: operation, Caller: c, pages: pages}
	}
	mine := credential.Caller{Account: "999988887777", AccessKeyID: "AKIA1"}
	token := call("ListA", "s", mine).NextToken(page.Key{"k"}, "x", "y")
	for name, tc := range map[string]struct {
		call   *Call
		filter []string
		opens  bool
	}{
		"itself":               {call("ListA", "s", mine), []string{"x", "y"}, true},
		"another key":          {call("ListA", "s", credential.Caller{Account: mine.Account, AccessKeyID: "ASIA2"}), []string{"x", "y"}, true},
		"another operation":    {call("ListB", "s", mine), []string{"x", "y"}, false},
		"another account":      {call("ListA", "s", credential.Caller{Account: "111122223333"}), []string{"x", "y"}, false},
		"another session":      {call("ListA", "t", mine), []string{"x", "y"}, false},
		"another parameter":    {call("ListA", "s", mine), []string{"x", "z"}, false},
		"parameters joined":    {call("ListA", "s", mine), []string{"xy", ""}, false},
		"one parameter fewer":  {call("ListA", "s", mine), []string{"x"}, false},
		"parameters exchanged": {call("ListA", "s", mine), []string{"y", "x"}, false},
	} {
		q, err := tc.call.Page(nil, token, tc.filter...)
		if opens := err == nil && len(q.After) == 1 && q.After[0] == "k"; opens != tc.opens || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, %v", name, q, err)
		}
	}
	if call("ListA", "s", mine).NextToken(nil) != nil {
		t.Error("the last page has a token")
	}
	five := int32(5)
	if q, err := call("ListA", "s", mine).Page(&five, nil); err != nil || q.Limit != 5 || q.After != nil {
		t.Errorf("%v, %v", q, err)
	}
}
