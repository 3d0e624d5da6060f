// Command receiver is what one would put behind a bridge that must lose
// nothing: it stores what comes over MQTT and acknowledges it only then, as
// many messages together as are there. It is measured against, and no product.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"

	paho "github.com/eclipse/paho.mqtt.golang"
	_ "github.com/mattn/go-sqlite3" // what the product stores with
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	broker := flag.String("broker", "tcp://127.0.0.1:1883", "`address` of the broker")
	file := flag.String("db", "received.db", "`file` of the database")
	n := flag.Int("n", 1, "how many messages to wait for")
	flag.Parse()
	if err := receive(ctx, *broker, *file, *n); err != nil {
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
}

// receive says "subscribed", and returns when n messages are stored.
func receive(ctx context.Context, broker, file string, n int) (err error) {
	db, err := open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	arrived := make(chan paho.Message, 100)
	c := paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("collector").SetCleanSession(false).SetAutoAckDisabled(true).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { arrived <- m }))
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		return fmt.Errorf("connect: %w", t.Error())
	}
	defer c.Disconnect(250)
	if t := c.Subscribe("entry", 1, nil); t.Wait() && t.Error() != nil {
		return fmt.Errorf("subscribe: %w", t.Error())
	}
	fmt.Println("subscribed")
	for stored := 0; stored < n; {
		batch, err := next(ctx, arrived)
		if err != nil {
			return err
		}
		if err := store(db, batch); err != nil {
			return fmt.Errorf("store: %w", err)
		}
		for _, m := range batch {
			m.Ack()
		}
		stored += len(batch)
	}
	return nil
}

// next waits for a message, and takes those that are there with it.
func next(ctx context.Context, arrived <-chan paho.Message) (batch []paho.Message, err error) {
	select {
	case m := <-arrived:
		batch = append(batch, m)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for {
		select {
		case m := <-arrived:
			batch = append(batch, m)
		default:
			return batch, nil
		}
	}
}

// open makes a table of its own, under the collector's settings.
func open(file string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Path: file, RawQuery: "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&psow=0"}
	db, err := sql.Open("sqlite3", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE entry (id INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT")
	return db, err
}

func store(db *sql.DB, batch []paho.Message) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	insert, err := tx.Prepare("INSERT INTO entry (leaf) VALUES (?)")
	if err != nil {
		return err
	}
	for _, m := range batch {
		if _, err := insert.Exec(m.Payload()); err != nil {
			return err
		}
	}
	return tx.Commit()
}
