// Read alerts in a consumer group: check each against its JSON Schema, print it, then commit.
//
//	cd examples/consumers/go && go run . -broker 127.0.0.1:9092
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	broker := flag.String("broker", "127.0.0.1:9092", "Kafka, host:port")
	topic := flag.String("topic", "alerts", "topic of alerts, with its prefix")
	group := flag.String("group", "example-go", "consumer group, your program's own")
	schema := flag.String("schema", "../../../schemas/json/Alert.schema.json", "Alert.schema.json")
	remember := flag.Int("remember", 100_000, "ids by which repeats are known")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := consume(ctx, *broker, *topic, *group, *schema, *remember); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// consume reads until the context ends.
func consume(ctx context.Context, broker, topic, group, schema string, remember int) error {
	decoder, err := newDecoder(schema)
	if err != nil {
		return err
	}
	known := newSeen(remember)
	client, err := kgo.NewClient(
		kgo.SeedBrokers(broker),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// Committed by hand below: an alert counts as read only once it is handled.
		kgo.DisableAutoCommit(),
		// A rebalance waits until what was polled is handled and committed.
		kgo.BlockRebalanceOnPoll(),
	)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, 500)
		fetches.EachError(func(topic string, partition int32, err error) {
			if ctx.Err() == nil {
				fmt.Fprintf(os.Stderr, "%s %d: %v\n", topic, partition, err)
			}
		})
		records := fetches.Records()
		for _, record := range records {
			alert, err := decoder.decode(record.Value)
			if err != nil {
				fmt.Fprintln(os.Stderr, "passed over:", err)
			} else if known.add(alert.AlertID) {
				handle(alert)
			}
		}
		// Handled is handled, even if a signal came meanwhile: hence not the context that it ends.
		if err := client.CommitRecords(context.Background(), records...); err != nil {
			fmt.Fprintln(os.Stderr, "not committed:", err)
		}
		client.AllowRebalance()
	}
	return nil
}

// handle does with an alert what your program is for.
func handle(alert alert) {
	codes := make([]string, len(alert.Reasons))
	for at, reason := range alert.Reasons {
		codes[at] = reason.Code
	}
	fmt.Println(alert.AlertID, alert.EntityKind, alert.Severity, alert.Outcome, strings.Join(codes, ","))
}
