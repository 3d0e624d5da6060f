package web

import (
	"fmt"
	"strings"
	"time"
)

// Language is a BCP 47 tag that stands in the page as it is. It decides which
// shapes the browser gives to Han characters, so it must be right. The zero
// value speaks Chinese.
type Language string

// The languages.
const (
	Chinese Language = "zh-CN"
	English Language = "en"
)

// phrase is one text in both languages; {1}, {2} stand for the arguments.
type phrase struct{ zh, en string }

// Other returns the language that a page offers instead of l.
func (l Language) Other() Language {
	if l == English {
		return Chinese
	}
	return English
}

// Tag returns l as it stands in a page.
func (l Language) Tag() string {
	if l == English {
		return string(English)
	}
	return string(Chinese)
}

// Text returns the words of a key with {1}, {2} replaced by the arguments. A
// key that has no words is returned itself: what the gate wanted to say is
// then ugly but not lost.
func (l Language) Text(key string, args ...any) string {
	p, ok := words[key]
	if !ok {
		return key
	}
	text := p.zh
	if l == English {
		text = p.en
	}
	if len(args) == 0 {
		return text
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), fmt.Sprint(arg))
	}
	// One pass: an argument that looks like a placeholder is not replaced again.
	return strings.NewReplacer(pairs...).Replace(text)
}

// Moment returns day, weekday and time of day, to be held against a watch and
// a calendar: "12月7日 周一 06:41", "Mon 7 Dec 06:41".
func (l Language) Moment(t time.Time) string {
	if l == English {
		return t.Format("Mon 2 Jan 15:04")
	}
	days := [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}
	return t.Format("1月2日 ") + days[t.Weekday()] + t.Format(" 15:04")
}

// Weekday returns the weekday and time of day of a moment that lies less than a
// week back, and the moment itself otherwise: "周五 17:20".
func (l Language) Weekday(t, now time.Time) string {
	if now.Sub(t) >= 6*24*time.Hour {
		return l.Moment(t)
	}
	if l == English {
		return t.Format("Mon 15:04")
	}
	_, day, _ := strings.Cut(l.Moment(t), " ")
	return day
}

// Ahead returns a moment to come: "今日 22:00", "明日 00:00", and else as Moment does.
func (l Language) Ahead(t, now time.Time) string {
	for i, day := range [...][2]string{{"今日", "today"}, {"明日", "tomorrow"}} {
		if t.Format(time.DateOnly) != now.AddDate(0, 0, i).Format(time.DateOnly) {
			continue
		}
		if l == English {
			return day[1] + t.Format(" 15:04")
		}
		return day[0] + t.Format(" 15:04")
	}
	return l.Moment(t)
}

// Known reports whether the key has words; a program that hands keys to a
// page tests all of them by it.
func Known(key string) bool {
	_, ok := words[key]
	return ok
}
