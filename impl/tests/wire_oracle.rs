//! Our codec against that of the crate `kafka-protocol`, which is made from Kafka's own schemas.
//!
//! Both read the same bytes; they must find the same fields with the same values, and write the same bytes again. The
//! bytes are made by a third party, `wire::sample`. Records of the metadata log are not in that crate.

use bytes::{Bytes, BytesMut};
use highwater::wire::messages::{RequestHeader, ResponseHeader};
use highwater::wire::sample::{Dice, message};
use highwater::wire::{API, Message, Uuid};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Message as TheirMessage};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// How many messages of each kind and version are tried.
const SAMPLES: u64 = 60;

/// Last versions that no stable version of the request asks for: their library has them of the response alone.
const UNSTABLE: [(&str, i16); 3] =
    [("InitProducerIdResponse", 6), ("OffsetCommitResponse", 10), ("OffsetFetchResponse", 10)];

/// Calls `$check::<Ours, Theirs>()` for every message, and returns their names.
macro_rules! for_every_message {
    ($check:ident) => { for_every_message!($check:
        ProduceRequest ProduceResponse FetchRequest FetchResponse ListOffsetsRequest ListOffsetsResponse
        MetadataRequest MetadataResponse ApiVersionsRequest ApiVersionsResponse CreateTopicsRequest
        CreateTopicsResponse DeleteTopicsRequest DeleteTopicsResponse OffsetForLeaderEpochRequest
        OffsetForLeaderEpochResponse DescribeConfigsRequest DescribeConfigsResponse AlterPartitionRequest
        AlterPartitionResponse DescribeClusterRequest DescribeClusterResponse BrokerRegistrationRequest
        BrokerRegistrationResponse BrokerHeartbeatRequest BrokerHeartbeatResponse UnregisterBrokerRequest
        UnregisterBrokerResponse DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse ElectLeadersRequest
        ElectLeadersResponse FindCoordinatorRequest FindCoordinatorResponse JoinGroupRequest JoinGroupResponse
        SyncGroupRequest SyncGroupResponse HeartbeatRequest HeartbeatResponse LeaveGroupRequest LeaveGroupResponse
        OffsetCommitRequest OffsetCommitResponse OffsetFetchRequest OffsetFetchResponse DescribeGroupsRequest
        DescribeGroupsResponse ListGroupsRequest ListGroupsResponse DeleteGroupsRequest DeleteGroupsResponse
        OffsetDeleteRequest OffsetDeleteResponse InitProducerIdRequest InitProducerIdResponse DescribeProducersRequest
        DescribeProducersResponse AllocateProducerIdsRequest AllocateProducerIdsResponse ConsumerGroupHeartbeatRequest
        ConsumerGroupHeartbeatResponse ConsumerGroupDescribeRequest ConsumerGroupDescribeResponse
    ) };
    ($check:ident: $($name:ident)*) => {{
        $($check::<highwater::wire::messages::$name, theirs::$name>();)*
        [$(stringify!($name)),*]
    }};
}

/// Their debug output in the form of ours: identifiers in base64, no wrappers around numbers and names, no room for
/// unknown fields.
fn normalized(theirs: &impl Debug) -> String {
    let text = format!("{theirs:?}").replace(", unknown_tagged_fields: {}", "");
    let mut text = text.replace(" { unknown_tagged_fields: {} }", "");
    for wrapper in ["BrokerId(", "TopicName(", "TransactionalId(", "ProducerId(", "GroupId("] {
        while let Some(start) = text.find(wrapper) {
            let open = start + wrapper.len();
            let close = open + end_of_value(&text[open..]);
            text.replace_range(close..=close, "");
            text.replace_range(start..open, "");
        }
    }
    with_short_identifiers(&text)
}

/// Where the parenthesis closes that is open at the start of `text`: after a number, or after a quoted string.
fn end_of_value(text: &str) -> usize {
    let value = match text.strip_prefix('"') {
        Some(quoted) => 1 + quoted.find('"').unwrap() + 1,
        None => 0,
    };
    value + text[value..].find(')').unwrap()
}

