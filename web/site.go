package web

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

//go:embed templates
var templates embed.FS

//go:embed assets
var assets embed.FS

const languageCookie = "menshen_language"

// Site is what the screens of one gate share: signing on and off, pairing, the
// choice of language, assets, and pages that say why a request was refused.
type Site struct {
	// Sessions knows who is signed on.
	Sessions *Sessions
	// Pairing knows the browsers of other machines; nil pairs none.
	Pairing *Pairing
	// Drill returns for how many minutes a drill goes on; nil where there are none.
	Drill func() (minutes int)

	language Language
	log      *slog.Logger
	signOn   func() *template.Template
	pair     func() *template.Template
	refusal  func() *template.Template
}

// NewSite returns a site that speaks the language until a browser chooses.
func NewSite(sessions *Sessions, language Language, log *slog.Logger) *Site {
	return &Site{
		Sessions: sessions,
		language: language,
		log:      log.With("component", "web"),
		signOn:   later("templates/sign-on.html", "templates/pad.html"),
		pair:     later("templates/pair.html", "templates/pad.html"),
		refusal:  later("templates/refusal.html"),
	}
}

// Layout returns the common layout, "layout", with a page's own files parsed
// into it. They define "body" and may define "head". It panics on a template
// that does not parse: the files are part of the program.
func Layout(files fs.FS, names ...string) *template.Template {
	layout := template.Must(template.ParseFS(templates, "templates/layout.html"))
	return template.Must(layout.ParseFS(files, names...))
}

// LayoutWithPad is Layout for a page on which something is typed: its files may
// use the templates "pad-head" and "pad".
func LayoutWithPad(files fs.FS, names ...string) *template.Template {
	return template.Must(Layout(templates, "templates/pad.html").ParseFS(files, names...))
}

// later returns Layout of this package's files, made at the first call: a gate has
// a site for each of its screens, and most of them show no page of their own.
func later(names ...string) func() *template.Template {
	return sync.OnceValue(func() *template.Template { return Layout(templates, names...) })
}

// First runs f once, before h answers its first request: templates, parsed, are
// the most that a gate has in memory, and on most days most screens stay closed.
func First(f func(), h http.Handler) http.Handler {
	once := sync.OnceFunc(f)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once()
		h.ServeHTTP(w, r)
	})
}

// Mount registers the routes that all screens of a gate share.
func (s *Site) Mount(mux *Mux) {
	s.MountBasics(mux)
	mux.Handle("GET /assets/pad.css", Asset(assets, "assets/pad.css"))
	mux.Handle("GET /assets/pad.js", Asset(assets, "assets/pad.js"))
	mux.HandleFunc("GET /pair", func(w http.ResponseWriter, r *http.Request) { s.showPair(w, r, http.StatusOK, "") })
	mux.HandleFunc("POST /pair", s.postPair)
	mux.HandleFunc("GET /sign-on", func(w http.ResponseWriter, r *http.Request) {
		s.showSignOn(w, r, http.StatusOK, signOnPage{})
	})
	mux.HandleFunc("POST /sign-on", s.postSignOn)
}

// MountBasics registers all of them but signing on and pairing, for a screen that
// has its own page at /sign-on.
func (s *Site) MountBasics(mux *Mux) {
	mux.Handle("GET /assets/base.css", Asset(assets, "assets/base.css"))
	mux.Handle("GET /assets/live.js", Asset(assets, "assets/live.js"))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("ok\n")) // whoever asked may have gone; nobody else is concerned
	})
	mux.HandleFunc("POST /sign-off", func(w http.ResponseWriter, r *http.Request) {
		s.Sessions.SignOff(w, r)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /language", s.postLanguage)
}

// Asset serves one embedded file; a directory is never listed.
func Asset(files fs.FS, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, name)
	})
}

// Page is what the layout needs; a page's own data embeds it.
type Page struct {
	Language Language
	// Title is a key of the words.
	Title string
	// SignedOn says that this browser has a session.
	SignedOn bool
	// Drill is for how many minutes a drill goes on, 0 where there is none.
	Drill int
}

