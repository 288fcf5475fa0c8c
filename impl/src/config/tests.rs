//! Which source wins, what is refused, and that the refusal says what to do.

use super::*;
use std::path::Path;

const FILE: &str = "server.properties";

/// A broker's settings, from a file.
fn settings(lines: &str) -> Settings {
    let mut settings = Settings::default();
    settings.add_text(Path::new(FILE), "node.id=1\nprocess.roles=broker\ncontroller.quorum.voters=9@c:9093\n").unwrap();
    settings.add_text(Path::new(FILE), lines).unwrap();
    settings
}

fn read(lines: &str) -> NodeConfig {
    NodeConfig::read(&settings(lines)).unwrap()
}

fn refusal(lines: &str) -> String {
    NodeConfig::read(&settings(lines)).unwrap_err().to_string()
}

fn endpoint(host: &str, port: u16) -> Endpoint {
    Endpoint { host: host.into(), port }
}

#[test]
fn every_default_is_valid_and_every_name_is_used_once() {
    let config = read("");
    assert_eq!(config.message_max_bytes, 1_048_588);
    assert_eq!(config.broker_session_timeout, Duration::from_secs(9));
    assert!(config.auto_create_topics_enable && !config.unclean_leader_election_enable);
    let mut names: Vec<_> = keys().map(|key| key.name).collect();
    names.sort_unstable();
    names.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1]));
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file_whatever_the_order() {
    let environment = [("HIGHWATER_NUM_PARTITIONS".to_owned(), "3".to_owned()), ("OTHER".to_owned(), "x".to_owned())];
    let mut settings = settings("num.partitions=2\nnum.io.threads=2\nmin.insync.replicas=2\nmin.insync.replicas=3");
    settings.add_flag("num.io.threads", "5");
    settings.add_environment(environment);
    settings.add_text(Path::new(FILE), "num.partitions=7\nnum.io.threads=7").unwrap();
    let config = NodeConfig::read(&settings).unwrap();
    assert_eq!((config.num_partitions, config.num_io_threads, config.min_insync_replicas), (3, 5, 3));
}

#[test]
fn every_variable_leads_back_to_its_key() {
    for key in keys() {
        let mut settings = Settings::default();
        settings.add_environment([(key.variable(), "x".to_owned())]);
        assert!(settings.unknown().next().is_none(), "{}", key.variable());
        assert!(settings.text(key.name).is_some(), "{}", key.name);
    }
}

#[test]
fn a_malformed_value_names_source_key_value_and_what_is_allowed() {
    assert_eq!(
        refusal("\nnum.partitions=many"),
        "server.properties:2: num.partitions=many is not valid; allowed: a whole number from 1 to 2147483647"
    );
    let mut settings = settings("");
    settings.add_environment([("HIGHWATER_AUTO_CREATE_TOPICS_ENABLE".to_owned(), "yes".to_owned())]);
    assert_eq!(
        NodeConfig::read(&settings).unwrap_err().to_string(),
        "environment variable HIGHWATER_AUTO_CREATE_TOPICS_ENABLE: auto.create.topics.enable=yes is not valid; \
         allowed: true or false"
    );
    for bad in ["num.partitions=0", "node.id=-1", "process.roles=broker,broker", "process.roles=", "log.dirs=/a,/b"] {
        assert!(refusal(bad).contains(bad), "{bad}: {}", refusal(bad));
    }
    let small = refusal("log.segment.bytes=1000");
    assert!(small.ends_with("a whole number from 1048576 to 2147483647"), "{small}");
}

#[test]
fn a_missing_value_says_where_it_can_be_set() {
    let nothing = NodeConfig::read(&Settings::default()).unwrap_err().to_string();
    for place in ["node.id is not set", "(node.id=…)", "HIGHWATER_NODE_ID", "--set node.id=…"] {
        assert!(nothing.contains(place), "{nothing}");
    }
}

#[test]
fn unknown_names_are_warned_of_but_on_the_command_line_refused() {
    let mut settings = settings("log.retention.hours=168");
    settings.add_environment([("HIGHWATER_NOPE".to_owned(), String::new())]);
    let warnings: Vec<_> = settings.unknown().map(|unknown| unknown.to_string()).collect();
    assert_eq!(
        warnings,
        [
            "server.properties:1: log.retention.hours is not a setting that Highwater knows; ignored",
            "environment variable HIGHWATER_NOPE: nope is not a setting that Highwater knows; ignored",
        ]
    );
    assert!(NodeConfig::read(&settings).is_ok());
    settings.add_flag("num.partition", "1");
    assert!(NodeConfig::read(&settings).unwrap_err().to_string().starts_with("--set num.partition=…"));
}

