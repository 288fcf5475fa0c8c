//! Takes out of an answer what differs between two runs of one cluster: names of the run, ids, ports, placement.

use super::batch;
use super::script::OWN_IDS;
use super::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// What an election may end in, where all leaders are to be elected: success, or no replica that may lead.
const ELECTION_HELD: [i64; 3] = [0, 80, 83];

/// What the run has met.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Put after each name of the script, with a dash before it, so that no run meets another's topics.
    pub run: String,
    /// The ids of brokers.
    pub brokers: BTreeSet<i32>,
    /// The names of topics, without the run, by their ids.
    pub topics: BTreeMap<[u8; 16], String>,
}

impl Known {
    /// The tree without what is of this run only. `sorted`: the order of lists means nothing.
    pub fn normal(&self, tree: Tree, sorted: bool) -> Tree {
        match tree {
            // Only of a coordinator it is said both where it is and what is wrong.
            coordinator @ Tree::Struct(_)
                if coordinator.int("node_id").is_some_and(|id| self.is_broker(id))
                    && coordinator.field("error_code").is_some() =>
            {
                let Tree::Struct(fields) = endpoint(coordinator) else { return Tree::Null };
                self.normal(Tree::Struct(fields), sorted)
            }
            Tree::Struct(fields) => {
                Tree::Struct(fields.into_iter().map(|(name, value)| (name, self.field(name, value, sorted))).collect())
            }
            Tree::List(values) => {
                let kept = values.into_iter().filter(|value| !self.is_foreign(value));
                let mut values = kept.map(|value| self.normal(value, sorted)).collect::<Vec<_>>();
                if sorted {
                    values.sort_by(super::render::order);
                }
                Tree::List(values)
            }
            Tree::Text(text) => Tree::Text(text.replace(&format!("-{}", self.run), "")),
            Tree::Id(id) => Tree::Text(self.id(id)),
            other => other,
        }
    }

    fn field(&self, name: &'static str, value: Tree, sorted: bool) -> Tree {
        let is_broker = |id: &Tree| matches!(id, Tree::Int(id) if self.is_broker(*id));
        match (name, value) {
            ("host", Tree::Text(host)) if !host.is_empty() => placeholder("<host>"),
            ("port", Tree::Int(port)) if port > 0 => placeholder("<port>"),
            ("cluster_id", Tree::Text(id)) if !id.is_empty() => placeholder("<cluster>"),
            ("session_id", Tree::Int(id)) if id != 0 => placeholder("<session>"),
            ("log_append_time_ms", Tree::Int(time)) if time > 0 => placeholder("<now>"),
            ("last_timestamp", Tree::Int(time)) if time > 0 => placeholder("<now>"),
            ("producer_id", Tree::Int(id)) if (0..OWN_IDS).contains(&id) => placeholder("<given out>"),
            ("finalized_features_epoch", Tree::Int(epoch)) if epoch >= 0 => placeholder("<epoch>"),
            ("controller_id", id) if is_broker(&id) => placeholder("<a broker>"),
            ("leader_id", id) if is_broker(&id) => placeholder("<a broker>"),
            ("member_id" | "leader", Tree::Text(id)) => Tree::Text(member(id)),
            ("replica_nodes" | "isr_nodes", Tree::List(ids)) if ids.iter().all(is_broker) => {
                Tree::Text(format!("<{} brokers>", ids.len()))
            }
            ("node_endpoints", Tree::List(nodes)) => {
                Tree::List(nodes.into_iter().map(|node| self.normal(endpoint(node), sorted)).collect())
            }
            ("replica_nodes", list) => list, // the first is preferred
            ("records", Tree::Bytes(bytes)) => batch::told(&bytes),
            (_, value) => self.normal(value, sorted),
        }
    }

    fn is_broker(&self, id: i64) -> bool {
        i32::try_from(id).is_ok_and(|id| self.brokers.contains(&id))
    }

    /// Whether this tells of a topic that exists and isn't of this run.
    fn is_foreign(&self, value: &Tree) -> bool {
        if let (Some(Tree::Text(name)), Some(Tree::List(results))) =
            (value.field("topic"), value.field("partition_result"))
        {
            let was_held = |result: &Tree| result.int("error_code").is_some_and(|code| ELECTION_HELD.contains(&code));
            return !name.contains(&self.run) && results.iter().all(was_held);
        }
        let Some(Tree::Text(name)) = value.field("name") else { return false };
        value.field("partitions").is_some() && value.int("error_code") == Some(0) && !name.contains(&self.run)
    }

