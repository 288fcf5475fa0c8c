//! What can be configured of a topic: names, types, defaults and bounds.
//!
//! Source: Kafka 4.1's `TopicConfig`, `LogConfig`.

/// Kafka's numbers for types, in DescribeConfigs.
pub const BOOLEAN: i8 = 1;
/// Text.
pub const STRING: i8 = 2;
/// A number of 32 bits.
pub const INT: i8 = 3;
/// A number of 64 bits.
pub const LONG: i8 = 5;
/// A number with a fraction.
pub const DOUBLE: i8 = 6;
/// Texts with commas between.
pub const LIST: i8 = 7;

/// The type of a value, with what is allowed of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// `false`: what this would turn on does not exist here.
    Off,
    /// 32 bits, at least so much.
    Int(i32),
    /// 64 bits, at least so much.
    Long(i64),
    /// A number from 0 to 1.
    Ratio,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Some of these, with commas between.
    SomeOf(&'static [&'static str]),
    /// Anything.
    Text,
}

impl Kind {
    /// Kafka's number for the type in DescribeConfigs.
    pub fn code(self) -> i8 {
        match self {
            Self::Boolean | Self::Off => BOOLEAN,
            Self::OneOf(_) => STRING,
            Self::Int(_) => INT,
            Self::Long(_) => LONG,
            Self::Ratio => DOUBLE,
            Self::SomeOf(_) | Self::Text => LIST,
        }
    }

    /// What is wrong with a value.
    fn fault(self, value: &str) -> Option<String> {
        let number = value.trim();
        let below = |least: i64| format!("it must be at least {least}");
        match self {
            Self::Boolean => {
                let known = ["true", "false"].iter().any(|known| known.eq_ignore_ascii_case(number));
                (!known).then(|| "it must be true or false".to_owned())
            }
            Self::Off => (!number.eq_ignore_ascii_case("false")).then(|| "only false is supported".to_owned()),
            Self::Int(least) => match number.parse::<i32>() {
                Ok(number) => (number < least).then(|| below(least.into())),
                Err(_) => Some("it must be a whole number of 32 bits".to_owned()),
            },
            Self::Long(least) => match number.parse::<i64>() {
                Ok(number) => (number < least).then(|| below(least)),
                Err(_) => Some("it must be a whole number of 64 bits".to_owned()),
            },
            Self::Ratio => match number.parse::<f64>() {
                Ok(number) if (0.0..=1.0).contains(&number) => None,
                _ => Some("it must be a number from 0 to 1".to_owned()),
            },
            Self::OneOf(known) => (!known.contains(&value)).then(|| format!("it must be one of {}", known.join(", "))),
            Self::SomeOf(known) => {
                let unknown = value.split(',').map(str::trim).find(|part| !part.is_empty() && !known.contains(part));
                unknown.map(|part| format!("{part} is none of {}", known.join(", ")))
            }
            Self::Text => None,
        }
    }
}

/// One thing that can be configured.
#[derive(Clone, Copy, Debug)]
pub struct TopicConfig {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its value when nobody sets it.
    pub default: &'static str,
    /// The broker's setting that gives another default.
    pub broker: Option<&'static str>,
}

impl TopicConfig {
    /// What the broker's setting is when nobody sets it. Those that count in milliseconds have no value of their own:
    /// Kafka's default stands at their sisters that count in hours.
    pub fn broker_default(&self) -> Option<&'static str> {
        Some(self.default).filter(|_| !self.broker.is_some_and(|broker| WITHOUT_DEFAULT.contains(&broker)))
    }
}

const WITHOUT_DEFAULT: [&str; 4] = ["log.retention.ms", "log.roll.ms", "log.roll.jitter.ms", "log.flush.interval.ms"];

const FOREVER: &str = "9223372036854775807";
const CODECS: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];

const fn config(name: &'static str, kind: Kind, default: &'static str, broker: Option<&'static str>) -> TopicConfig {
    TopicConfig { name, kind, default, broker }
}

