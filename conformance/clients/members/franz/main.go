// A member of a group, or a producer, with the franz-go client.
//
//	client member BOOTSTRAP GROUP TOPIC WHO STRATEGY SESSION_MS [INSTANCE]
//	client produce BOOTSTRAP TOPIC WHO COUNT
//
// A member reads until its standard input ends, and commits what it has read, batch by batch. A producer has default
// settings. Both tell every event of it, one JSON object a line.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var balancers = map[string]kgo.GroupBalancer{
	"range":              kgo.RangeBalancer(),
	"sticky":             kgo.StickyBalancer(),
	"cooperative-sticky": kgo.CooperativeStickyBalancer(),
}

// now is the clock that all clients of this machine share. Go's own time doesn't tell it.
func now() int64 {
	const monotonic = 1
	var at syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&at)), 0)
	return at.Nano()
}

type fields map[string]any

type teller struct {
	lock sync.Mutex
	head fields
}

func (t *teller) tell(began int64, did string, more fields) {
	t.lock.Lock()
	defer t.lock.Unlock()
	event := fields{"began": began, "ended": now(), "did": did}
	for name, value := range t.head {
		event[name] = value
	}
	for name, value := range more {
		event[name] = value
	}
	line, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func pairs(of map[string][]int32) [][2]any {
	all := [][2]any{}
	for topic, partitions := range of {
		for _, partition := range partitions {
			all = append(all, [2]any{topic, partition})
		}
	}
	return all
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func member(arguments []string) {
	bootstrap, group, topic, who, strategy := arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]
	session, err := strconv.Atoi(arguments[5])
	check(err)
	t := &teller{head: fields{"who": who, "group": group}}
	options := []kgo.Opt{
		kgo.SeedBrokers(strings.Split(bootstrap, ",")...),
		kgo.ClientID(who),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(time.Duration(session) * time.Millisecond),
		kgo.HeartbeatInterval(500 * time.Millisecond),
		kgo.Balancers(balancers[strategy]),
		kgo.OnPartitionsAssigned(func(_ context.Context, client *kgo.Client, of map[string][]int32) {
			_, generation := client.GroupMetadata()
			t.tell(now(), "assigned", fields{"generation": generation, "partitions": pairs(of)})
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, of map[string][]int32) {
			t.tell(now(), "revoked", fields{"partitions": pairs(of)})
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, of map[string][]int32) {
			t.tell(now(), "lost", fields{"partitions": pairs(of)})
		}),
	}
	if len(arguments) > 6 {
		options = append(options, kgo.InstanceID(arguments[6]))
	}
	client, err := kgo.NewClient(options...)
	check(err)
	running, end := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		end()
	}()
	for running.Err() == nil {
		turn(running, client, t)
	}
	client.CloseAllowingRebalance()
	t.tell(now(), "gone", nil)
}

func turn(running context.Context, client *kgo.Client, t *teller) {
	defer client.AllowRebalance()
	began := now()
	limited, cancel := context.WithTimeout(running, 200*time.Millisecond)
	fetches := client.PollFetches(limited)
	cancel()
	last := map[[2]any]*kgo.Record{}
	fetches.EachRecord(func(record *kgo.Record) {
		place := [2]any{record.Topic, record.Partition}
		last[place] = record
		t.tell(began, "polled", fields{"partition": place, "offset": record.Offset, "value": string(record.Value)})
	})
	if len(last) > 0 {
		commit(client, t, last)
	}
}

func commit(client *kgo.Client, t *teller, last map[[2]any]*kgo.Record) {
	began := now()
	_, before := client.GroupMetadata()
	records := []*kgo.Record{}
	for _, record := range last {
		records = append(records, record)
	}
	err := client.CommitRecords(context.Background(), records...)
	_, after := client.GroupMetadata()
	for place, record := range last {
		more := fields{"partition": place, "offset": record.Offset + 1, "answer": answer(err)}
		if before == after {
			more["generation"] = before
		}
		t.tell(began, "committed", more)
	}
}

func answer(err error) any {
	fenced := []error{
		kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.FencedInstanceID,
	}
	for _, one := range fenced {
		if errors.Is(err, one) {
			return fields{"refused": err.Error()}
		}
	}
	if err != nil {
		return fields{"unknown": err.Error()}
	}
	return "accepted"
}

func produce(arguments []string) {
	bootstrap, topic, who := arguments[0], arguments[1], arguments[2]
	count, err := strconv.Atoi(arguments[3])
	check(err)
	t := &teller{head: fields{"who": who}}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(bootstrap, ",")...), kgo.ClientID(who))
	check(err)
	for number := range count {
		began, value := now(), fmt.Sprintf("%s %d", who, number)
		client.Produce(context.Background(), &kgo.Record{Topic: topic, Value: []byte(value)}, func(sent *kgo.Record, err error) {
			more := fields{"partition": nil, "value": value, "once": true}
			if err != nil {
				more["fate"] = fields{"unknown": err.Error()}
			} else {
				more["partition"], more["fate"] = [2]any{topic, sent.Partition}, fields{"acknowledged": sent.Offset}
			}
			t.tell(began, "sent", more)
		})
	}
	check(client.Flush(context.Background()))
	client.Close()
}

func main() {
	switch arguments := os.Args[2:]; os.Args[1] {
	case "member":
		member(arguments)
	case "produce":
		produce(arguments)
	}
}
