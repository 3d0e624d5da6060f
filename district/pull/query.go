package pull

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/district/store"
)

// defaultLimit and maxLimit are how many entries an answer has at most.
const (
	defaultLimit = 1000
	maxLimit     = 10_000
)

// query is what a pull asks for.
type query struct {
	after store.Cursor
	limit int
	names bool
	form  form
}

// parseQuery reads the parameters, each of which may stand once. With an error
// comes the status to answer.
func parseQuery(r *http.Request) (query, int, error) {
	values := r.URL.Query()
	for key, v := range values {
		if !slices.Contains([]string{"after", "limit", "format", "names"}, key) || len(v) != 1 {
			return query{}, http.StatusBadRequest, errors.New("a parameter is not known or stands twice; there are after, limit, format and names")
		}
	}
	q := query{limit: defaultLimit}
	if err := q.after.UnmarshalText([]byte(values.Get("after"))); err != nil {
		return query{}, http.StatusBadRequest, errors.New("after is not a cursor that was handed out here")
	}
	if text := values.Get("limit"); values.Has("limit") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			return query{}, http.StatusBadRequest, fmt.Errorf("limit is not a number from 1 to %d", maxLimit)
		}
		q.limit = n
	}
	switch text := values.Get("names"); text {
	case "", "false":
	case "true":
		q.names = true
	default:
		return query{}, http.StatusBadRequest, errors.New("names is true or false")
	}
	var status int
	var err error
	q.form, status, err = parseForm(r, values.Get("format"))
	return q, status, err
}

// parseForm reads which form is asked for. The parameter counts more than the
// header: a browser sends a header of its own.
func parseForm(r *http.Request, format string) (form, int, error) {
	switch {
	case format == "ndjson":
		return ndjson, 0, nil
	case format == "csv":
		return table, 0, nil
	case format != "":
		return 0, http.StatusBadRequest, errors.New("format is ndjson or csv")
	case accepts(r, "Accept", "application/x-ndjson"):
		return ndjson, 0, nil
	case accepts(r, "Accept", "text/csv"):
		return table, 0, nil
	case r.Header.Get("Accept") == "", accepts(r, "Accept", "*/*"), accepts(r, "Accept", "application/*"):
		return ndjson, 0, nil
	}
	return 0, http.StatusNotAcceptable, errors.New("there are application/x-ndjson and text/csv")
}

// accepts reports whether a list header has a value that is not refused by q=0.
func accepts(r *http.Request, header, want string) bool {
	for _, line := range r.Header.Values(header) {
		for item := range strings.SplitSeq(line, ",") {
			value, parameters, err := mime.ParseMediaType(item)
			if err != nil || value != want {
				continue
			}
			weight, err := strconv.ParseFloat(parameters["q"], 64)
			return parameters["q"] == "" || err == nil && weight > 0
		}
	}
	return false
}
