//! Whatever the bytes are, decoding ends in a value or an error, and allocates no more than the bytes warrant.

use bytes::Bytes;
use highwater::wire::malformed::{Case, cases};
use highwater::wire::messages::group_records::{
    GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue,
};
use highwater::wire::messages::{DeleteTopicsRequest, RequestHeader, ResponseHeader};
use highwater::wire::metadata_record::METADATA_RECORDS;
use highwater::wire::sample::{Dice, message};
use highwater::wire::writer::Writer;
use highwater::wire::{API, ApiKey, DecodeError, Message, MetadataRecord, Request, Response, Schema, frame};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many messages of each kind and version are spoilt.
const SAMPLES: u64 = 6;

/// How many bytes decoding may allocate for each byte of a message. The most is a group in ListGroups 3: three bytes on
/// the wire, 96 in memory, half of them for what only later versions have.
const ALLOCATED_PER_BYTE: usize = 32;

/// What it may allocate for any message at all: the count of users of a shared buffer.
const ALLOCATED_ALWAYS: usize = 64;

/// The allocator counts for all threads; one test at a time may decode.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decodes bytes of a version, and encodes what they say.
type Recode = dyn Fn(&Bytes, i16) -> Result<Bytes, DecodeError>;

/// Something that can be decoded, and encoded again.
struct Subject {
    schema: &'static Schema,
    recode: Box<Recode>,
}

fn written(encode: impl FnOnce(&mut Writer)) -> Bytes {
    let mut writer = Writer::default();
    encode(&mut writer);
    writer.into_bytes()
}

fn message_of<M: Message>() -> Subject {
    let recode =
        |body: &Bytes, version| counted(body, || M::decode(body, version)).map(|m| m.to_bytes(version).unwrap());
    Subject { schema: M::SCHEMA, recode: Box::new(recode) }
}

fn request_of(key: ApiKey) -> Subject {
    let recode = move |body: &Bytes, version| {
        let request = counted(body, || Request::decode(key, version, body))?;
        Ok(written(|writer| request.encode(writer, version).unwrap()))
    };
    Subject { schema: key.api().request, recode: Box::new(recode) }
}

fn response_of(key: ApiKey) -> Subject {
    let recode = move |body: &Bytes, version| {
        let response = counted(body, || Response::decode(key, version, body))?;
        Ok(written(|writer| response.encode(writer, version).unwrap()))
    };
    Subject { schema: key.api().response, recode: Box::new(recode) }
}

fn record_of(key: u32, schema: &'static Schema) -> Subject {
    let recode = move |body: &Bytes, version: i16| {
        let head = [1, key as u8, version as u8];
        let value = Bytes::from([&head[..], body].concat());
        let record = counted(&value, || MetadataRecord::decode(&value))?;
        Ok(record.encode_as(version).unwrap().slice(head.len()..))
    };
    Subject { schema, recode: Box::new(recode) }
}

fn subjects() -> impl Iterator<Item = Subject> {
    let records = METADATA_RECORDS.iter().map(|(key, schema)| record_of(*key, schema));
    API.iter()
        .flat_map(|api| [request_of(api.key), response_of(api.key)])
        .chain(records)
        .chain([message_of::<OffsetCommitKey>(), message_of::<OffsetCommitValue>()])
        .chain([message_of::<GroupMetadataKey>(), message_of::<GroupMetadataValue>()])
        .chain([message_of::<RequestHeader>(), message_of::<ResponseHeader>()])
}

/// Decodes, and fails if that allocates out of proportion. What the threads of the test harness allocate meanwhile is
/// counted too, but not each time anew.
fn counted<T>(bytes: &Bytes, decode: impl Fn() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    const TRIES: usize = 20;
    let allowed = bytes.len() * ALLOCATED_PER_BYTE + ALLOCATED_ALWAYS;
    for _ in 0..TRIES {
        let region = Region::new(ALLOCATOR);
        let decoded = decode();
        if region.change().bytes_allocated <= allowed {
            return decoded;
        }
    }
    panic!("more than {allowed} bytes allocated for {}: {bytes:?}", bytes.len());
}

/// Calls `check` with several valid messages of every kind and version.
fn for_every_message(mut check: impl FnMut(&Subject, i16, &Bytes, &mut Dice)) {
    for subject in subjects() {
        for version in subject.schema.versions.iter() {
            for seed in 0..SAMPLES {
                let mut dice = Dice::new(seed);
                let body = message(subject.schema, version, &mut dice).unwrap();
                check(&subject, version, &body, &mut dice);
            }
        }
    }
}

/// Bytes that may or may not be a message: if they are, then writing what was read gives bytes that read the same.
fn survives(subject: &Subject, version: i16, body: &Bytes) {
    if let Ok(written) = (subject.recode)(body, version) {
        assert_eq!(
            (subject.recode)(&written, version).as_ref(),
            Ok(&written),
            "{} version {version}",
            subject.schema.name
        );
    }
}

#[test]
fn valid_messages_come_back() {
    let _alone = alone();
    for_every_message(|subject, version, body, _| {
        assert_eq!((subject.recode)(body, version).as_ref(), Ok(body), "{} version {version}", subject.schema.name);
    });
}

