//! Groups of the consumer protocol (KIP-848): the life of members, what is refused to whom, static ones.
//!
//! Not here: their offsets, and classic members beside them (`consumer_groups_mixed.rs`); what happens when time passes.

use super::{Session, SessionError, Topic, ends, of_group};
use highwater::wire::Message;
use highwater::wire::Uuid;
use highwater::wire::messages::consumer_group_heartbeat::TopicPartitions;
use highwater::wire::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

/// From this version on a member brings its own id.
const OWN_ID: i16 = 1;
const LEAVES: i32 = -1;
const PAUSES: i32 = -2;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    let topic = session.topic("consumed", 4, 1)?;
    for version in ConsumerGroupHeartbeatRequest::VERSIONS.iter() {
        life(session, version, &topic);
        invalid(session, version, &topic);
    }
    two_members(session, &topic);
    late(session, &topic);
    epochs(session, &topic);
    static_members(session, &topic);
    subscriptions(session, &topic);
    described(session);
    Ok(())
}

/// Says nothing but who it is and where it stands.
pub(super) fn beat(group: &str, member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: group.to_owned(),
        member_id: member.to_owned(),
        member_epoch: epoch,
        ..Default::default()
    }
}

pub(super) fn join(group: &str, member: &str, topics: &[&str]) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(topics.iter().map(|topic| (*topic).to_owned()).collect()),
        topic_partitions: Some(Vec::new()),
        ..beat(group, member, 0)
    }
}

fn owning(request: ConsumerGroupHeartbeatRequest, topic: Uuid, partitions: &[i32]) -> ConsumerGroupHeartbeatRequest {
    let of_topic = TopicPartitions { topic_id: topic, partitions: partitions.to_vec() };
    let topic_partitions = if partitions.is_empty() { Vec::new() } else { vec![of_topic] };
    ConsumerGroupHeartbeatRequest { topic_partitions: Some(topic_partitions), ..request }
}

pub(super) fn describe(groups: &[&str], operations: bool) -> ConsumerGroupDescribeRequest {
    ConsumerGroupDescribeRequest {
        group_ids: groups.iter().map(|group| (*group).to_owned()).collect(),
        include_authorized_operations: operations,
    }
}

/// The id that a member joins with, and that which it then has.
fn id_of(version: i16, answer: &ConsumerGroupHeartbeatResponse) -> String {
    match version >= OWN_ID {
        true => "m".to_owned(),
        false => answer.member_id.clone().unwrap_or_default(),
    }
}

fn life(session: &mut Session, version: i16, topic: &Topic) {
    let group = session.name(&format!("consumers-{version}"));
    let first = if version >= OWN_ID { "m" } else { "" };
    let begins = join(&group, first, &[&topic.name]);
    let Some(joined) = of_group::ask(session, "joins", version, &begins) else { return };
    let (id, epoch) = (id_of(version, &joined), joined.member_epoch);
    let stays = |epoch| beat(&group, &id, epoch);
    of_group::ask(session, "beats", version, &stays(epoch));
    of_group::ask(session, "says what it owns", version, &owning(stays(epoch), topic.id, &[0, 1, 2, 3]));
    of_group::ask(session, "says everything", version, &{
        let all = join(&group, &id, &[&topic.name]);
        ConsumerGroupHeartbeatRequest { member_epoch: epoch, ..owning(all, topic.id, &[0, 1, 2, 3]) }
    });
    for describing in ConsumerGroupDescribeRequest::VERSIONS.iter() {
        of_group::ask(session, "described with a member", describing, &describe(&[&group], describing > 0));
    }
    of_group::ask(session, "joins again", version, &join(&group, &id, &[&topic.name]));
    of_group::ask(session, "beats after it has joined again", version, &stays(epoch));
    of_group::ask(session, "is no static member that goes", version, &stays(PAUSES));
    of_group::ask(session, "leaves", version, &stays(LEAVES));
    of_group::ask(session, "leaves again", version, &stays(LEAVES));
    of_group::ask(session, "beats when it has left", version, &stays(epoch));
    of_group::ask(session, "described without a member", 1, &describe(&[&group], false));
    of_group::ask(session, "joins when it has left", version, &join(&group, &id, &[&topic.name]));
    of_group::ask(session, "described with a member again", 1, &describe(&[&group], false));
    of_group::ask(session, "leaves for good", version, &stays(LEAVES));
}