/// Everything that can be configured, by name.
pub const TOPIC_CONFIGS: &[TopicConfig] = &[
    config("cleanup.policy", Kind::SomeOf(&["compact", "delete"]), "delete", Some("log.cleanup.policy")),
    config("compression.gzip.level", Kind::Int(-1), "-1", Some("compression.gzip.level")),
    config("compression.lz4.level", Kind::Int(1), "9", Some("compression.lz4.level")),
    config("compression.type", Kind::OneOf(CODECS), "producer", Some("compression.type")),
    config("compression.zstd.level", Kind::Int(-131_072), "3", Some("compression.zstd.level")),
    config("delete.retention.ms", Kind::Long(0), "86400000", Some("log.cleaner.delete.retention.ms")),
    config("file.delete.delay.ms", Kind::Long(0), "60000", Some("log.segment.delete.delay.ms")),
    config("flush.messages", Kind::Long(1), FOREVER, Some("log.flush.interval.messages")),
    config("flush.ms", Kind::Long(0), FOREVER, Some("log.flush.interval.ms")),
    config("follower.replication.throttled.replicas", Kind::Text, "", None),
    config("index.interval.bytes", Kind::Int(0), "4096", Some("log.index.interval.bytes")),
    config("leader.replication.throttled.replicas", Kind::Text, "", None),
    config("local.retention.bytes", Kind::Long(-2), "-2", Some("log.local.retention.bytes")),
    config("local.retention.ms", Kind::Long(-2), "-2", Some("log.local.retention.ms")),
    config("max.compaction.lag.ms", Kind::Long(1), FOREVER, Some("log.cleaner.max.compaction.lag.ms")),
    config("max.message.bytes", Kind::Int(0), "1048588", Some("message.max.bytes")),
    config("message.timestamp.after.max.ms", Kind::Long(0), "3600000", Some("log.message.timestamp.after.max.ms")),
    config("message.timestamp.before.max.ms", Kind::Long(0), FOREVER, Some("log.message.timestamp.before.max.ms")),
    config(
        "message.timestamp.type",
        Kind::OneOf(&["CreateTime", "LogAppendTime"]),
        "CreateTime",
        Some("log.message.timestamp.type"),
    ),
    config("min.cleanable.dirty.ratio", Kind::Ratio, "0.5", Some("log.cleaner.min.cleanable.ratio")),
    config("min.compaction.lag.ms", Kind::Long(0), "0", Some("log.cleaner.min.compaction.lag.ms")),
    config("min.insync.replicas", Kind::Int(1), "1", Some("min.insync.replicas")),
    config("preallocate", Kind::Boolean, "false", Some("log.preallocate")),
    config("remote.log.copy.disable", Kind::Boolean, "false", None),
    config("remote.log.delete.on.disable", Kind::Boolean, "false", None),
    config("remote.storage.enable", Kind::Off, "false", None),
    config("retention.bytes", Kind::Long(i64::MIN), "-1", Some("log.retention.bytes")),
    config("retention.ms", Kind::Long(-1), "604800000", Some("log.retention.ms")),
    config("segment.bytes", Kind::Int(1 << 20), "1073741824", Some("log.segment.bytes")),
    config("segment.index.bytes", Kind::Int(4), "10485760", Some("log.index.size.max.bytes")),
    config("segment.jitter.ms", Kind::Long(0), "0", Some("log.roll.jitter.ms")),
    config("segment.ms", Kind::Long(1), "604800000", Some("log.roll.ms")),
    config("unclean.leader.election.enable", Kind::Boolean, "false", Some("unclean.leader.election.enable")),
];

/// What is wrong with a setting, in a sentence that names it.
pub fn fault(name: &str, value: Option<&str>) -> Option<String> {
    let Some(known) = TOPIC_CONFIGS.iter().find(|config| config.name == name) else {
        return Some(format!("topics have no setting {name}"));
    };
    let Some(value) = value else { return Some(format!("{name} needs a value")) };
    known.kind.fault(value).map(|fault| format!("{name} can't be {value}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_allowed_and_names_are_in_order() {
        for config in TOPIC_CONFIGS {
            assert_eq!(fault(config.name, Some(config.default)), None, "{}", config.name);
        }
        assert!(TOPIC_CONFIGS.is_sorted_by_key(|config| config.name));
    }

    #[test]
    fn a_fault_names_the_setting_and_what_is_allowed() {
        let says = |name, value| fault(name, value).unwrap_or_default();
        assert!(says("retention", Some("1")).contains("retention"));
        assert!(says("min.insync.replicas", Some("0")).contains("at least 1"));
        assert!(says("segment.ms", Some("soon")).contains("64 bits"));
        assert!(says("cleanup.policy", Some("delete,shred")).contains("shred"));
        assert!(says("preallocate", None).contains("preallocate"));
        assert!(says("remote.storage.enable", Some("true")).contains("only false"));
    }
}
