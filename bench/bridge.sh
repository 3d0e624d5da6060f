#!/bin/bash
# How long a backlog of 100,000 entries takes over a bridge between two
# mosquittos, each entry a message, beside how long it takes us: see README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly entries=100000
readonly goal=6 # times as long as ours; it fails under half of that
readonly rounds=${ROUNDS:-3} edge=${EDGE_PORT:-21883} center=${CENTER_PORT:-21884}

for program in mosquitto mosquitto_pub; do
	command -v "$program" >/dev/null || { echo "$program is missing: install mosquitto and mosquitto-clients" >&2; exit 2; }
done

dir=$(mktemp -d)
running=()
finish() {
	((${#running[@]} == 0)) || kill "${running[@]}" 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT

# config NAME PORT: a broker that keeps what it has and drops nothing.
config() {
	mkdir -p "$dir/$1"
	cat <<-END
		user root
		listener $2 127.0.0.1
		allow_anonymous true
		log_type error
		persistence true
		persistence_location $dir/$1/
		autosave_interval 5
		max_queued_messages 0
		max_inflight_messages 100
	END
}

config center "$center" >"$dir/center.conf"
config edge "$edge" >"$dir/edge.conf"
cat >>"$dir/edge.conf" <<END
connection up
address 127.0.0.1:$center
topic entry out 1
cleansession false
restart_timeout 1
END

# start NAME PORT: starts a broker and waits until it listens.
start() {
	mosquitto -c "$dir/$1.conf" 2>>"$dir/$1.log" &
	running+=($!)
	for ((i = 0; i < 1000; i++)); do
		(: <"/dev/tcp/127.0.0.1/$2") 2>/dev/null && return
		sleep 0.01
	done
	echo "$1 does not listen on port $2" >&2
	exit 1
}

# stop: ends all that runs in good order, which writes what the brokers have.
stop() {
	kill "${running[@]}"
	wait "${running[@]}" || true
	running=()
}

# What an entry says, in the fewest words of JSON that say it.
awk -v n=$entries 'BEGIN { for (i = 1; i <= n; i++) printf "{\"seq\":%d,\"boot\":0,\"mono\":%d,\"wall\":%.0f,\"clock\":3,\"lane\":%d,\"end\":1,\"outcome\":1,\"subject\":%d,\"role\":1,\"policy\":1,\"roster\":1,\"value\":%d,\"peak\":%d,\"ambient\":23000,\"instrument\":\"gy-mcu90614@1\",\"formula\":\"skin/1\",\"samples\":3}\n",
	i, i * 1000, 1663200000000 + i * 1000, 1 + i % 2, 1 + i * 7919 % 3000, 36000 + i * 37 % 900, 36020 + i * 37 % 900 }' | split -l 50000 - "$dir/entries."

# bridge: prints the seconds from the start of an edge that has the backlog on
# its disk until a receiver behind the center has stored the last message.
bridge() {
	rm -f "$dir"/{edge,center}/mosquitto.db
	start edge "$edge"
	for part in "$dir"/entries.*; do # 65,535 messages are all that it can tell apart
		mosquitto_pub -h 127.0.0.1 -p "$edge" -q 1 -t entry -l <"$part"
	done
	stop
	start center "$center"
	rm -f "$dir"/received.db*
	timeout 600 "$dir/receiver" -broker "tcp://127.0.0.1:$center" -db "$dir/received.db" -n $entries >"$dir/receiver.log" &
	local receiver=$!
	until grep -q subscribed "$dir/receiver.log"; do
		kill -0 $receiver 2>/dev/null || { echo "the receiver has ended" >&2; exit 1; }
		sleep 0.01
	done
	local began=$EPOCHREALTIME
	start edge "$edge"
	wait $receiver || { echo "not all came within ten minutes" >&2; exit 1; }
	local ended=$EPOCHREALTIME
	stop
	awk -v a="$began" -v b="$ended" 'BEGIN { printf "%.2f\n", b - a }'
}

# ours: prints the median of the rounds of our own benchmark, in seconds. That
# it may miss the goal that it has itself is not of interest here.
ours() {
	(cd internal/e2e && "$dir/e2e" -test.run '^$' -test.bench AnOutageIsCaughtUp -test.benchtime 1x -test.v || true) |
		tee "$dir/ours.log" | sed -nE 's/.*caught up in ([0-9.]+) s,.*/\1/p' | grep . ||
		{ cat "$dir/ours.log" >&2; exit 1; }
}

# median of the lines of a file.
median() { sort -n "$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

go test -c -o "$dir/e2e" ./internal/e2e
go build -o "$dir/receiver" ./bench/receiver
for ((round = 1; round <= rounds; round++)); do
	bridge >>"$dir/bridge"
	ours >>"$dir/ours"
	echo "round $round: bridge $(tail -n 1 "$dir/bridge") s, ours $(tail -n 1 "$dir/ours") s"
done
awk -v b="$(median "$dir/bridge")" -v o="$(median "$dir/ours")" -v goal=$goal -v rounds="$rounds" 'BEGIN {
	printf "median of %d rounds, %d entries: bridge %.2f s, ours %.2f s, ratio %.1f, goal %d\n", rounds, '$entries', b, o, b / o, goal
	exit b / o < goal / 2
}'