/// Wrong in itself, whatever the group is like.
fn invalid(session: &mut Session, version: i16, topic: &Topic) {
    let group = session.name(&format!("invalid-{version}"));
    let begins = || join(&group, "m", &[&topic.name]);
    let mut ask = |case: &str, change: &dyn Fn(&mut ConsumerGroupHeartbeatRequest)| {
        let mut request = begins();
        change(&mut request);
        of_group::ask(session, case, version, &request);
    };
    ask("joins a group without a name", &|request| request.group_id.clear());
    for blank in [" ", "\t\n"] {
        ask(&format!("joins a group of the name {blank:?}"), &|request| request.group_id = blank.to_owned());
    }
    ask("joins with a blank instance id", &|request| request.instance_id = Some(" ".to_owned()));
    ask("joins with a blank rack", &|request| request.rack_id = Some(" ".to_owned()));
    ask("stays under a blank id", &|request| *request = beat(&request.group_id, " ", 1));
    ask("leaves under a blank id", &|request| *request = beat(&request.group_id, " ", LEAVES));
    ask("joins with an instance id without a name", &|request| request.instance_id = Some(String::new()));
    ask("joins with a rack without a name", &|request| request.rack_id = Some(String::new()));
    ask("joins without a rebalance timeout", &|request| request.rebalance_timeout_ms = -1);
    ask("joins with a rebalance timeout of 0", &|request| request.rebalance_timeout_ms = 0);
    ask("joins with a rebalance timeout of -2", &|request| request.rebalance_timeout_ms = -2);
    ask("joins without topics", &|request| request.subscribed_topic_names = None);
    ask("joins without saying what it owns", &|request| request.topic_partitions = None);
    ask("joins and owns something", &|request| *request = owning(request.clone(), topic.id, &[0]));
    ask("joins with an assignor that nobody has", &|request| request.server_assignor = Some("sticky".to_owned()));
    ask("joins with an assignor without a name", &|request| request.server_assignor = Some(String::new()));
    for epoch in [-3, i32::MIN] {
        ask(&format!("is at epoch {epoch}"), &|request| request.member_epoch = epoch);
    }
    ask("stays without an id", &|request| (request.member_id.clear(), request.member_epoch = 1).1);
    ask("leaves without an id", &|request| (request.member_id.clear(), request.member_epoch = LEAVES).1);
    ask("goes for a while without an id", &|request| (request.member_id.clear(), request.member_epoch = PAUSES).1);
    ask("goes for a while without an instance id", &|request| request.member_epoch = PAUSES);
    ask("stays in no group", &|request| (request.member_epoch = 1, request.group_id.push('x')).1);
    ask("leaves no group", &|request| (request.member_epoch = LEAVES, request.group_id.push('x')).1);
    if version >= OWN_ID {
        ask("joins without an id", &|request| request.member_id.clear());
        ask("joins under a blank id", &|request| request.member_id = " ".to_owned());
        ask("joins with an invalid regular expression", &|request| {
            request.subscribed_topic_regex = Some("(".to_owned());
        });
        ask("joins with an empty regular expression", &|request| {
            request.subscribed_topic_regex = Some(String::new());
        });
        ask("leaves after it joined with an empty regular expression", &|request| request.member_epoch = LEAVES);
        ask("joins with nothing but an empty regular expression", &|request| {
            request.subscribed_topic_names = None;
            request.subscribed_topic_regex = Some(String::new());
        });
        ask("leaves after it joined with nothing but that", &|request| request.member_epoch = LEAVES);
        ask("joins with a regular expression", &|request| {
            request.subscribed_topic_names = None;
            request.subscribed_topic_regex = Some("no.such.*".to_owned());
        });
        ask("leaves after it joined with a regular expression", &|request| request.member_epoch = LEAVES);
    }
    of_group::ask_other(session, "a broker that does not coordinate: joins", version, &begins());
    of_group::ask_other(session, "a broker that does not coordinate: leaves", version, &beat(&group, "m", LEAVES));
}