#[test]
fn log_dir_is_another_name_for_log_dirs() {
    assert_eq!(read("log.dir=/data").log_dirs, Path::new("/data"));
    let mut settings = settings("log.dirs=/file");
    settings.add_flag("log.dir", "/flag");
    assert_eq!(NodeConfig::read(&settings).unwrap().log_dirs, Path::new("/flag"));
}

#[test]
fn kafkas_own_file_for_a_combined_node_is_understood() {
    let config = read(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=\n\
         controller.quorum.bootstrap.servers=localhost:9093\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
         inter.broker.listener.name=PLAINTEXT\n\
         advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL\n\
         num.network.threads=3\nlog.dirs=/tmp/kraft-combined-logs\nlog.segment.bytes=1073741824\n",
    );
    let broker = config.network.broker.unwrap();
    assert_eq!(broker.listener.endpoint, endpoint("", 9092));
    assert_eq!(broker.advertised, endpoint("localhost", 9092));
    assert_eq!(config.network.controller.unwrap().endpoint, endpoint("", 9093));
    assert_eq!(config.network.quorum, Quorum { id: None, endpoint: endpoint("localhost", 9093) });
}

#[test]
fn what_is_advertised_can_be_connected_to() {
    let advertised = |lines: &str| read(lines).network.broker.unwrap().advertised;
    assert_eq!(advertised("listeners=PLAINTEXT://127.0.0.1:0"), endpoint("127.0.0.1", 0));
    assert_eq!(advertised("listeners=PLAINTEXT://[::1]:9092"), endpoint("::1", 9092));
    assert!(!advertised("listeners=PLAINTEXT://0.0.0.0:9092").host.contains("0.0.0.0"));
    assert!(!advertised("").host.is_empty());
    for nowhere in ["0.0.0.0:1", ":1", "a:0"] {
        assert!(refusal(&format!("advertised.listeners=PLAINTEXT://{nowhere}")).contains("nobody can connect"));
    }
}

#[test]
fn roles_and_listeners_must_fit() {
    let without = refusal("process.roles=broker,controller\nnode.id=9\nlisteners=PLAINTEXT://a:1");
    assert!(without.contains("process.roles names controller") && without.contains("it has 0"), "{without}");
    let two = refusal("listeners=A://a:1,B://a:2");
    assert!(two.contains("process.roles names broker") && two.contains("it has 2"), "{two}");
    let foreign = refusal("listeners=PLAINTEXT://a:1,CONTROLLER://a:2");
    assert!(foreign.contains("CONTROLLER://a:2, which is for a controller"), "{foreign}");
    let only = refusal("process.roles=controller\nnode.id=9\nlisteners=CONTROLLER://a:1,PLAINTEXT://a:2");
    assert!(only.contains("PLAINTEXT://a:2, which is for a broker"), "{only}");
    assert!(refusal("listeners=SSL://a:1").contains("nothing else is supported yet"));
    assert!(refusal("listener.security.protocol.map=PLAINTEXT:SSL").contains("PLAINTEXT for PLAINTEXT"));
    assert!(refusal("inter.broker.listener.name=OTHER").contains("the only listener for brokers"));
}

#[test]
fn there_is_one_controller_and_it_is_who_it_says() {
    assert!(refusal("controller.quorum.voters=1@a:1,2@b:2").contains("a quorum of several is not supported yet"));
    assert!(refusal("controller.quorum.voters=a:1").contains("one controller as id@host:port"));
    assert!(refusal("controller.quorum.voters=").contains("no controller is named"));
    assert!(refusal("controller.quorum.voters=1@a:1").contains("1@a:1 is this node's id"));
    assert!(refusal("controller.quorum.voters=9@a:0").contains("names no port"));
    let other = "process.roles=controller\nlisteners=CONTROLLER://a:0\n";
    assert!(refusal(&format!("{other}controller.quorum.voters=2@a:0")).contains("2@a:0 is not this node's id"));
    let own = read(&format!("{other}controller.quorum.voters=1@a:0"));
    assert_eq!(own.network.quorum, Quorum { id: Some(BrokerId(1)), endpoint: endpoint("a", 0) });
    assert_eq!(own.network.broker, None);
}

#[test]
fn endpoints() {
    assert_eq!(Endpoint::parse("[::1]:1").unwrap().to_string(), "[::1]:1");
    for bad in ["", "a", "a:", "a:b", "a:65536", "a:+1", "::1:1", "[::1:1", "a b:1", "x@a:1", "a/:1"] {
        assert_eq!(Endpoint::parse(bad), None, "{bad}");
    }
}
