package isolation_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/isolation"
)

// owing is a fever in the room of which the CDC must still be told, and away a
// child at home.
func owing() isolation.Case {
	c := fever()
	c.Duties = []isolation.Duty{
		{ID: "leader", Name: isolation.Words{Zh: "校领导", En: "School leader"}, Told: true, By: "赵敏", At: seven},
		{ID: "cdc", Name: isolation.Words{Zh: "疾控机构", En: "CDC"}, Phone: "6123", Until: seven.Add(25 * time.Minute), Soon: true},
		{ID: "bureau", Name: isolation.Words{Zh: "教育局", En: "Education bureau"}, Until: seven.Add(-time.Minute), Over: true},
	}
	c.Log = []isolation.Logged{
		{Step: 1, Kind: "opened", At: seven}, {Step: 2, Kind: "measured", At: seven, Value: "38.4", Open: true}, {Step: 3, Kind: "told", At: seven, By: "赵敏", Open: true},
	}
	return c
}

func flu() isolation.Words { return isolation.Words{Zh: "流感", En: "Influenza"} }

func away(change ...func(*isolation.Case)) isolation.Case {
	c := fever()
	c.Version, c.Away, c.Here, c.Next, c.Diagnosis = 5, true, false, "return-cleared", flu()
	c.Return = isolation.Return{When: "today", Day: seven, Asked: "look", From: "symptoms-end"}
	for _, f := range change {
		f(&c)
	}
	return c
}

func unknownDay(c *isolation.Case) {
	c.Return = isolation.Return{When: "unknown", Asked: "look", From: "symptoms-end", AsksEnd: true}
}
func undiagnosed(c *isolation.Case) { c.Diagnosis, c.When = isolation.Words{}, "unknown" }
func mayCome(c *isolation.Case) {
	c.Return = isolation.Return{When: "tomorrow", Day: seven.Add(24 * time.Hour), Asked: "look", Cleared: true, Shown: "certificate"}
}

// gone is a room from which somebody went away.
func gone(c isolation.Case) *room {
	r := with()
	r.view.Returns = []isolation.Case{c}
	r.view.Diagnoses = []isolation.Diagnosis{{Word: "cold", Name: isolation.Words{Zh: "普通感冒", En: "Common cold"}}, {Word: "influenza", Name: flu()}}
	return r
}

func TestWhoIsToBeToldStandsAboveTheCasesAndIsOneTapAway(t *testing.T) {
	b := newTablet(t, web.Chinese, with(owing()))
	b.home()
	b.says("该报未报 2", "教育局", "已超时", "疾控机构", "还剩 25 分", "6123")
	if over, soon := strings.Index(b.page, "教育局"), strings.Index(b.page, "疾控机构"); over > soon {
		t.Error("what is overdue stands below what is not")
	}
	b.send("GET", "/isolation/case?number=12", nil)
	b.says("07:30 赵敏 已告知", "电话见本校名单")
	b.tap("已告知") // the first that is open
	b.did(step(owing(), isolation.StepTold, func(s *isolation.Step) { s.Reason = "cdc" }))
}

func TestADiagnosisIsTwoTaps(t *testing.T) {
	r := gone(away(undiagnosed))
	r.view.Cases = []isolation.Case{fever()}
	r.view.Returns = nil
	b := newTablet(t, web.Chinese, r)
	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("定诊断")
	b.tap("流感")
	b.says("疑似还是确定?")
	b.tap("疑似")
	b.did(step(fever(), isolation.StepSuspected, func(s *isolation.Step) { s.Reason = "influenza" }))
}

func TestABedIsChosen(t *testing.T) {
	b := newTablet(t, web.Chinese, with(fever()))
	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("床位")
	b.tap("20")
	b.did(step(fever(), isolation.StepPlaced, func(s *isolation.Step) { s.Bed = 20 }))
}

func TestTheWayBackAsksForWhatIsNotKnownYet(t *testing.T) {
	r := gone(away(undiagnosed))
	b := newTablet(t, web.Chinese, r)
	b.home()
	b.says("待返校 1", "返校日未定", "李一涵")
	b.tap("返校查验")
	b.says("是什么病?")
	b.tap("流感")
	b.did(step(away(), isolation.StepDiagnosed, func(s *isolation.Step) { s.Reason = "influenza" }))

	b.room.view.Returns[0] = away(unknownDay)
	b.home()
	b.tap("返校查验")
	b.says("最后一天有症状是哪天?")
	b.tap("3 天前")
	b.did(step(away(), isolation.StepDated, func(s *isolation.Step) { s.Days, s.Reason = 3, "symptoms-end" }))

	b.room.view.Returns[0] = away()
	b.home()
	b.says("今日应返校", "流感")
	b.tap("返校查验")
	b.says("看到了什么?")
	b.silent("家长说明") // less than what is asked is not offered
	b.tap("医院证明")
	b.tap("明天")
	b.did(step(away(), isolation.StepCleared, func(s *isolation.Step) { s.Proof, s.Tomorrow = "certificate", true }))
	b.says("查验通过")

	b.room.view.Returns[0] = away(mayCome)
	b.home()
	b.says("可返校")
	b.tap("李一涵")
	b.says("12月8日 起可返校", "医院证明")
	b.tap("已返校")
	b.did(step(away(), isolation.StepReturned))
}