/// Has a member say something; the epoch that it hears, 0 if that is an error.
pub(super) fn tell(session: &mut Session, case: &str, request: &ConsumerGroupHeartbeatRequest) -> i32 {
    of_group::ask(session, case, 1, request).map_or(0, |answer| answer.member_epoch)
}

/// A second one comes: the first is told to give up, says that it has, and the second is told what it gets.
fn two_members(session: &mut Session, topic: &Topic) {
    let group = session.name("two");
    let a = tell(session, "a joins", &join(&group, "a", &[&topic.name]));
    tell(session, "a says what it owns", &owning(beat(&group, "a", a), topic.id, &[0, 1, 2, 3]));
    let b = tell(session, "b joins", &join(&group, "b", &[&topic.name]));
    tell(session, "b beats, and waits", &beat(&group, "b", b));
    tell(session, "a is told to give up", &beat(&group, "a", a));
    tell(session, "a beats, and says nothing", &beat(&group, "a", a));
    tell(session, "a still owns all", &owning(beat(&group, "a", a), topic.id, &[0, 1, 2, 3]));
    let of_group = describe(&[&group], false);
    of_group::ask(session, "described while one gives up", 1, &of_group);
    tell(session, "b beats, and waits still", &owning(beat(&group, "b", b), topic.id, &[]));
    let a = tell(session, "a has given up", &owning(beat(&group, "a", a), topic.id, &[0, 1]));
    let b = tell(session, "b gets it", &owning(beat(&group, "b", b), topic.id, &[]));
    tell(session, "b beats", &owning(beat(&group, "b", b), topic.id, &[2, 3]));
    of_group::ask(session, "described when both are done", 1, &of_group);
    tell(session, "b leaves", &beat(&group, "b", LEAVES));
    tell(session, "a gets all again", &owning(beat(&group, "a", a), topic.id, &[0, 1]));
    tell(session, "a leaves", &beat(&group, "a", LEAVES));
}

/// What a member sent when it joined is heard again when it is to give something up: the story of
/// `scenarios/late-heartbeat.scenario`. In the end b gets what a, which has heard of nothing, still reads.
fn late(session: &mut Session, topic: &Topic) {
    let group = session.name("late");
    let joins = join(&group, "a", &[&topic.name]);
    tell(session, "a joins, to be late", &joins);
    let b = tell(session, "b joins, and waits for a", &join(&group, "b", &[&topic.name]));
    of_group::ask(session, "described while b waits for a", 1, &describe(&[&group], false));
    tell(session, "what a sent first comes late", &joins);
    tell(session, "b gets what a reads", &owning(beat(&group, "b", b), topic.id, &[]));
    of_group::ask(session, "described when both read it", 1, &describe(&[&group], false));
    tell(session, "b leaves", &beat(&group, "b", LEAVES));
    tell(session, "a leaves", &beat(&group, "a", LEAVES));
}

/// Where a member says that it is, and whether that may be.
fn epochs(session: &mut Session, topic: &Topic) {
    let group = session.name("epochs");
    let first = tell(session, "joins", &join(&group, "m", &[&topic.name]));
    let other_topics = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(vec![topic.name.clone(), "no-such-topic".to_owned()]),
        ..beat(&group, "m", first)
    };
    let second = tell(session, "wants another topic", &other_topics);
    tell(session, "is at its last epoch, and says nothing", &beat(&group, "m", first));
    tell(session, "is at its last epoch, and owns its own", &owning(beat(&group, "m", first), topic.id, &[0, 1]));
    tell(session, "is at its last epoch, and owns another", &owning(beat(&group, "m", first), topic.id, &[0, 9]));
    tell(
        session,
        "is at its last epoch, and owns another topic's",
        &owning(beat(&group, "m", first), super::NOBODYS_ID, &[0]),
    );
    for ahead in [1, 100] {
        tell(session, &format!("is {ahead} ahead"), &beat(&group, "m", second + ahead));
    }
    tell(session, "is far ahead", &beat(&group, "m", i32::MAX));
    tell(session, "owns what is not there", &owning(beat(&group, "m", second), topic.id, &[9]));
    tell(session, "somebody stays", &beat(&group, "somebody", second));
    tell(session, "somebody leaves", &beat(&group, "somebody", LEAVES));
    tell(session, "votes for range", &{
        ConsumerGroupHeartbeatRequest { server_assignor: Some("range".to_owned()), ..beat(&group, "m", second) }
    });
    of_group::ask(session, "described with a vote", 1, &describe(&[&group], false));
    of_group::ask(session, "leaves", 1, &beat(&group, "m", LEAVES));
}

