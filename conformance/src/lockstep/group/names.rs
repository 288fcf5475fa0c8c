//! What the model calls by one name and the cluster by another: members, clients, the topic.
//!
//! Texts are compared in the model's names. The hash of a group's topics is left out: it depends on the topic's id.

use crate::lockstep::plain::Told;
use highwater_checker::group::Model;
use highwater_spec::group::{MemberId, Request};
use highwater_spec::values::TopicId;
use std::collections::BTreeMap;

/// What all of the model's consumers call themselves.
const CLIENT: &str = "c";

/// The names of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The id that the topic has on the cluster.
    pub topic: TopicId,
    /// The id that it has in the model.
    modelled: Option<TopicId>,
    /// The members' ids on the cluster, as far as they are others than in the model: the latest for each.
    members: BTreeMap<MemberId, MemberId>,
    /// All that there were, and what they are in the model. One that was refused at once is given to nobody there.
    given: Vec<(MemberId, MemberId)>,
}

impl Names {
    /// Of a cluster whose topic has this id.
    pub fn new(topic: TopicId, modelled: TopicId) -> Self {
        Self { topic, modelled: Some(modelled), members: BTreeMap::new(), given: Vec::new() }
    }

    /// A member's id on the cluster.
    pub fn member(&self, of_model: &MemberId) -> String {
        self.members.get(of_model).unwrap_or(of_model).to_string()
    }

    /// What a consumer calls itself that asks. Ids that the broker makes begin with it, and so are in the model's order.
    pub fn client(request: &Request<Model>) -> &str {
        match request {
            Request::Join(join) if join.member.id.is_none() => &join.fresh.0,
            _ => CLIENT,
        }
    }

    /// Takes note of the id that the cluster would give to someone who joins, where the model would give another.
    pub fn learn(&mut self, request: &Request<Model>, told: &str) {
        let Request::Join(join) = request else { return };
        let found = told.split_once("fresh: \"").and_then(|(_, rest)| rest.split_once('"'));
        if let Some((id, _)) = found {
            self.members.insert(join.fresh.clone(), id.into());
            self.given.push((id.into(), join.fresh.clone()));
        }
    }

    /// A request in words.
    pub fn request(request: &Request<Model>, group: &str) -> String {
        Self::without_hashes(&format!("{:?} of {group}", request.recast::<Told>()))
    }

    /// What the cluster says, in the model's names.
    pub fn in_model(&self, text: &str) -> String {
        let mut text = text.replace("\"/127.0.0.1\"", "\"h\"");
        if let Some(modelled) = self.modelled {
            text = text.replace(&format!("{:?}", self.topic), &format!("{modelled:?}"));
        }
        for (real, of_model) in &self.given {
            text = text.replace(&*real.0, &of_model.0);
            text = text.replace(&format!("Client {{ id: {of_model:?}"), &format!("Client {{ id: {CLIENT:?}"));
        }
        Self::without_hashes(&text)
    }

    /// The same text without what `MetadataHash(…)` holds.
    pub fn without_hashes(text: &str) -> String {
        const HASH: &str = "MetadataHash(";
        let mut parts = text.split(HASH);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + HASH + part.trim_start_matches(|sign: char| sign == '-' || sign.is_ascii_digit())
        })
    }
}
