package setup_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/setup"
)

var sunday = time.Date(2020, 12, 6, 19, 30, 0, 0, time.UTC)

// machine is a gate that shows what it was given and remembers what was pressed.
type machine struct {
	view   setup.View
	accept setup.Acceptance
	did    []string
	err    error
}

func (m *machine) press(format string, args ...any) error {
	m.did = append(m.did, fmt.Sprintf(format, args...))
	return m.err
}

func (m *machine) View(context.Context) setup.View      { return m.view }
func (m *machine) Scan(context.Context) error           { return m.press("scan") }
func (m *machine) Write(_ context.Context, n int) error { return m.press("write %d", n) }
func (m *machine) Restore(context.Context) error        { return m.press("restore") }
func (m *machine) Restart() bool                        { return m.press("restart") == nil }
func (m *machine) Address() string                      { return "192.168.1.20:8630" }

func (m *machine) Mend(_ context.Context, fix string, undo bool) (string, error) {
	return "done", m.press("mend %s %v", fix, undo)
}

func (m *machine) Live(context.Context) (<-chan struct{}, func() []string) {
	return nil, func() []string {
		return []string{"19:30:01.204 通道 lane 1  测温 raw  36.42 °C  环境 ambient 21.10 °C"}
	}
}

func (m *machine) Accepting(context.Context) (setup.Acceptance, error) { return m.accept, nil }

func (m *machine) BeginAcceptance(_ context.Context, installer, witness string) error {
	return m.press("begin %s, %s", installer, witness)
}

func (m *machine) SayAcceptance(_ context.Context, step, word string) error {
	return m.press("say %s %s", step, word)
}

// crowd lets everybody in with the duties that stand in the PIN.
type crowd struct{}

func (crowd) CheckPIN(_ context.Context, badge, pin string) (web.Person, error) {
	d := map[string]web.Duty{"guard": web.DutyGuard, "leader": web.DutyLeader}[pin]
	if d == 0 {
		return web.Person{}, web.ErrPIN
	}
	return web.Person{ID: 1, Name: badge, Duties: d}, nil
}

// keeper keeps paired browsers nowhere.
type keeper struct{}

func (keeper) Paired(context.Context) ([]web.Paired, error)   { return nil, nil }
func (keeper) KeepPaired(context.Context, []web.Paired) error { return nil }

// bare is a Raspberry Pi with what an installer meets first.
func bare() *machine {
	return &machine{view: setup.View{
		Gate: "east", Scanned: sunday,
		Things: []setup.Thing{
			{Number: 1, Where: "/dev/i2c-1 0x5A", Facts: "ID 00a1b2c3d4e5f607", Guess: setup.Text{Chinese: "MLX90614 红外测温", English: "MLX90614 thermometer"}, Lines: []string{"[lane.thermometer]", `kind = "mlx90614"`}, There: true},
			{Number: 2, Where: "/dev/input/event3", Facts: "0c2e:0b61 Honeywell 1450g", Guess: setup.Text{Chinese: "霍尼韦尔扫码器", English: "Honeywell scanner"}, Lines: []string{"[ports]", `scanner-1 = "hid:0c2e:0b61"`}},
			{Number: 3, Where: "/dev/ttyUSB0", Guess: setup.Text{Chinese: "沁恒串口转接线", English: "WCH serial adapter"}, Trouble: "ModemManager 正在使用 / ModemManager has it open"},
		},
		Checks: []setup.Check{
			{Mark: "✓", What: setup.Text{Chinese: "配置可用", English: "the configuration can be used"}},
			{Mark: "!", What: setup.Text{Chinese: "消防放行必须是单独的线", English: "fire release must be a wire of its own"}},
			{Mark: "✗", What: setup.Text{Chinese: "系统终端占着串口", English: "the system's console is on the port"}, Why: setup.Text{Chinese: "它往扫码模块发字", English: "it writes to the scan engine"},
				Fix: setup.Text{Chinese: "去掉并重启", English: "take it off and start again"}, Commands: []string{"sudo reboot"}, Mend: "console"},
		},
		Mended: []string{"i2c"}, Written: true, CanRestore: true, CanRestart: true,
		Optics: []setup.Optic{{Letter: "A", Degrees: 90, Millimetres: 25}, {Letter: "C", Degrees: 35, Millimetres: 79}},
	}}
}

// steps is an acceptance at its third step.
func steps(count int) setup.Acceptance {
	return setup.Acceptance{Begun: true, Steps: []setup.Step{
		{Key: "badge", Result: "seen", Of: 1}, {Key: "forehead", Result: "skipped", Of: 3}, {Key: "warm", Now: true, Count: count, Of: 1, Asks: true}, {Key: "power", Of: 1},
	}}
}

// screen is a browser.
type screen struct {
	t       *testing.T
	handler http.Handler
	pairing *web.Pairing
	cookies []*http.Cookie
	from    string
}

