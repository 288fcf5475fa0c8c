//! A log directory: whose it is, and what it remembers.

use crate::support::{batch, small, written};
use highwater::storage::{LogDir, PartitionLog, PartitionName, StorageError, power_cut};
use highwater_spec::log::LastRun;
use highwater_spec::values::{BrokerEpoch, BrokerId, Offset, TopicId};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const TOPIC: TopicId = TopicId([7; 16]);

fn open(path: &Path) -> Result<LogDir, StorageError> {
    LogDir::open(path, "a-cluster", BrokerId(1))
}

#[test]
fn one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }));
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    drop(first);
    open(dir.path()).unwrap();
}

#[test]
fn belongs_to_one_node_of_one_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let meta = open(dir.path()).unwrap().meta().clone();
    assert_eq!(open(dir.path()).unwrap().meta(), &meta, "its id stays");
    let other_node = LogDir::open(dir.path(), "a-cluster", BrokerId(2)).unwrap_err();
    assert!(matches!(other_node, StorageError::OtherNode { found: BrokerId(1), expected: BrokerId(2), .. }));
    let other_cluster = LogDir::open(dir.path(), "another", BrokerId(1)).unwrap_err();
    assert!(matches!(other_cluster, StorageError::OtherCluster { .. }));

    let path = dir.path().join("meta.properties");
    let kafkas = "#\n#Sat Oct 04 2025\nnode.id=1\nversion=1\ncluster.id = a-cluster\n";
    fs::write(&path, kafkas).unwrap();
    let named = open(dir.path()).unwrap().meta().directory_id;
    assert_eq!(open(dir.path()).unwrap().meta().directory_id, named, "one that had no id gets one");
    fs::write(&path, "version=1\nnode.id=one\ncluster.id=a-cluster\n").unwrap();
    let error = open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("meta.properties, line 2"), "{error}");
}

// Verifies: broker.shutdown.clean
#[test]
fn a_clean_shutdown_is_known_once() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = open(dir.path()).unwrap();
    assert!(!fresh.was_clean());
    fresh.mark_clean(Some(BrokerEpoch(42))).unwrap();
    drop(fresh);
    let marker = dir.path().join(".kafka_cleanshutdown");
    assert_eq!(fs::read_to_string(&marker).unwrap(), r#"{"version":0,"brokerEpoch":42}"#);
    let clean = open(dir.path()).unwrap();
    assert_eq!((clean.was_clean(), clean.previous_broker_epoch()), (true, Some(BrokerEpoch(42))));
    drop(clean);
    let crashed = open(dir.path()).unwrap();
    assert_eq!((crashed.was_clean(), crashed.previous_broker_epoch()), (false, None));
    drop(crashed);
    fs::write(&marker, b"\xff").unwrap();
    let unreadable = open(dir.path()).unwrap();
    assert_eq!((unreadable.was_clean(), unreadable.previous_broker_epoch()), (true, None), "as Kafka takes it");
}

#[test]
fn remembers_its_partitions() {
    let dir = tempfile::tempdir().unwrap();
    let log_dir = open(dir.path()).unwrap();
    let names = [PartitionName::new("a-b", 3), PartitionName::new("__cluster_metadata", 0)];
    let log = written(&log_dir.create(&names[0], Some(TOPIC)).unwrap(), 3);
    log_dir.create(&names[1], None).unwrap();
    fs::create_dir(dir.path().join("gone-0.0123456789abcdef-delete")).unwrap();
    fs::create_dir(dir.path().join("not a partition")).unwrap();
    let offsets = |offset| BTreeMap::from([(names[0].clone(), Offset(offset))]);
    log_dir.store_recovery_points(&offsets(4)).unwrap();
    log_dir.store_high_watermarks(&offsets(3)).unwrap();
    log_dir.store_log_starts(&offsets(2)).unwrap();
    drop((log, log_dir));

    let log_dir = open(dir.path()).unwrap();
    let found: Vec<_> = log_dir.partitions().unwrap().into_iter().map(|found| (found.name, found.topic_id)).collect();
    assert_eq!(found, [(names[1].clone(), None), (names[0].clone(), Some(TOPIC))]);
    assert!(!dir.path().join("gone-0.0123456789abcdef-delete").exists());
    let last = LastRun {
        clean: false,
        recovery_point: Offset(4),
        log_start: Offset(2),
        high_watermark: Offset(3),
        only_copy: false,
    };
    assert_eq!(log_dir.last_run(&names[0]), last);
    assert_eq!(log_dir.last_run(&names[1]), LastRun::UNKNOWN);
    let folder = log_dir.folder_of(&names[0]);
    assert_eq!(
        fs::read_to_string(folder.join("partition.metadata")).unwrap(),
        "version: 0\ntopic_id: BwcHBwcHBwcHBwcHBwcHBw"
    );
    let (log, found) = PartitionLog::open(&folder, small(), &last).unwrap();
    assert_eq!((found.start, found.end, found.high_watermark), (Offset(2), Offset(6), Offset(3)));
    assert_eq!(log.recovery_point(), Offset(4));
}

#[test]
fn a_failed_start_forgets_no_clean_shutdown() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).unwrap().mark_clean(None).unwrap();
    let checkpoint = dir.path().join("recovery-point-offset-checkpoint");
    fs::write(&checkpoint, "0\n1\ngarbage\n").unwrap();
    let error = open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("recovery-point-offset-checkpoint, line 3"), "{error}");
    fs::remove_file(checkpoint).unwrap();
    assert!(open(dir.path()).unwrap().was_clean());
}

#[test]
fn a_power_loss_takes_what_was_not_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let log_dir = open(dir.path()).unwrap();
    let marked = PartitionName::new("marked", 0);
    let noted = PartitionName::new("noted", 0);
    let mut log = written(&log_dir.folder_of(&marked), 12);
    log.flush(Offset(6)).unwrap();
    let config = highwater::storage::LogConfig { record_flush_marks: false, ..small() };
    let (mut other, _) = PartitionLog::open(&log_dir.folder_of(&noted), config.clone(), &LastRun::UNKNOWN).unwrap();
    other.append(&[batch(Offset(0), 0, &[1, 2], 1), batch(Offset(2), 0, &[3], 1)]).unwrap();
    other.flush(Offset(3)).unwrap();
    log_dir.store_recovery_points(&BTreeMap::from([(noted.clone(), Offset(2))])).unwrap();
    drop((log, other, log_dir));

    power_cut(dir.path(), |_| 0).unwrap();
    let log_dir = open(dir.path()).unwrap();
    let end =
        |name, config| PartitionLog::open(&log_dir.folder_of(name), config, &log_dir.last_run(name)).unwrap().1.end;
    assert_eq!(end(&marked, small()), Offset(6));
    assert_eq!(end(&noted, config), Offset(2), "no mark: what was written down is certain");
}
