import java.nio.ByteBuffer;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.common.TopicPartition;

/** What Kafka's own assignors make of random groups, one line each. */
public class Assignments {
    static final Random RANDOM = new Random(966);

    static List<String> some(List<String> of) {
        List<String> chosen = of.stream().filter(one -> RANDOM.nextInt(3) > 0).collect(Collectors.toList());
        return chosen.isEmpty() ? of : chosen;
    }

    static String words(Collection<?> list) {
        return list.stream().map(Object::toString).sorted().collect(Collectors.joining(","));
    }

    static void oneCase(AbstractPartitionAssignor assignor, boolean sticky) {
        List<String> names = List.of("t", "u", "v");
        Map<String, Integer> topics = new TreeMap<>();
        names.forEach(name -> topics.put(name, 1 + RANDOM.nextInt(6)));
        List<String> shared = some(names);
        Map<String, Subscription> members = new TreeMap<>();
        StringBuilder line = new StringBuilder(assignor.name());
        line.append("; ").append(topics.entrySet().stream().map(Object::toString).collect(Collectors.joining(",")));
        int count = 1 + RANDOM.nextInt(5);
        for (int number = 0; number < count; number++) {
            String id = String.valueOf((char) ('a' + number));
            List<String> reads = sticky ? shared : some(names);
            List<TopicPartition> owned = new ArrayList<>();
            for (String topic : sticky ? shared : List.<String>of())
                for (int index = 0; index < topics.get(topic); index++)
                    if (RANDOM.nextInt(count + 1) == 0) owned.add(new TopicPartition(topic, index));
            int generation = RANDOM.nextInt(8) == 0 ? 1 : 2;
            StickyAssignor before = new StickyAssignor();
            before.onAssignment(new Assignment(owned), new ConsumerGroupMetadata("g", generation, id, Optional.empty()));
            ByteBuffer data = before.subscriptionUserData(Set.of());
            Subscription one = new Subscription(reads, data, owned, generation, Optional.empty());
            String instance = RANDOM.nextInt(4) == 0 ? "i" + (9 - number) : "";
            if (!instance.isEmpty()) one.setGroupInstanceId(Optional.of(instance));
            members.put(id, one);
            line.append("; ").append(String.join(" ", id, "/" + instance, words(reads), "/" + words(owned), "" + generation));
        }
        // The public way in leaves topics out that no one reads.
        topics.keySet().retainAll(members.values().stream().flatMap(one -> one.topics().stream()).collect(Collectors.toSet()));
        Map<String, List<TopicPartition>> assigned = new TreeMap<>(assignor.assign(topics, members));
        line.append(" => ");
        line.append(assigned.entrySet().stream().map(e -> e.getKey() + "/" + words(e.getValue())).collect(Collectors.joining("; ")));
        System.out.println(line);
    }

    public static void main(String[] args) {
        for (int round = 0; round < 150; round++) {
            oneCase(new RangeAssignor(), false);
            oneCase(new RoundRobinAssignor(), false);
            oneCase(new StickyAssignor(), true);
            oneCase(new CooperativeStickyAssignor(), true);
        }
    }
}