func at(t *testing.T, m *machine, from, pin string) *screen {
	t.Helper()
	rest := http.NewServeMux()
	s := &screen{t: t, from: from, pairing: web.NewPairing(t.Context(), keeper{}, time.Now, slog.New(slog.DiscardHandler))}
	sessions := web.NewSessions(crowd{})
	site := web.NewSite(sessions, web.Chinese, slog.New(slog.DiscardHandler))
	site.Pairing = s.pairing
	mux := site.NewMux(web.AtGate())
	site.Mount(mux)
	rest.Handle("/", mux)
	s.handler = setup.New(setup.Options{
		Machine: m, Process: m, Acceptor: m, Rest: rest, Sessions: sessions, Pairing: s.pairing, Language: web.Chinese, Log: slog.New(slog.DiscardHandler),
	})
	if pin != "" {
		w := s.send("POST", "/sign-on", url.Values{"badge": {"赵敏"}, "pin": {pin}})
		if w.Code != http.StatusSeeOther {
			t.Fatalf("sign on: %d %s", w.Code, w.Body)
		}
		s.cookies = w.Result().Cookies()
	}
	return s
}

func (s *screen) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	s.t.Helper()
	over, cancel := context.WithCancel(s.t.Context())
	cancel() // a stream ends with its first event
	r := httptest.NewRequestWithContext(over, method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "localhost", s.from
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

const here, outside = "127.0.0.1:9", "192.168.1.30:9"

func TestThePageSaysWhatIsThereAndWhatIsWrongTheWorstFirst(t *testing.T) {
	page := at(t, bare(), here, "").send("GET", "/setup/", nil).Body.String()
	for _, part := range []string{
		"未验收", "/dev/i2c-1 0x5A", "已在配置里", "霍尼韦尔扫码器", "scanner-1 = &#34;hid:0c2e:0b61&#34;", "ModemManager has it open",
		`<button name="thing" value="2">写入`, "1 项正常", `<button name="fix" value="console">修好`, "已修:i2c", "重启校门程序", "A · 90° · 2.5 cm", "C · 35° · 7.9 cm", "36.42",
	} {
		if part == "36.42" {
			page += at(t, bare(), here, "").send("GET", "/setup/events", nil).Body.String()
		}
		if !strings.Contains(page, part) {
			t.Errorf("does not say %q", part)
		}
	}
	if strings.Index(page, "系统终端占着串口") > strings.Index(page, "消防放行") {
		t.Error("what only reminds stands before what is wrong")
	}
	for _, never := range []string{`value="1">写入`, `value="3">写入`} {
		if strings.Contains(page, never) {
			t.Errorf("offers %q", never)
		}
	}
}

func TestEachPressDoesOneThingAndSaysWhatCameOfIt(t *testing.T) {
	for rule, c := range map[string]struct {
		path string
		form url.Values
		did  string
		said string
	}{
		"look for devices":   {"scan", url.Values{}, "scan", "scanned"},
		"write one":          {"write", url.Values{"thing": {"2"}}, "write 2", "written"},
		"take it back":       {"write", url.Values{"thing": {"before"}}, "restore", "restored"},
		"mend":               {"mend", url.Values{"fix": {"i2c"}}, "mend i2c false", "mended"},
		"take the fix back":  {"mend", url.Values{"fix": {"i2c"}, "undo": {"yes"}}, "mend i2c true", "mended"},
		"restart":            {"restart", url.Values{}, "restart", "restarting"},
		"begin":              {"accept", url.Values{"installer": {" 王工 "}, "witness": {"李校长"}}, "begin 王工, 李校长", "done"},
		"say a word":         {"accept", url.Values{"step": {"warm"}, "word": {"yes"}}, "say warm yes", "done"},
		"a number that none": {"write", url.Values{"thing": {"x"}}, "", "stale"},
	} {
		t.Run(rule, func(t *testing.T) {
			m := bare()
			w := at(t, m, here, "").send("POST", "/setup/"+c.path, c.form)
			if got := strings.Join(m.did, ";"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/setup/?said="+c.said || got != c.did {
				t.Errorf("%d to %q, did %q", w.Code, w.Header().Get("Location"), got)
			}
			if !web.Known("said." + c.said) {
				t.Errorf("no words for %q", c.said)
			}
		})
	}
}

func TestEveryReasonWhyNothingWasDoneHasItsWords(t *testing.T) {
	for err, said := range map[error]string{
		setup.ErrStale: "stale", setup.ErrNotSeen: "not-seen", setup.ErrNames: "two-names", setup.ErrReadOnly: "read-only", setup.ErrFaulty: "would-be-faulty", setup.ErrNoHelper: "no-helper", errors.New("disk"): "failed",
	} {
		m := bare()
		m.err = err
		w := at(t, m, here, "").send("POST", "/setup/mend", url.Values{"fix": {"i2c"}})
		if w.Header().Get("Location") != "/setup/?said="+said || !web.Known("said."+said) {
			t.Errorf("%v: %q", err, w.Header().Get("Location"))
		}
	}
}

// Before the acceptance nobody is on a roster; after it the page is a leader's.
func TestAfterTheAcceptanceOnlyALeaderChangesAnything(t *testing.T) {
	for rule, c := range map[string]struct {
		passed bool
		pin    string
		may    bool
	}{
		"not accepted, nobody": {false, "", true}, "accepted, nobody": {true, "", false}, "accepted, a guard": {true, "guard", false}, "accepted, a leader": {true, "leader", true}, "it failed, nobody": {false, "", true},
	} {
		t.Run(rule, func(t *testing.T) {
			m := bare()
			if c.passed || rule == "it failed, nobody" {
				m.accept.Last = &setup.Accepted{At: sunday, Passed: c.passed}
			}
			s := at(t, m, here, c.pin)
			for _, path := range []string{"scan", "write", "mend", "restart", "accept", "phone"} {
				if w := s.send("POST", "/setup/"+path, url.Values{"thing": {"2"}}); (w.Code == http.StatusSeeOther) != c.may {
					t.Errorf("%s: %d", path, w.Code)
				}
			}
			if !c.may && m.did != nil {
				t.Errorf("did %q", m.did)
			}
			if page := s.send("GET", "/setup/", nil).Body.String(); strings.Contains(page, "<button name=\"thing\"") != c.may {
				t.Error("a button is shown that does nothing, or the reverse")
			}
		})
	}
}

func TestAPhoneComesInByTheCodeThatThisScreenShows(t *testing.T) {
	s := at(t, bare(), here, "")
	if page := s.send("GET", "/setup/", nil).Body.String(); strings.Contains(page, "data:image/png") {
		t.Error("a code stands that nobody asked for")
	}
	phone := &screen{t: t, handler: s.handler, from: outside}
	if w := phone.send("GET", "/setup/", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("a phone that was not paired: %d", w.Code)
	}
	if w := phone.send("POST", "/setup/phone", nil); w.Code == http.StatusSeeOther {
		t.Error("a phone lets itself in")
	}
	s.send("POST", "/setup/phone", nil)
	digits, place, ok := s.pairing.Code()
	page := s.send("GET", "/setup/", nil).Body.String()
	if !ok || place != web.PlaceSetup || !strings.Contains(page, "data:image/png") || !strings.Contains(page, "http://192.168.1.20:8630/pair?code="+digits) {
		t.Fatalf("code %q for %v, page %s", digits, place, page)
	}
	if w := phone.send("GET", "/pair?code="+digits, nil); !strings.Contains(w.Body.String(), `value="`+digits+`"`) {
		t.Error("the phone has to type what it scanned")
	}
	w := phone.send("POST", "/pair", url.Values{"code": {digits}})
	phone.cookies = w.Result().Cookies()
	if w := phone.send("GET", "/", nil); w.Header().Get("Location") != "/setup/" {
		t.Errorf("the phone is led to %q", w.Header().Get("Location"))
	}
	if w := phone.send("GET", "/setup/", nil); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "用手机安装") {
		t.Errorf("%d: a phone is not the gate's own screen", w.Code)
	}
}