fn with_short_identifiers(text: &str) -> String {
    const LONG: usize = "00000000-0000-0000-0000-000000000000".len();
    let mut short = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.get(..LONG).map(|word| word.replace('-', "")).filter(|digits| digits.len() == 32);
        let number = digits.and_then(|digits| u128::from_str_radix(&digits, 16).ok());
        let taken = if number.is_some() { LONG } else { rest.chars().next().map_or(0, char::len_utf8) };
        match number {
            Some(number) => short.push_str(&Uuid(number.to_be_bytes()).to_string()),
            None => short.push_str(&rest[..taken]),
        }
        rest = &rest[taken..];
    }
    short
}

fn agrees<Ours: Message, Theirs: Decodable + Encodable + Debug>() {
    for version in Ours::VERSIONS.iter() {
        for seed in 0..SAMPLES {
            let context = format!("{} version {version} seed {seed}", Ours::SCHEMA.name);
            let body = message(Ours::SCHEMA, version, &mut Dice::new(seed)).unwrap();

            let ours = Ours::decode(&body, version).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(ours.to_bytes(version).unwrap(), body, "{context}: we write other bytes");

            let mut rest = body.clone();
            let theirs = Theirs::decode(&mut rest, version).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert!(rest.is_empty(), "{context}: they leave bytes over");
            assert_eq!(format!("{ours:?}"), normalized(&theirs), "{context}: other values");

            let mut encoded = BytesMut::new();
            theirs.encode(&mut encoded, version).unwrap();
            assert_eq!(encoded, body, "{context}: they write other bytes");
        }
    }
}

fn has_their_versions<Ours: Message, Theirs: TheirMessage + HeaderVersion>() {
    let name = Ours::SCHEMA.name;
    let theirs = Theirs::VERSIONS;
    let unstable = i16::from(UNSTABLE.contains(&(name, theirs.max)));
    assert_eq!((Ours::VERSIONS.min, Ours::VERSIONS.max), (theirs.min, theirs.max - unstable), "{name}");
    let api = API.iter().find(|api| [api.request.name, api.response.name].contains(&name)).unwrap();
    for version in Ours::VERSIONS.iter() {
        let header = match name {
            _ if name == api.request.name => api.request_header_version(version),
            _ => api.response_header_version(version),
        };
        assert_eq!(header, Theirs::header_version(version), "header of {name} version {version}");
    }
}

fn has_their_defaults<Ours: Message, Theirs: Default + Debug>() {
    assert_eq!(format!("{:?}", Ours::default()), normalized(&Theirs::default()));
}

#[test]
fn both_read_and_write_the_same() {
    for_every_message!(agrees);
    agrees::<RequestHeader, theirs::RequestHeader>();
    agrees::<ResponseHeader, theirs::ResponseHeader>();
}

#[test]
fn versions_are_kafkas() {
    let compared = for_every_message!(has_their_versions);
    for name in API.iter().flat_map(|api| [api.request.name, api.response.name]) {
        assert!(compared.contains(&name), "{name} is not compared");
    }
}

#[test]
fn keys_are_kafkas() {
    for api in API {
        let theirs = theirs::ApiKey::try_from(api.key.code()).unwrap();
        assert_eq!(format!("{theirs:?}"), api.name);
    }
}

#[test]
fn defaults_are_kafkas() {
    for_every_message!(has_their_defaults);
}

#[test]
fn samples_are_varied() {
    // Were all samples alike, the other tests would show little.
    for schema in [API[0].request, API[1].response] {
        let body = |seed| message(schema, schema.versions.max, &mut Dice::new(seed));
        let bodies: BTreeSet<Bytes> = (0..SAMPLES).filter_map(body).collect();
        assert!(bodies.len() as u64 > SAMPLES / 2, "{}: {} different messages", schema.name, bodies.len());
    }
}
