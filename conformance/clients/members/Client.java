import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A member of a group, or a producer, with Apache Kafka's own client.
 *
 * <pre>
 * Client member BOOTSTRAP GROUP TOPIC WHO STRATEGY SESSION_MS [INSTANCE]
 * Client produce BOOTSTRAP TOPIC WHO COUNT
 * </pre>
 *
 * A member reads until its standard input ends, and commits what it has read, batch by batch. A producer has default
 * settings. Both tell every event of it, one JSON object a line.
 */
public final class Client {
    private static final Map<String, String> STRATEGIES = Map.of(
        "range", "org.apache.kafka.clients.consumer.RangeAssignor",
        "sticky", "org.apache.kafka.clients.consumer.StickyAssignor",
        "cooperative-sticky", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");

    private final String head;

    private Client(String who, String group) {
        head = "{\"who\":" + text(who) + (group == null ? "" : ",\"group\":" + text(group));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("member")) {
            String instance = arguments.length > 7 ? arguments[7] : null;
            new Client(arguments[4], arguments[2])
                .member(arguments[1], arguments[2], arguments[3], arguments[5], arguments[6], arguments[4], instance);
        } else {
            new Client(arguments[3], null).produce(arguments[1], arguments[2], arguments[3], Integer.parseInt(arguments[4]));
        }
    }

    /** The clock that all clients of this machine share. */
    private static long now() {
        return System.nanoTime();
    }

    private synchronized void tell(long began, String did, String more) {
        System.out.println(head + ",\"began\":" + began + ",\"ended\":" + now() + ",\"did\":" + text(did) + more + "}");
        System.out.flush();
    }

    private static String text(String value) {
        return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + '"';
    }

    private static String pair(TopicPartition partition) {
        return "[" + text(partition.topic()) + "," + partition.partition() + "]";
    }

    private static String pairs(Collection<TopicPartition> partitions) {
        return ",\"partitions\":" + partitions.stream().map(Client::pair).collect(Collectors.joining(",", "[", "]"));
    }

    private static String generation(int generation) {
        return ",\"generation\":" + generation;
    }

    private static String why(String kind, Exception error) {
        return "{" + text(kind) + ":" + text(String.valueOf(error)) + "}";
    }

    private void member(String bootstrap, String group, String topic, String strategy, String session, String who,
            String instance) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("client.id", who);
        settings.put("group.id", group);
        settings.put("enable.auto.commit", "false");
        settings.put("auto.offset.reset", "earliest");
        settings.put("session.timeout.ms", session);
        settings.put("heartbeat.interval.ms", "500");
        settings.put("partition.assignment.strategy", STRATEGIES.get(strategy));
        if (instance != null) {
            settings.put("group.instance.id", instance);
        }
        AtomicBoolean ended = untilAskedToEnd();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            Supplier<Integer> current = () -> consumer.groupMetadata().generationId();
            consumer.subscribe(List.of(topic), listener(current));
            while (!ended.get()) {
                turn(consumer, current);
            }
        }
        tell(now(), "gone", "");
    }

    private void turn(KafkaConsumer<String, String> consumer, Supplier<Integer> current) {
        long began = now();
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
            TopicPartition partition = new TopicPartition(record.topic(), record.partition());
            offsets.put(partition, new OffsetAndMetadata(record.offset() + 1));
            String place = ",\"partition\":" + pair(partition) + ",\"offset\":" + record.offset();
            tell(began, "polled", place + ",\"value\":" + text(record.value()));
        }
        if (!offsets.isEmpty()) {
            commit(consumer, offsets, current);
        }
    }

    private void commit(KafkaConsumer<String, String> consumer, Map<TopicPartition, OffsetAndMetadata> offsets,
            Supplier<Integer> current) {
        long began = now();
        int before = current.get();
        String answer = text("accepted");
        try {
            consumer.commitSync(offsets);
        } catch (CommitFailedException | RebalanceInProgressException | FencedInstanceIdException error) {
            answer = why("refused", error);
        } catch (KafkaException error) {
            answer = why("unknown", error);
        }
        String in = before == current.get() ? generation(before) : "";
        for (var entry : offsets.entrySet()) {
            String place = ",\"partition\":" + pair(entry.getKey()) + ",\"offset\":" + entry.getValue().offset();
            tell(began, "committed", in + place + ",\"answer\":" + answer);
        }
    }

    private ConsumerRebalanceListener listener(Supplier<Integer> current) {
        return new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                tell(now(), "assigned", generation(current.get()) + pairs(partitions));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                tell(now(), "revoked", pairs(partitions));
            }

            @Override
            public void onPartitionsLost(Collection<TopicPartition> partitions) {
                tell(now(), "lost", pairs(partitions));
            }
        };
    }

    private static AtomicBoolean untilAskedToEnd() {
        AtomicBoolean ended = new AtomicBoolean();
        Thread waits = new Thread(() -> {
            try {
                System.in.readAllBytes();
            } catch (java.io.IOException error) {
                // It ended all the same.
            }
            ended.set(true);
        });
        waits.setDaemon(true);
        waits.start();
        return ended;
    }

    private void produce(String bootstrap, String topic, String who, int count) {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("client.id", who);
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (int number = 0; number < count; number++) {
                long began = now();
                String value = who + " " + number;
                producer.send(new ProducerRecord<>(topic, value), (sent, error) -> {
                    String partition = error != null ? "null" : "[" + text(topic) + "," + sent.partition() + "]";
                    String fate = error != null ? why("unknown", error) : "{\"acknowledged\":" + sent.offset() + "}";
                    String what = ",\"partition\":" + partition + ",\"value\":" + text(value);
                    tell(began, "sent", what + ",\"once\":true,\"fate\":" + fate);
                });
            }
        }
    }
}
