//! DescribeTopicPartitions: pages, cursors, and topics that aren't there.

use super::{Session, SessionError};
use highwater::wire::messages::DescribeTopicPartitionsRequest;
use highwater::wire::messages::describe_topic_partitions::{Cursor, TopicRequest};

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let a = session.topic("pages-a", 3, 3)?.name;
    let b = session.topic("pages-b", 2, 1)?.name;
    session.ask("two topics", 0, &of(&[&a, &b]));
    session.ask("two topics in another order", 0, &of(&[&b, &a]));
    session.ask("topic twice", 0, &of(&[&a, &a]));
    session.ask("unknown topic", 0, &of(&[&session.name("pages-unknown")]));
    session.ask("unknown topic among others", 0, &of(&[&a, &session.name("pages-aa"), &b]));
    for name in ["", "a/b", "."] {
        session.ask(&format!("name {name:?}"), 0, &of(&[name]));
    }
    for limit in [1, 2, 3, 4, 5, 0, -1, i32::MAX] {
        let request = DescribeTopicPartitionsRequest { response_partition_limit: limit, ..of(&[&a, &b]) };
        session.ask(&format!("at most {limit} partitions"), 0, &request);
    }
    let one = DescribeTopicPartitionsRequest { response_partition_limit: 1, ..of(&[&session.name("pages-aa"), &b]) };
    session.ask("at most 1 partition, unknown topic first", 0, &one);
    let last = session.name("pages-z");
    for (topic, partition) in [(&a, 0), (&a, 1), (&a, 2), (&a, 3), (&a, 9), (&b, 1), (&last, 0), (&a, -1)] {
        let cursor = Some(Cursor { topic_name: topic.clone(), partition_index: partition });
        let case = format!("from {} {partition}", topic.split_once("-r").map_or("", |(name, _)| name));
        session.ask(&case, 0, &DescribeTopicPartitionsRequest { cursor, ..of(&[&a, &b]) });
    }
    let between = Some(Cursor { topic_name: session.name("pages-aa"), partition_index: 1 });
    session.ask("from a topic between", 0, &DescribeTopicPartitionsRequest { cursor: between, ..of(&[&a, &b]) });
    let from = Some(Cursor { topic_name: a.clone(), partition_index: 1 });
    let paged = DescribeTopicPartitionsRequest { cursor: from, response_partition_limit: 1, ..of(&[&a, &b]) };
    session.ask("from pages-a 1, at most 1 partition", 0, &paged);
    let all = Some(Cursor { topic_name: a, partition_index: 0 });
    session.ask("all topics from pages-a on", 0, &DescribeTopicPartitionsRequest { cursor: all, ..of(&[]) });
    Ok(())
}

fn of(names: &[&str]) -> DescribeTopicPartitionsRequest {
    let topics = names.iter().map(|name| TopicRequest { name: (*name).to_owned() }).collect();
    DescribeTopicPartitionsRequest { topics, ..DescribeTopicPartitionsRequest::default() }
}
