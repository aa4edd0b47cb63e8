package secevent

// Formats of subject identifiers (RFC 9493, SSF 1.0 §3).
const (
	Email   = "email"
	IssSub  = "iss_sub"
	Opaque  = "opaque"
	Complex = "complex"
)

// maxMembers bounds a subject, which has few members.
const maxMembers = 32

// Subject says whom or what an event is about. Members that the format does not have are empty. One of another format has nothing
// but that: it is nobody's whom we know.
type Subject struct {
	Format  string
	Email   string
	Issuer  string
	Sub     string
	ID      string
	User    *Subject // of a complex one
	Session *Subject
}

// subject reads a subject identifier.
func subject(v any, depth int) (s Subject, ok bool) {
	m, isObject := v.(map[string]any)
	if !isObject || len(m) > maxMembers || depth > 1 {
		return s, false
	}
	s.Format = text(m["format"])
	if s.Format == "" && (m["user"] != nil || m["session"] != nil) {
		s.Format = Complex // as drafts had it
	}
	switch s.Format {
	case "":
		return s, false
	case Email:
		s.Email = text(m["email"])
		return s, s.Email != ""
	case IssSub:
		s.Issuer, s.Sub = text(m["iss"]), text(m["sub"])
		return s, s.Issuer != "" && s.Sub != ""
	case Opaque:
		s.ID = text(m["id"])
		return s, s.ID != ""
	case Complex:
		if s.User, ok = member(m["user"], depth); !ok {
			return s, false
		}
		s.Session, ok = member(m["session"], depth)
		return s, ok
	}
	return s, true
}

func member(v any, depth int) (*Subject, bool) {
	if v == nil {
		return nil, true
	}
	s, ok := subject(v, depth+1)
	return &s, ok
}

// Claim is the subject as a claim.
func (s Subject) Claim() map[string]any {
	switch s.Format {
	case Email:
		return map[string]any{"format": Email, "email": s.Email}
	case IssSub:
		return map[string]any{"format": IssSub, "iss": s.Issuer, "sub": s.Sub}
	case Opaque:
		return map[string]any{"format": Opaque, "id": s.ID}
	}
	c := map[string]any{"format": Complex}
	if s.User != nil {
		c["user"] = s.User.Claim()
	}
	if s.Session != nil {
		c["session"] = s.Session.Claim()
	}
	return c
}
