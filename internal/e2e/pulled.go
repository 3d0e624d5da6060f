package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// Pulled reads the only journal of a gate as another program does: by the
// pull, page after page, from the beginning until there is no more. name is
// the new token's.
func (d *District) Pulled(name, gate string) Collected {
	d.t.Helper()
	g := collecting{t: d.t, gate: gate}
	token, after := d.Tool("token", "add", name), ""
	for {
		body, next := d.pull(token, after)
		if body == "" {
			return g.whole()
		}
		for lines := json.NewDecoder(bytes.NewBufferString(body)); ; {
			var line struct {
				place
				Leaf string
			}
			err := lines.Decode(&line)
			if errors.Is(err, io.EOF) {
				break
			}
			leaf, bad := hex.DecodeString(line.Leaf)
			if err := errors.Join(err, bad); err != nil {
				d.t.Fatal(err)
			}
			g.add(line.place, leaf)
		}
		after = next
	}
}

// pull asks for what comes after a cursor and returns it with the next one.
func (d *District) pull(token, after string) (body, next string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, "http://"+d.page+"/api/v1/entries", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	if after != "" {
		req.URL.RawQuery = url.Values{"after": {after}}.Encode()
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	body, err = read(resp)
	if err != nil {
		d.t.Fatalf("pull: %v: %s", err, body)
	}
	return body, resp.Header.Get("Menshen-Cursor")
}
