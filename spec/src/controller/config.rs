//! Configuration of a topic, or of the cluster: what decisions depend on as values, the rest as it was given.
//!
//! Not here: which names a topic may have, and what a broker does with those that no decision depends on.
//! Source: Kafka's `ConfigurationControlManager`, `ConfigRecord`.

use std::collections::BTreeMap;

/// `min.insync.replicas`.
pub const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";
/// `unclean.leader.election.enable`.
pub const UNCLEAN_LEADER_ELECTION: &str = "unclean.leader.election.enable";

/// What is configured, and nothing of the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Config {
    /// `min.insync.replicas`; Kafka's default is 1.
    pub min_insync_replicas: Option<u32>,
    /// `unclean.leader.election.enable`; Kafka's default is false.
    pub unclean_leader_election: Option<bool>,
    /// What no decision of a machine depends on, by Kafka's name.
    pub others: BTreeMap<String, String>,
}

/// One value of a configuration, set or (`None`) taken away: what one record of the metadata log says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// `min.insync.replicas`.
    MinInsyncReplicas(Option<u32>),
    /// `unclean.leader.election.enable`.
    UncleanLeaderElection(Option<bool>),
    /// Anything else.
    Other {
        /// Kafka's name for it.
        name: String,
        /// Its value.
        value: Option<String>,
    },
}

impl Config {
    /// The configuration with one more setting.
    pub fn apply(&mut self, setting: &Setting) {
        match setting {
            Setting::MinInsyncReplicas(value) => self.min_insync_replicas = *value,
            Setting::UncleanLeaderElection(value) => self.unclean_leader_election = *value,
            Setting::Other { name, value: Some(value) } => {
                self.others.insert(name.clone(), value.clone());
            }
            Setting::Other { name, value: None } => {
                self.others.remove(name);
            }
        }
    }

    /// What makes `to` of this configuration.
    #[must_use]
    pub fn changes(&self, to: &Self) -> Vec<Setting> {
        let mut changes = Vec::new();
        if self.min_insync_replicas != to.min_insync_replicas {
            changes.push(Setting::MinInsyncReplicas(to.min_insync_replicas));
        }
        if self.unclean_leader_election != to.unclean_leader_election {
            changes.push(Setting::UncleanLeaderElection(to.unclean_leader_election));
        }
        let gone = self.others.keys().filter(|name| !to.others.contains_key(*name));
        changes.extend(gone.map(|name| Setting::Other { name: name.clone(), value: None }));
        let set = to.others.iter().filter(|(name, value)| self.others.get(*name) != Some(value));
        changes.extend(set.map(|(name, value)| Setting::Other { name: name.clone(), value: Some(value.clone()) }));
        changes
    }

    /// Everything that is set, as Kafka writes it.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, String> {
        let settings = Self::default().changes(self);
        settings.iter().filter_map(|setting| setting.to_text()).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Setting {
    /// Reads Kafka's text; `None` when the value is not of the setting's type.
    #[must_use]
    pub fn from_text(name: &str, value: Option<&str>) -> Option<Self> {
        Some(match name {
            MIN_INSYNC_REPLICAS => Self::MinInsyncReplicas(value.map(|text| text.trim().parse()).transpose().ok()?),
            UNCLEAN_LEADER_ELECTION => Self::UncleanLeaderElection(match value.map(str::trim) {
                None => None,
                Some(text) if text.eq_ignore_ascii_case("true") => Some(true),
                Some(text) if text.eq_ignore_ascii_case("false") => Some(false),
                Some(_) => return None,
            }),
            _ => Self::Other { name: name.to_owned(), value: value.map(str::to_owned) },
        })
    }

    /// Kafka's name for it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::MinInsyncReplicas(_) => MIN_INSYNC_REPLICAS,
            Self::UncleanLeaderElection(_) => UNCLEAN_LEADER_ELECTION,
            Self::Other { name, .. } => name,
        }
    }

    /// Its value as Kafka writes it; `None` when it is taken away.
    #[must_use]
    pub fn value(&self) -> Option<String> {
        match self {
            Self::MinInsyncReplicas(value) => value.map(|value| value.to_string()),
            Self::UncleanLeaderElection(value) => value.map(|value| value.to_string()),
            Self::Other { value, .. } => value.clone(),
        }
    }

    fn to_text(&self) -> Option<(&str, String)> {
        self.value().map(|value| (self.name(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(texts: &[(&str, &str)]) -> Config {
        let mut config = Config::default();
        for (name, value) in texts {
            config.apply(&Setting::from_text(name, Some(value)).expect("a value of the right type"));
        }
        config
    }

    #[test]
    fn changes_make_one_configuration_of_another() {
        let one = config(&[(MIN_INSYNC_REPLICAS, "2"), ("retention.ms", "5"), ("segment.bytes", "100")]);
        let other = config(&[(UNCLEAN_LEADER_ELECTION, "true"), ("retention.ms", "6")]);
        for (from, to) in [(&one, &other), (&other, &one), (&one, &one)] {
            let mut changed = from.clone();
            from.changes(to).iter().for_each(|setting| changed.apply(setting));
            assert_eq!(&changed, to);
        }
        assert!(one.changes(&one).is_empty());
    }

    #[test]
    fn text_of_another_type_is_refused() {
        assert_eq!(Setting::from_text(MIN_INSYNC_REPLICAS, Some("two")), None);
        assert_eq!(Setting::from_text(UNCLEAN_LEADER_ELECTION, Some("maybe")), None);
        assert_eq!(Setting::from_text(MIN_INSYNC_REPLICAS, None), Some(Setting::MinInsyncReplicas(None)));
    }
}