func TestTheDeskClearsAReturnToo(t *testing.T) {
	b := newTablet(t, web.Chinese, gone(away()))
	b.duty(web.DutyGuard)
	b.send("POST", "/desk/return", url.Values{"number": {"12"}})
	b.says("李一涵", "看到了什么?")
	b.silent("/isolation/case")
	b.tap("校医查看")
	b.tap("今天")
	b.did(step(away(), isolation.StepCleared, func(s *isolation.Step) { s.Proof, s.By = "look", b.who }))
	if b.at != "/desk/?said=case-return-cleared" {
		t.Errorf("led to %s", b.at)
	}
	b.send("POST", "/desk/return", url.Values{"number": {"13"}})
	if b.at != "/desk/?said=stale" {
		t.Errorf("who came back meanwhile: led to %s", b.at)
	}
}

func TestWhatWasWrongIsCorrectedByAStepOfItsOwn(t *testing.T) {
	b := newTablet(t, web.Chinese, with(owing()))
	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("更正")
	b.silent("开个案</button>") // an opening is not corrected
	b.tap("07:30 告知")
	b.tap("没有这回事")
	b.did(step(owing(), isolation.StepCorrected, func(s *isolation.Step) { s.Corrects, s.Reason = 3, "not-done" }))

	b.send("GET", "/isolation/case?number=12", nil)
	b.tap("更正")
	b.tap("07:30 腋温 38.4")
	b.silent(`name="value" value=`)
	b.tap("更正", "value", "36")
	b.says("体温请输 3 位数")
	b.tap("更正", "value", "364")
	b.did(step(owing(), isolation.StepCorrected, func(s *isolation.Step) { s.Corrects, s.Reason, s.Value = 2, "typed-wrong", 36_400 }))
}

func TestWhereAnotherInstrumentIsAskedForTheButtonsNameThem(t *testing.T) {
	c := here()
	c.Rounds, c.Round, c.Temperature, c.Instrument = 2, 1, "36.5", "axilla"
	b := newTablet(t, web.Chinese, with(c))
	b.send("GET", "/isolation/case?number=12", nil)
	b.says("已测 1/2 次", "36.5 腋温")
	b.tap("耳温", "value", "366")
	b.did(step(c, isolation.StepMeasured, func(s *isolation.Step) { s.Value, s.Instrument = 36_600, "ear" }))
	b.send("POST", "/isolation/step", url.Values{"number": {"12"}, "version": {"2"}, "kind": {"measured"}, "value": {"366"}, "instrument": {"nose"}})
	if len(b.room.did) != 0 {
		t.Errorf("did %+v", b.room.did)
	}
}

func TestWhatEndedTodayIsListed(t *testing.T) {
	r := with()
	r.view.Ended = []isolation.Ended{{Number: 7, Name: "周明", Class: "2班", How: "back-to-class", At: seven}}
	b := newTablet(t, web.Chinese, r)
	b.home()
	b.says("今日已结 1", "07:30 7 2班 周明 回班")
}

func TestAReturnThatOurPageCouldNotHaveAskedForIsRefused(t *testing.T) {
	for _, tt := range [][2]string{
		{"return", "proof=word&day=today"}, {"return", "proof=look&day=yesterday"}, {"return", "ended=22"}, {"return", "ended=-1"}, {"place", "bed=21"}, {"place", "bed=0"},
		{"diagnosis", "reason=laziness"}, {"diagnosis", "reason=cold&kind=home"}, {"correct", "corrects=1"}, {"correct", "corrects=9"},
		{"step", "kind=told"}, {"step", "kind=return-cleared"}, {"step", "kind=told&duty=" + strings.Repeat("a", 33)},
	} {
		b := newTablet(t, web.Chinese, gone(away()))
		form, err := url.ParseQuery(tt[1] + "&number=12&version=5")
		if err != nil {
			t.Fatal(err)
		}
		if w := b.send("POST", "/isolation/"+tt[0], form); w.Code != http.StatusBadRequest || len(b.room.did) != 0 {
			t.Errorf("%s %s: %d, did %+v", tt[0], tt[1], w.Code, b.room.did)
		}
	}
}

func TestARefusedReturnIsSaid(t *testing.T) {
	for err, want := range map[error]string{isolation.ErrEarly: "还没到返校的日子", isolation.ErrProof: "证明不够", isolation.ErrClock: "时间未确认"} {
		b := newTablet(t, web.Chinese, gone(away()))
		b.room.err = err
		b.send("POST", "/isolation/return", url.Values{"number": {"12"}, "version": {"5"}, "proof": {"look"}, "day": {"today"}})
		b.says(want)
	}
}

func TestThePagesOfTheWayBackSpeakInWords(t *testing.T) {
	for _, language := range []web.Language{web.Chinese, web.English} {
		for _, c := range []isolation.Case{away(), away(undiagnosed), away(unknownDay), away(mayCome)} {
			b := newTablet(t, language, gone(c))
			for _, proof := range []string{"word", "look", "certificate", "release"} {
				b.room.view.Returns[0].Asked = proof
				for _, to := range []string{"GET /isolation/", "GET /isolation/case?number=12", "POST /isolation/return", "POST /isolation/diagnosis", "POST /isolation/place", "POST /isolation/correct"} {
					method, path, _ := strings.Cut(to, " ")
					b.send(method, path, url.Values{"number": {"12"}, "version": {"5"}})
					if key := keyShown.FindString(text(b.page)); key != "" {
						t.Fatalf("%s shows the key %s", path, key)
					}
				}
			}
		}
	}
}
