import java.util.*;
import java.util.stream.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.*;
import org.apache.kafka.coordinator.group.assignor.*;
import org.apache.kafka.coordinator.group.modern.*;

/** What the assignors of Kafka's group coordinator make of random groups, one line each. */
public class ServerAssignments {
    static final Random RANDOM = new Random(848);
    static final List<String> NAMES = List.of("t", "u", "v");

    // Small numbers, so that sets of them are walked through in order.
    static Uuid id(String topic) {
        return new Uuid(0, 1 + NAMES.indexOf(topic));
    }

    static List<String> some(List<String> of) {
        List<String> chosen = of.stream().filter(one -> RANDOM.nextInt(3) > 0).collect(Collectors.toList());
        return chosen.isEmpty() ? of : chosen;
    }

    static String words(Map<Uuid, Set<Integer>> share) {
        List<String> words = new ArrayList<>();
        for (String topic : NAMES)
            new TreeSet<>(share.getOrDefault(id(topic), Set.of())).forEach(index -> words.add(topic + "-" + index));
        return String.join(",", words);
    }

    static void oneCase(PartitionAssignor assignor, boolean equal) {
        Map<String, Integer> topics = new TreeMap<>();
        NAMES.forEach(name -> topics.put(name, 1 + RANDOM.nextInt(6)));
        int count = 1 + RANDOM.nextInt(5);
        List<String> ids = IntStream.range(0, count).mapToObj(n -> String.valueOf((char) ('a' + n))).toList();
        List<Map<Uuid, Set<Integer>>> owned = ids.stream().map(one -> (Map<Uuid, Set<Integer>>) new TreeMap<Uuid, Set<Integer>>()).toList();
        Map<Uuid, Map<Integer, String>> owners = new HashMap<>();
        topics.forEach((topic, size) -> IntStream.range(0, size).forEach(index -> {
            int owner = RANDOM.nextInt(count + 1);
            if (owner == count || RANDOM.nextInt(4) == 0) return;
            owned.get(owner).computeIfAbsent(id(topic), __ -> new TreeSet<>()).add(index);
            owners.computeIfAbsent(id(topic), __ -> new HashMap<>()).put(index, ids.get(owner));
        }));
        List<String> shared = some(NAMES);
        Map<String, MemberSubscriptionAndAssignmentImpl> members = new TreeMap<>();
        StringBuilder line = new StringBuilder(((ConsumerGroupPartitionAssignor) assignor).name());
        line.append("; ").append(topics.entrySet().stream().map(Object::toString).collect(Collectors.joining(",")));
        for (int number = 0; number < count; number++) {
            List<String> reads = equal ? shared : some(NAMES);
            String instance = RANDOM.nextInt(4) == 0 ? "i" + (9 - number) : "";
            Set<Uuid> subscribed = reads.stream().map(ServerAssignments::id).collect(Collectors.toCollection(TreeSet::new));
            Optional<String> name = instance.isEmpty() ? Optional.empty() : Optional.of(instance);
            Assignment before = new Assignment(Collections.unmodifiableMap(owned.get(number)));
            members.put(ids.get(number), new MemberSubscriptionAndAssignmentImpl(Optional.empty(), name, subscribed, before));
            line.append("; ").append(String.join(" ", ids.get(number), "/" + instance, String.join(",", reads), "/" + words(owned.get(number)), "1"));
        }
        SubscribedTopicDescriber describer = new SubscribedTopicDescriber() {
            public int numPartitions(Uuid topic) { return topics.get(NAMES.get((int) topic.getLeastSignificantBits() - 1)); }
            public Set<String> racksForPartition(Uuid topic, int partition) { return Set.of(); }
        };
        SubscriptionType type = equal ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        GroupAssignment assigned = assignor.assign(new GroupSpecImpl(members, type, owners), describer);
        line.append(" => ");
        line.append(new TreeMap<>(assigned.members()).entrySet().stream()
            .map(one -> one.getKey() + "/" + words(one.getValue().partitions())).collect(Collectors.joining("; ")));
        System.out.println(line);
    }

    public static void main(String[] args) {
        for (int round = 0; round < 150; round++) {
            oneCase(new RangeAssignor(), false);
            oneCase(new UniformAssignor(), true);
        }
    }
}
