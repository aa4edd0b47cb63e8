package credential

import "log/slog"

// Secret is a value that opens something. It shows itself only by conversion: string(s).
type Secret string

const redacted = "REDACTED"

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret.
func (Secret) GoString() string { return redacted }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the secret: a wire type holds a string, never a Secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