fn static_members(session: &mut Session, topic: &Topic) {
    let group = session.name("static-consumers");
    let of = |instance: &str, request: ConsumerGroupHeartbeatRequest| ConsumerGroupHeartbeatRequest {
        instance_id: Some(instance.to_owned()),
        ..request
    };
    let epoch = tell(session, "joins", &of("one", join(&group, "m", &[&topic.name])));
    tell(session, "beats", &of("one", beat(&group, "m", epoch)));
    tell(session, "beats without its instance id", &beat(&group, "m", epoch));
    tell(session, "beats as another instance", &of("two", beat(&group, "m", epoch)));
    tell(session, "joins again under its id", &of("one", join(&group, "m", &[&topic.name])));
    tell(session, "joins while its last life is there", &of("one", join(&group, "n", &[&topic.name])));
    tell(session, "another id beats", &of("one", beat(&group, "n", epoch)));
    tell(session, "another id leaves", &of("one", beat(&group, "n", LEAVES)));
    tell(session, "another id goes for a while", &of("one", beat(&group, "n", PAUSES)));
    tell(session, "another instance leaves", &of("two", beat(&group, "m", LEAVES)));
    tell(session, "goes for a while", &of("one", beat(&group, "m", PAUSES)));
    tell(session, "beats while it is away", &of("one", beat(&group, "m", epoch)));
    tell(session, "goes again", &of("one", beat(&group, "m", PAUSES)));
    of_group::ask(session, "described while it is away", 1, &describe(&[&group], false));
    let epoch = tell(session, "comes back under another id", &of("one", join(&group, "n", &[&topic.name])));
    tell(session, "its new life beats", &of("one", beat(&group, "n", epoch)));
    tell(session, "its last life beats", &of("one", beat(&group, "m", epoch)));
    of_group::ask(session, "described when it is back", 1, &describe(&[&group], false));
    of_group::ask(session, "leaves", 1, &of("one", beat(&group, "n", LEAVES)));
    of_group::ask(session, "leaves again", 1, &of("one", beat(&group, "n", LEAVES)));
}

/// Topics that aren't there, none, one twice.
fn subscriptions(session: &mut Session, topic: &Topic) {
    let group = session.name("subscriptions");
    let wanting = |epoch, topics: &[&str]| ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: Some(topics.iter().map(|topic| (*topic).to_owned()).collect()),
        ..beat(&group, "m", epoch)
    };
    let epoch = tell(session, "joins for no topic", &join(&group, "m", &[]));
    let epoch = tell(session, "wants a topic that is not there", &wanting(epoch, &["no-such-topic"]));
    let epoch = tell(session, "wants a topic without a name", &wanting(epoch, &[""]));
    let epoch = tell(session, "wants a topic twice", &wanting(epoch, &[&topic.name, &topic.name]));
    let epoch = tell(session, "wants it once", &wanting(epoch, &[&topic.name]));
    let epoch = tell(session, "wants nothing any more", &wanting(epoch, &[]));
    tell(session, "says that it has given up", &owning(beat(&group, "m", epoch), topic.id, &[]));
    of_group::ask(session, "described without topics", 1, &describe(&[&group], false));
    of_group::ask(session, "leaves", 1, &beat(&group, "m", LEAVES));
}

fn described(session: &mut Session) {
    let group = session.name("no-consumers");
    for version in ends(ConsumerGroupDescribeRequest::VERSIONS) {
        of_group::ask(session, "no group is described", version, &describe(&[&group], true));
        of_group::ask(session, "a group without a name is described", version, &describe(&[""], false));
        of_group::ask(session, "a group is described twice", version, &describe(&[&group, &group], false));
        of_group::ask(session, "nothing is described", version, &describe(&[], false));
    }
    of_group::ask_other(session, "a broker that does not coordinate: described", 1, &describe(&[&group], false));
}