#[test]
fn spoilt_messages_are_refused() {
    let _alone = alone();
    let mut faults = BTreeSet::new();
    for_every_message(|subject, version, body, dice| {
        for Case { name, path, body } in cases(subject.schema, version, body, dice.roll()).unwrap() {
            let context = format!("{} version {version}: {name}: {body:?}", subject.schema.name);
            let outcome = (subject.recode)(&body, version);
            faults.insert(name[path.len()..].trim().to_owned());
            // As Kafka does; librdkafka leaves some. A request that begins with less than a whole one is refused.
            if name == "followed by a byte" && subject.schema.name.ends_with("Request") {
                outcome.expect(&context);
                continue;
            }
            let error = outcome.expect_err(&context);
            assert_eq!(error.message, subject.schema.name, "{context}");
            if name.ends_with("is null") || name.ends_with("is not UTF-8") {
                let blamed = error.field.rsplit('.').next();
                assert_eq!(blamed, path.rsplit('.').next(), "{context}");
            }
        }
    });
    // Every kind of fault has been tried.
    let expected = "ends within its bytes, ends within its length, ends within its presence, ends within its tag, \
        ends within its tag count, ends within its tag size, ends within its text, ends within its value, \
        followed by a byte, has a length of 35 bits, has a tag count of 35 bits, has a tag of 35 bits, \
        has a tag size of 35 bits, has a tagged field of any size, has a tagged field past the end, \
        has a tagged field that is too short, has a tagged field with a byte left over, has an endless length, \
        has an endless tag, has an endless tag count, has an endless tag size, has more tagged fields than bytes, \
        has the largest length, has the least length, has the length -2, is not UTF-8, is null, reaches past the end";
    assert_eq!(faults.into_iter().collect::<Vec<_>>().join(", "), expected);
}

#[test]
fn every_truncation_is_refused() {
    let _alone = alone();
    for_every_message(|subject, version, body, _| {
        for end in 0..body.len() {
            let error = (subject.recode)(&body.slice(..end), version).unwrap_err();
            assert_eq!(error.message, subject.schema.name);
        }
    });
}

#[test]
fn any_byte_may_change() {
    let _alone = alone();
    for_every_message(|subject, version, body, dice| {
        for at in 0..body.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff, dice.roll() as u8] {
                let mut changed = body.to_vec();
                changed[at] = byte;
                survives(subject, version, &changed.into());
            }
        }
    });
}

#[test]
fn any_length_may_be_huge() {
    let _alone = alone();
    let huge: [&[u8]; 6] = [
        &i32::MAX.to_be_bytes(),
        &i16::MAX.to_be_bytes(),
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x80, 0x80, 0x80, 0x80, 0x08],
        &[0xff, 0xff, 0x03],
        &[0xff; 9],
    ];
    for_every_message(|subject, version, body, _| {
        for at in 0..body.len() {
            for length in huge {
                let over = body.get(at + length.len()..).unwrap_or_default();
                survives(subject, version, &[&body[..at], length, over].concat().into());
                survives(subject, version, &[&body[..at], length, &body[at..]].concat().into());
            }
        }
    });
}

#[test]
fn any_bytes_may_come() {
    let _alone = alone();
    for_every_message(|subject, version, _, dice| {
        for _ in 0..20 {
            // Small numbers let more bytes pass for a message.
            let bound = if dice.once_in(2) { 256 } else { 4 };
            let bytes: Bytes = (0..dice.below(100)).map(|_| dice.below(bound) as u8).collect();
            survives(subject, version, &bytes);
        }
    });
}

#[test]
fn any_frame_may_come() {
    let _alone = alone();
    let mut understood = 0;
    for api in API {
        for (version, seed) in api.request.versions.iter().flat_map(|version| (0..500).map(move |seed| (version, seed)))
        {
            let dice = &mut Dice::new(seed);
            let header = RequestHeader {
                request_api_key: api.key.code(),
                request_api_version: version,
                correlation_id: 1,
                client_id: Some("c".into()),
            };
            let header = header.to_bytes(api.request_header_version(version)).unwrap();
            let mut frame = [header, message(api.request, version, dice).unwrap()].concat();
            let at = dice.below(frame.len());
            frame[at] = dice.roll() as u8;
            let frame = Bytes::from(frame);
            if counted(&frame, || frame::decode_request(&frame)).is_ok() {
                frame::header(&frame).unwrap();
                understood += 1;
            }
        }
    }
    assert!(understood > 1000, "only {understood} frames were requests: the others show little");
}

#[test]
fn what_is_allocated_is_counted() {
    let _alone = alone();
    // 4000 empty names in 4000 bytes.
    let body = Bytes::from([&[0xa1, 0x1f], &[1; 4000][..], &[0, 0, 0, 0, 0]].concat());
    let region = Region::new(ALLOCATOR);
    let request = counted(&body, || DeleteTopicsRequest::decode(&body, 4)).unwrap();
    assert_eq!(request.topic_names.len(), 4000);
    assert!(region.change().bytes_allocated >= 4000 * size_of::<String>());
}
