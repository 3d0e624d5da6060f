package gate

import "github.com/menshen/menshen/sync/uplink"

// Advice says to an administrator why nothing is sent to a collector.
type Advice struct {
	// Text is what is wrong, and Remedy what to do about it.
	Text, Remedy Words
	// Commands are what to type at the gate for that, in this order.
	Commands []string
}

// Words say one thing twice.
type Words struct{ Chinese, English string }

// causeFault says that the gate cannot even try.
const causeFault uplink.Cause = "device-key"

// adviceOn returns what there is to say about a cause, and nothing about none.
func adviceOn(c uplink.Cause) Advice {
	switch c {
	case uplink.CauseNone:
		return Advice{}
	case uplink.CauseRoot:
		return diverged(Words{"汇集端的记录和本机的不一样", "the collector's entries are not those of this gate"})
	case uplink.CauseAhead:
		return diverged(Words{"汇集端的记录比本机多:本机的卡是旧的或新换的",
			"the collector has more entries than this gate: its card is an old copy or a new one"})
	case uplink.CauseEpoch:
		return diverged(Words{"汇集端已有本机更新的一册:插回来的是旧卡",
			"the collector has a newer journal of this gate: an old card was put back"})
	case uplink.CauseJournal:
		return Advice{Words{"本机的记录读不出来", "the gate's journal cannot be read"},
			Words{"看是哪一条坏了,先把卡拷贝一份", "see which entry is damaged, and copy the card first"},
			[]string{"gatectl journal verify"}}
	case causeFault:
		return Advice{Words{"本机的密钥不能用,什么也不上传", "the gate's key cannot be used, and nothing is sent"},
			Words{"数据目录里的 device.key 或 documents.json 读不出、写不了,看日志是哪一个",
				"device.key or documents.json in the data directory cannot be read or made: the log says which"},
			[]string{"journalctl -u gated"}}
	}
	return adviceOnTheWay(c)
}

// adviceOnTheWay is about what lies between gate and collector, and about the
// collector itself.
func adviceOnTheWay(c uplink.Cause) Advice {
	switch c {
	case uplink.CauseUnreachable:
		return Advice{Words{"连不上 url 里的消息服务器", "the broker in url cannot be reached"},
			Words{"校门上什么都不用做:记录在本机等着,通了自己补传;一直不通,看网络和那台服务器",
				"nothing has to be done at the gate: what is recorded waits; if it lasts, see whether the network and the broker are up"}, nil}
	case uplink.CauseRefused:
		return Advice{Words{"消息服务器不让本机登录", "the broker refuses this gate"},
			Words{"核对这个 [[collector]] 的 password_file、ca、cert 和服务器上登记的;用户名就是校门的名字",
				"compare password_file, ca and cert of this [[collector]] with what the broker knows of this gate; the gate's name is its user"}, nil}
	case uplink.CauseSilent:
		return Advice{Words{"消息服务器连上了,汇集端没有回音", "the broker is there and the collector does not answer"},
			Words{"问汇集端:程序在不在运行,准入的是不是这个名字和公钥,服务器给了什么权限",
				"ask whether the collector runs, whether it admitted this name and key, and what the broker permits"},
			[]string{"gatectl key show"}}
	case uplink.CauseKey:
		return Advice{Words{"回话的不是这个汇集端:签名对不上", "what answers does not have the key of this [[collector]]"},
			Words{"核对 key 和汇集端 'districtd key' 打出的一行", "compare key with what 'districtd key' prints there"}, nil}
	case uplink.CauseStuck:
		return Advice{Words{"汇集端有回音,什么也没存下", "the collector answers and stores nothing"},
			Words{"看汇集端的磁盘和日志", "look at its disk and its log"}, nil}
	}
	return Advice{Words{"上传出了毛病", "something is wrong with sending"},
		Words{"看日志", "see the log"}, []string{"journalctl -u gated"}}
}

// diverged is what to do about a contradiction, whichever it is. The next
// journal is above all that the collectors named, so that one is enough.
func diverged(text Words) Advice {
	return Advice{text,
		Words{"校门照常开,只是不上传。目录 evidence 留着,先查清是谁换了卡、恢复了旧卡:原来的卡还好,就插回去;否则把没应答的报警、移到一边的人处理完,再依次打",
			"arrivals go on and nothing is sent. Keep the directory evidence and find out who restored or replaced the card: if the one before is sound, put it back; otherwise finish open alarms and people set aside, and type"},
		[]string{"systemctl stop gated", `gatectl journal rebase -reason "card restored"`, "systemctl start gated"}}
}
