package web

import (
	"bytes"
	"net/http"

	"sallyport/internal/fault"
)

// render writes a page. A page that fails to render is an internal error, and nothing of it is sent.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, page string, data any) {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, page, data); err != nil {
		s.Log.ErrorContext(r.Context(), "page failed", "page", page, "error", err)
		http.Error(w, ours, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // the browser may be gone
}

// problemPage says what went wrong, and where to go on.
type problemPage struct{ Title, Message, Back string }

// titles are statuses in people's words.
var titles = map[int]string{
	http.StatusForbidden:             "Not allowed",
	http.StatusNotFound:              "Page not found",
	http.StatusMethodNotAllowed:      "Not possible here",
	http.StatusConflict:              "Already decided",
	http.StatusRequestEntityTooLarge: "Too large",
	http.StatusTooManyRequests:       "Wait a moment",
	http.StatusInternalServerError:   "Something went wrong",
}

// ours is what people are told of our own faults.
const ours = "Something went wrong on our side. Try again."

func (s *Server) problem(w http.ResponseWriter, r *http.Request, status int, message string) {
	title := titles[status]
	if title == "" {
		title = "That did not work"
	}
	s.render(w, r, status, "problem.html", problemPage{Title: title, Message: message, Back: s.backFrom(r)})
}

// backFrom is where a person goes on after a problem: a sign-in in progress is taken up again.
func (s *Server) backFrom(r *http.Request) string {
	if cookie(r, attemptCookie) != "" {
		return "/signin"
	}
	return "/portal"
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.problem(w, r, http.StatusNotFound, "There is no such page.")
}

// fail shows an error: a fault by its message, anything else as ours.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, message := s.explain(r, err)
	s.problem(w, r, status, message)
}

// explain is what people are told of an error.
func (s *Server) explain(r *http.Request, err error) (status int, message string) {
	f := fault.As(err)
	if f == nil || f.Kind == fault.Internal {
		s.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "error", err)
		return http.StatusInternalServerError, ours
	}
	switch f.Kind {
	case fault.Denied:
		status = http.StatusForbidden
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Conflict:
		status = http.StatusConflict
	case fault.Throttled:
		status = http.StatusTooManyRequests
	default:
		status = http.StatusBadRequest
	}
	return status, f.Message
}