// T returns the words of a key in the page's language.
func (p Page) T(key string, args ...any) string { return p.Language.Text(key, args...) }

// Page returns the common part of the page that answers r.
func (s *Site) Page(r *http.Request, title string) Page {
	_, signedOn := s.Sessions.Who(r)
	p := Page{Language: s.Language(r), Title: title, SignedOn: signedOn}
	if s.Drill != nil {
		p.Drill = s.Drill()
	}
	return p
}

// Language returns what the browser chose, or else the gate's language.
func (s *Site) Language(r *http.Request) Language {
	if cookie, err := r.Cookie(languageCookie); err == nil {
		if l := Language(cookie.Value); l == Chinese || l == English {
			return l
		}
	}
	return s.language
}

// Show writes a whole page. Nothing is sent before the template has finished,
// so that a page is complete or a plain failure, never half of a verdict.
func (s *Site) Show(w http.ResponseWriter, status int, t *template.Template, data any) {
	var page bytes.Buffer
	if err := t.ExecuteTemplate(&page, "layout", data); err != nil {
		s.log.Error("render page", "err", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(page.Bytes()) // the browser may have gone; nobody else is concerned
}

// Refuse answers with a page that says why, and how to sign on when that is
// what was missing. The reason is a key of the words.
func (s *Site) Refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	s.Show(w, status, s.refusal(), struct {
		Page
		Reason string
		SignOn bool
	}{s.Page(r, "page.refused"), reason, status == http.StatusUnauthorized})
}

// Form returns the fields of a posted form. When there is none within
// MaxBody it refuses the request itself and returns false.
func (s *Site) Form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	err := r.ParseForm()
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		s.Refuse(w, r, http.StatusRequestEntityTooLarge, "refused.too-long")
	case err != nil:
		s.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
	}
	return r.PostForm, err == nil
}

func (s *Site) postSignOn(w http.ResponseWriter, r *http.Request) {
	form, ok := s.Form(w, r)
	if !ok {
		return
	}
	signOn := s.Sessions.SignOn
	if form.Get("take-over") == "yes" {
		signOn = s.Sessions.TakeOver
	}
	err := signOn(w, r, form.Get("badge"), form.Get("pin"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case errors.Is(err, ErrPIN):
		s.showSignOn(w, r, http.StatusForbidden, signOnPage{Said: "said.pin"})
	case errors.Is(err, ErrLocked):
		s.showSignOn(w, r, http.StatusTooManyRequests, signOnPage{Said: "said.locked"})
	case errors.Is(err, ErrNoDuty):
		s.showSignOn(w, r, http.StatusForbidden, signOnPage{Said: "said.no-duty"})
	case errors.Is(err, ErrFull):
		s.showSignOn(w, r, http.StatusConflict, signOnPage{Said: "said.full", Badge: form.Get("badge")})
	default:
		s.log.Error("sign on", "err", err)
		s.showSignOn(w, r, http.StatusServiceUnavailable, signOnPage{Said: "said.failed"})
	}
}

// signOnPage is what the form shows.
type signOnPage struct {
	Page
	// Said is the key of why the last try was refused, or empty.
	Said string
	// Badge is given back only to whoever proved by the PIN that it is theirs.
	Badge string
	// Full offers to take over from those on duty.
	Full bool
}

func (s *Site) showSignOn(w http.ResponseWriter, r *http.Request, status int, p signOnPage) {
	p.Page, p.Full = s.Page(r, "page.sign-on"), len(s.Sessions.OnDuty()) >= MaxOnDuty
	s.Show(w, status, s.signOn(), p)
}

func (s *Site) postLanguage(w http.ResponseWriter, r *http.Request) {
	form, ok := s.Form(w, r)
	if !ok {
		return
	}
	chosen := Language(form.Get("language"))
	if chosen != Chinese && chosen != English {
		s.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	setCookie(w, r, languageCookie, string(chosen), 365*24*time.Hour)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