    fn id(&self, id: [u8; 16]) -> String {
        match self.topics.get(&id) {
            _ if id == [0; 16] => "<no id>".to_owned(),
            Some(name) => format!("<id of {name}>"),
            None => format!("<id {}>", self.unknown(id)),
        }
    }

    /// Ids of the script are told; others are of this run.
    fn unknown(&self, id: [u8; 16]) -> String {
        if id[..15] == [0; 15] { format!("…{:02x}", id[15]) } else { "of something".to_owned() }
    }
}

/// The id of a member ends in a UUID, which is of this run, or is one in base 64.
fn member(id: String) -> String {
    const UUID: usize = 36;
    const IN_BASE_64: usize = 22;
    if id.len() == IN_BASE_64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return "<random>".to_owned();
    }
    match id.len().checked_sub(UUID).filter(|at| id.is_char_boundary(*at)) {
        Some(at) if id[at..].bytes().filter(|byte| *byte == b'-').count() == 4 => format!("{}<random>", &id[..at]),
        _ => id,
    }
}

/// The address of a leader: which broker leads is of this run.
fn endpoint(node: Tree) -> Tree {
    let Tree::Struct(fields) = node else { return node };
    let hidden = |(name, value)| (name, if name == "node_id" { placeholder("<a broker>") } else { value });
    Tree::Struct(fields.into_iter().map(hidden).collect())
}

fn placeholder(text: &str) -> Tree {
    Tree::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let topics = BTreeMap::from([([7; 16], "a".to_owned())]);
        Known { run: "r1".to_owned(), brokers: BTreeSet::from([1, 2]), topics }
    }

    #[test]
    fn what_is_of_the_run_goes() {
        let text = |text: &str| Tree::Text(text.to_owned());
        let before = Tree::Struct(vec![
            ("name", text("a-r1")),
            ("topic_id", Tree::Id([7; 16])),
            ("leader_id", Tree::Int(2)),
            ("replica_nodes", Tree::List(vec![Tree::Int(2), Tree::Int(1)])),
            ("error_code", Tree::Int(3)),
        ]);
        let after = Tree::Struct(vec![
            ("name", text("a")),
            ("topic_id", text("<id of a>")),
            ("leader_id", text("<a broker>")),
            ("replica_nodes", text("<2 brokers>")),
            ("error_code", Tree::Int(3)),
        ]);
        assert_eq!(known().normal(before, true), after);
    }

    #[test]
    fn elections_in_topics_of_others_go() {
        let topic = |name: &str, codes: &[i64]| {
            let result = |code: &i64| Tree::Struct(vec![("error_code", Tree::Int(*code))]);
            let results = Tree::List(codes.iter().map(result).collect());
            Tree::Struct(vec![("topic", Tree::Text(name.to_owned())), ("partition_result", results)])
        };
        let before = [topic("other", &[]), topic("a-r1", &[]), topic("other", &[0, 80]), topic("no such", &[3])];
        let after = known().normal(Tree::List(before.into()), false);
        assert_eq!(after, Tree::List(vec![topic("a", &[]), topic("no such", &[3])]));
    }

    #[test]
    fn the_random_part_of_a_members_id_goes() {
        let after = |id: &str| known().normal(Tree::Struct(vec![("member_id", Tree::Text(id.to_owned()))]), false);
        let expected = |id: &str| Tree::Struct(vec![("member_id", Tree::Text(id.to_owned()))]);
        assert_eq!(after("a-00000000-1111-2222-3333-444444444444"), expected("a-<random>"));
        assert_eq!(after("XK83I2O4Sji5zy_6iHZlkA"), expected("<random>"));
        assert_eq!(after("m"), expected("m"));
    }

    #[test]
    fn a_leader_that_is_no_broker_stays() {
        let before = Tree::Struct(vec![("leader_id", Tree::Int(-1))]);
        assert_eq!(known().normal(before.clone(), true), before);
    }
}