// What is typed into an address is no code, and no part of the page.
func TestAnAddressBringsNothingButDigits(t *testing.T) {
	for _, code := range []string{`"><script>`, "12345", "1234567", "abcdef"} {
		w := at(t, bare(), outside, "").send("GET", "/pair?code="+url.QueryEscape(code), nil)
		if strings.Contains(w.Body.String(), code) {
			t.Errorf("%q stands on the page", code)
		}
	}
}

func TestAStepIsAnsweredOnlyOnceTheRecordShowsIt(t *testing.T) {
	for rule, c := range map[string]struct {
		count int
		yes   bool
	}{"not yet": {0, false}, "shown": {1, true}} {
		t.Run(rule, func(t *testing.T) {
			m := bare()
			m.accept = steps(c.count)
			page := at(t, m, here, "").send("GET", "/setup/", nil).Body.String()
			if !strings.Contains(page, "一杯温水") || strings.Contains(page, `name="word" value="yes"`) != c.yes || !strings.Contains(page, `name="word" value="no"`) {
				t.Errorf("page %s", page)
			}
		})
	}
}

func TestTheMarkForTheFloorSaysTheDistance(t *testing.T) {
	s := at(t, bare(), here, "")
	if w := s.send("GET", "/setup/mark?part=C", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "7.9 cm") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.send("GET", "/setup/mark?part=Z", nil); w.Code != http.StatusBadRequest {
		t.Errorf("a letter that no part has: %d", w.Code)
	}
}
