//! What a cluster does and the model leaves out.
//!
//! The model's network is a slot that is empty, asked or answered; a shell's has connections that break and are made
//! again, and fetches that end after their followers have given them up. Each of these steps must change nothing that is
//! compared; each is listed here, and anything else at a door that the model has not is a difference.

use super::board::Entry;
use super::conductor::{Conductor, in_words, is, is_always_armed, wanted};
use super::divergence::Difference;
use super::expected::{Wanted, Wording, serves};
use highwater::door::What;
use highwater_checker::replication::{Fetch, State, index};
use highwater_spec::replica::{FetchRequest, Input, Timer};
use highwater_spec::values::BrokerId;

/// What becomes of something at a door that the model has not.
enum Excuse {
    /// It passes.
    Pass,
    /// It is dropped, as if its connection had broken before it was read.
    Discard,
    /// It waits.
    Leave,
}

impl Conductor {
    /// Lets everything happen that is excused, until what waits is what must.
    pub(super) fn settle(&mut self) -> Result<(), Difference> {
        loop {
            let now = self.board.now();
            self.finish()?;
            let specified = Wording(&self.names).all(&self.state);
            if self.excuse_some(&specified)? {
                continue;
            }
            let missing = specified.iter().find(|wanted| !self.board.waiting().any(|entry| is(entry, wanted)));
            let unwoken = self.unwoken();
            match (missing, unwoken) {
                (None, None) => return self.nothing_else(&specified),
                (missing, unwoken) if !self.board.wait(now) => {
                    let missing = missing.cloned().or(unwoken);
                    let node = missing.as_ref().map(|wanted| wanted.node).unwrap_or_default();
                    let waiting = self.board.waiting().filter(|entry| entry.node == node);
                    let found: Vec<_> = waiting.map(|entry| in_words(&wanted(entry))).collect();
                    let specified = missing.as_ref().map(in_words).unwrap_or_default();
                    let about = format!("what waits at {node}");
                    return Err(Difference::new(about, specified, found.join("\n             ")));
                }
                _ => {}
            }
        }
    }

    /// A fetch that must have been woken by a publication, and has not.
    fn unwoken(&mut self) -> Option<Wanted> {
        for follower in self.woken.clone() {
            let Fetch::Parked(asked) = &self.state.links.fetches[index(follower)] else { continue };
            let look = Wording(&self.names).look(asked.request.leader, &asked.request.ask(follower));
            if self.find(&look).is_none() {
                return Some(look);
            }
        }
        None
    }

    /// Lets one thing happen that is excused, if there is any. What is `specified` is not touched.
    pub(super) fn excuse_some(&mut self, specified: &[Wanted]) -> Result<bool, Difference> {
        let waiting: Vec<_> = self.board.waiting().cloned().collect();
        let mut specified: Vec<_> = specified.iter().collect();
        for entry in waiting {
            if let Some(place) = specified.iter().position(|wanted| is(&entry, wanted)) {
                specified.swap_remove(place);
                continue;
            }
            match self.excuse(&entry) {
                Some(Excuse::Pass) => {
                    if let What::Timer(_) = entry.what {
                        self.timers.remove(&wanted(&entry));
                    }
                    self.pass(&entry);
                    self.excused += 1;
                    return Ok(true);
                }
                Some(Excuse::Discard) => {
                    self.discard(&entry);
                    self.excused += 1;
                    return Ok(true);
                }
                Some(Excuse::Leave) | None => {}
            }
        }
        Ok(false)
    }

    fn nothing_else(&mut self, specified: &[Wanted]) -> Result<(), Difference> {
        let waiting: Vec<_> = self.board.waiting().cloned().collect();
        let mut specified: Vec<_> = specified.iter().collect();
        for entry in waiting {
            if let Some(place) = specified.iter().position(|wanted| is(&entry, wanted)) {
                specified.swap_remove(place);
            } else if self.excuse(&entry).is_none() && !matches!(entry.what, What::Timer(_)) {
                let about = format!("what waits at {}", entry.node);
                return Err(Difference::new(about, "nothing like it", in_words(&wanted(&entry))));
            }
        }
        Ok(())
    }

    fn excuse(&self, entry: &Entry) -> Option<Excuse> {
        let (wording, state) = (Wording(&self.names), &self.state);
        if matches!(entry.what, What::Close | What::Sync) {
            return Some(Excuse::Leave);
        }
        if matches!(&entry.what, What::Timer(timer) if is_always_armed(timer)) {
            return Some(Excuse::Leave);
        }
        for follower in state.brokers() {
            if let Some(request) = current(state, follower) {
                let again = serves(state, request.leader);
                let retry = wording.replica(follower, Input::TimerFired(Timer::FetchRetry));
                let of_broken = is(entry, &wording.broken(follower, request)) || is(entry, &retry);
                if of_broken && self.cut_off.contains(&follower) {
                    return Some(if again { Excuse::Pass } else { Excuse::Leave });
                }
                let asks = request.ask(follower);
                let looks = is(entry, &wording.look(request.leader, &asks));
                if looks && matches!(&state.links.fetches[index(follower)], Fetch::Parked(_)) {
                    return Some(Excuse::Leave);
                }
            }
        }
        self.given_up.iter().find_map(|(follower, asked)| {
            let (request, leader) = (asked.request, asked.request.leader);
            let asks = request.ask(*follower);
            let answered = format!("FetchAnswered {{ asked: {request:?},");
            match &entry.what {
                _ if is(entry, &wording.fetch(*follower, asked)) => Some(Excuse::Discard),
                _ if is(entry, &wording.look(leader, &asks)) => Some(Excuse::Pass),
                _ if is(entry, &wording.max_wait(leader, &asks)) => Some(Excuse::Pass),
                What::Input(text) if entry.node == *follower && text.starts_with(&answered) => Some(Excuse::Pass),
                _ => None,
            }
        })
    }
}

/// What a follower is fetching.
fn current(state: &State, follower: BrokerId) -> Option<FetchRequest> {
    match state.links.fetches.get(index(follower))? {
        Fetch::Asked(asked) | Fetch::Parked(asked) => Some(asked.request),
        Fetch::Answered(..) | Fetch::Idle => None,
    }
}
