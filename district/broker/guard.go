package broker

import (
	"crypto/subtle"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/menshen/menshen/sync/wire"
)

// guard decides who connects and what each may say and hear. It implements
// server.Authentication.
type guard struct {
	server    *server.Server
	collector string
	password  string // the collector's, made at each start and known to this process only
	gate      func(name, password string) bool
	refused   refused

	mu   sync.Mutex
	open map[string][]uint64 // each gate's connections, some of them over
}

// Check implements server.Authentication.
func (g *guard) Check(c server.ClientAuthentication) bool {
	name, password := c.GetOpts().Username, c.GetOpts().Password
	// The name goes into permissions, where . * and > have a meaning.
	if !wire.ValidName(name) {
		g.refused.add("", RefusedLogin, "")
		return false
	}
	if id := g.clientID(c.GetID()); id != name {
		g.refused.add(name, RefusedID, id)
		return false
	}
	if name == g.collector {
		if subtle.ConstantTimeCompare([]byte(password), []byte(g.password)) != 1 {
			g.refused.add(name, RefusedLogin, "")
			return false
		}
		c.RegisterUser(&server.User{Permissions: collectorMay()})
		return true
	}
	// Known before it is asked: whoever takes the gate's leave away now and
	// then disconnects it finds this connection.
	g.remember(name, c.GetID())
	if !g.gate(name, password) {
		g.forget(name, c.GetID())
		g.refused.add(name, RefusedLogin, "")
		return false
	}
	c.RegisterUser(&server.User{Permissions: gateMay(name)})
	return true
}

// clientID returns what a connection calls itself. With it equal to the user's
// name nobody can take over, and thereby end, another's session. The server
// tells it only in its list of connections.
func (g *guard) clientID(connection uint64) string {
	list, err := g.server.Connz(&server.ConnzOptions{CID: connection})
	if err != nil || len(list.Conns) != 1 {
		return ""
	}
	return list.Conns[0].MQTTClient
}

func (g *guard) remember(name string, connection uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	still := slices.DeleteFunc(g.open[name], func(id uint64) bool { return g.server.GetClient(id) == nil })
	g.open[name] = append(still, connection)
}

// forget keeps strangers from filling the list with names.
func (g *guard) forget(name string, connection uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[name] = slices.DeleteFunc(g.open[name], func(id uint64) bool { return id == connection })
	if len(g.open[name]) == 0 {
		delete(g.open, name)
	}
}

func (g *guard) disconnect(name string) {
	g.mu.Lock()
	connections := g.open[name]
	delete(g.open, name)
	g.mu.Unlock()
	for _, id := range connections {
		// The only error is that the connection is over.
		_ = g.server.DisconnectClientByID(id)
	}
}

// gateMay lets a gate say what gates say about itself, and hear what is for it.
func gateMay(name string) *server.Permissions {
	var say []string
	for _, k := range []wire.Kind{wire.KindHello, wire.KindBatch, wire.KindAlarm, wire.KindStatus} {
		say = append(say, subject(wire.Topic(name, k)))
	}
	down := strings.TrimSuffix(subject(wire.FilterDown(name)), ".*")
	return may(say, append(below(down), subject(wire.TopicAnnounce)))
}

func collectorMay() *server.Permissions {
	all := below("menshen.v1")
	return may(all, all)
}

// below returns what MQTT's SUBJECT/# is in NATS, where it is two.
func below(subject string) []string { return []string{subject, subject + ".>"} }

// may permits what is listed and nothing else. Every session also hears
// $MQTT.sub, through which the server delivers; nobody can ask for that by
// name (server's processSubs refuses $MQTT.).
func may(say, hear []string) *server.Permissions {
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: say},
		Subscribe: &server.SubjectPermission{Allow: append([]string{"$MQTT.sub.>"}, hear...)},
	}
}

// subject returns a topic filter in NATS's writing. Names hold no dot.
func subject(topic string) string {
	return strings.NewReplacer("/", ".", "+", "*", "#", ">").Replace(topic)
}
