package rig

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/entry"
)

// answered is what the guard's browser was answered.
type answered struct {
	page string
	// path and said are of the address to which that led; posted says that it is
	// still the one that took the form, which then asks again.
	path, said string
	posted     bool
}

// browse asks for a page as the guard's browser does, or sends a form, and follows
// where that leads.
func (st *stage) browse(ctx context.Context, path string, form url.Values) (answered, error) {
	method := http.MethodPost
	if form == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answered{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := st.client.Do(req)
	if err != nil {
		return answered{}, err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, visible(string(page)))
	}
	end := resp.Request
	return answered{page: string(page), path: end.URL.Path, said: end.URL.Query().Get("said"), posted: end.Method == http.MethodPost}, err
}

// sign signs the guard on or off, at the page.
func (st *stage) sign(ctx context.Context, verb string) error {
	_, err := st.browse(ctx, "/"+verb, url.Values{"badge": {st.people["G"].Badge}, "pin": {guardPIN}})
	return err
}

// post sends a form as the page does, in the name of who is signed on.
func (st *stage) post(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	stand, err := st.placeholders(ctx, args)
	if err != nil {
		return err
	}
	form := url.Values{}
	for _, field := range args[1:] {
		key, value, ok := strings.Cut(stand.Replace(field), "=")
		if !ok {
			return errUsage
		}
		form.Add(key, value)
	}
	a, err := st.browse(ctx, args[0], form)
	if err == nil && (slices.Contains(refusals(), a.said) || a.posted && strings.Contains(a.page, `<p class="said" role="alert">`)) {
		err = fmt.Errorf("%s: %s: %s", args[0], a.said, visible(a.page))
	}
	return err
}

// refusals are what pages say of a press of which nothing came.
func refusals() []string {
	return []string{"stale", "not-allowed", "failed", "busy", "pin", "proof", "too-early", "sick-already", "case-open", "held-already", "lane-out"}
}

// placeholders are the words of a step that only the run can know.
func (st *stage) placeholders(ctx context.Context, of []string) (*strings.Replacer, error) {
	var pairs []string
	for letter, p := range st.people {
		pairs = append(pairs, "{"+letter+"}", strconv.FormatUint(p.ID, 10))
	}
	rows, err := read(st.record.path)
	if err != nil {
		return nil, err
	}
	var number uint16
	var arrival entry.ArrivalID
	steps := map[uint16]int{}
	for _, r := range rows {
		var c entry.Case
		var a entry.Arrival
		switch {
		case r.Entry.Kind == entry.KindCase && r.Entry.Decode(&c) == nil:
			number = c.Number
			steps[number]++
		case r.Entry.Kind == entry.KindArrival && r.Entry.Decode(&a) == nil:
			arrival = entry.ArrivalID{Boot: r.Entry.Boot, Counter: a.Counter}
		}
	}
	pairs = append(pairs, "{case}", fmt.Sprint(number), "{version}", fmt.Sprint(steps[number]), "{arrival}", arrival.String())
	for word, before := range map[string][]string{"{undo}": {`name="undo" value="`}, "{hold}": {`action="/desk/lift"`, `name="version" value="`}} {
		if !strings.Contains(strings.Join(of, " "), word) {
			continue
		}
		desk, err := st.browse(ctx, "/desk/", nil)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, word, valueBehind(desk.page, before))
	}
	return strings.NewReplacer(pairs...), nil
}

// valueBehind returns the value of a field that stands in a page behind some marks;
// empty where they are not there.
func valueBehind(page string, marks []string) string {
	for _, mark := range marks {
		_, page, _ = strings.Cut(page, mark)
	}
	value, _, _ := strings.Cut(page, `"`)
	return value
}

// expectPage holds what the guard's browser shows at an address against words.
func (st *stage) expectPage(ctx context.Context, shown bool, args []string) error {
	if len(args) < 2 || !strings.HasPrefix(args[0], "/") {
		return errUsage
	}
	a, err := st.browse(ctx, args[0], nil)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(args[0], a.path) {
		return fmt.Errorf("nobody is shown that page, but %s", a.path)
	}
	if text := visible(a.page); strings.Contains(text, strings.Join(args[1:], " ")) != shown {
		return fmt.Errorf("the page says: %s", text)
	}
	return nil
}

// visible returns the text of a page with one blank between words. A browser sets
// inline parts beside each other, and so does this.
func visible(page string) string {
	for _, gone := range []string{`(?s)<(script|style|title)\b.*?</(script|style|title)>`, `<[^>]*\shidden>[^<]*`, `<[^>]*>`} {
		page = regexp.MustCompile(gone).ReplaceAllString(page, "")
	}
	return strings.Join(strings.Fields(html.UnescapeString(page)), " ")
}
