//! What a member tells its group's leader, as far as the coordinator looks into it.

use crate::carrier::Durable;
use crate::wire::messages::consumer_protocol::{ConsumerProtocolSubscription, read};
use bytes::Bytes;
use highwater_spec::group::{Subscription, TopicName};
use std::collections::BTreeSet;

/// The only type of group whose members' metadata the coordinator understands.
const CONSUMER: &str = "consumer";

/// The metadata, and the topics that it names if it is a consumer's.
pub fn subscription(protocol_type: &str, metadata: Bytes) -> Subscription<Durable> {
    let topics = (protocol_type == CONSUMER).then(|| topics_of(&metadata)).flatten();
    Subscription { metadata, topics }
}

fn topics_of(metadata: &Bytes) -> Option<BTreeSet<TopicName>> {
    let read = read::<ConsumerProtocolSubscription>(metadata).ok()?;
    Some(read.topics.iter().map(|topic| TopicName::from(topic.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::messages::consumer_protocol::write;

    #[test]
    fn only_a_consumer_s_metadata_is_looked_into() {
        let wants = ConsumerProtocolSubscription { topics: vec!["t".into()], ..Default::default() };
        let metadata = write(&wants, 1).expect("it fits");
        assert_eq!(subscription(CONSUMER, metadata.clone()).topics, Some([TopicName::from("t")].into()));
        assert_eq!(subscription("connect", metadata).topics, None);
        assert_eq!(subscription(CONSUMER, Bytes::from_static(&[0])).topics, None, "it can't be read");
    }
}
