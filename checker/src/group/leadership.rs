//! Leadership of the coordinator's log, which moves, or goes and comes back.

use super::Leadership;
use super::step::{Outcome, Step};
use highwater_spec::client::consumer::Input;
use highwater_spec::group::{self, Role};
use highwater_spec::replicated;
use highwater_spec::values::LeaderEpoch;

impl Step<'_> {
    pub(super) fn moves(&mut self) -> Outcome {
        self.no_coordinator(|step| {
            step.coordinate(replicated::Input::Reverted);
            step.coordinate(replicated::Input::Heard(group::Input::Elected));
            step.coordinate(replicated::Input::Heard(group::Input::Loaded { at: () }));
        })
    }

    /// Every consumer loses its coordinator, to which something happens.
    fn no_coordinator(&mut self, happens: impl FnOnce(&mut Self)) -> Outcome {
        let running: Vec<_> = (1..=self.world.bounds.members).filter(|member| self.running(*member).is_ok()).collect();
        (1..=self.world.bounds.members).for_each(|member| self.cut_off(member));
        happens(self);
        running.into_iter().try_for_each(|member| self.hears(member, Input::CoordinatorLost))
    }

    /// The broker leads in the epoch after the next one. What it has to do about either waits.
    pub(super) fn returns(&mut self) -> Outcome {
        let known =
            self.state.heard.is_empty().then_some(self.state.tenure).ok_or("it has yet to act on the last one")?;
        let epoch = known.epoch().unwrap_or_default();
        let (lost, won) = (epoch.next(), epoch.next().next());
        self.state.heard.extend([Leadership::Lost(lost), Leadership::Won(won)]);
        Ok(())
    }

    /// Something else has changed in the metadata, and the broker looks again at who leads the log.
    pub(super) fn looks_again(&mut self) -> Outcome {
        let has_acted = self.state.heard.is_empty() && self.coordinates();
        let known = self.state.tenure.epoch().filter(|_| has_acted).ok_or("it has yet to act on the last one")?;
        match self.state.tenure.hears(&self.world.rules, known) {
            true => self.begins(known),
            false => Ok(()),
        }
    }

    fn coordinates(&self) -> bool {
        self.state.coordinator.speculative().role() == Role::Active
    }

    pub(super) fn unloads(&mut self) -> Outcome {
        let lost = |known: &&Leadership| matches!(known, Leadership::Lost(_));
        let Some(Leadership::Lost(epoch)) = self.state.heard.iter().find(lost).copied() else {
            return Err("no leadership was lost");
        };
        self.state.heard.remove(&Leadership::Lost(epoch));
        if !self.state.tenure.hears(&self.world.rules, epoch) {
            self.trace.push(format!("coordinator knows better than {epoch}"));
            return Ok(());
        }
        self.trace.push("coordinator forgets its groups".to_owned());
        self.no_coordinator(|step| step.coordinate(replicated::Input::Reverted))
    }

    pub(super) fn loads(&mut self) -> Outcome {
        let won = |known: &&Leadership| matches!(known, Leadership::Won(_));
        let Some(Leadership::Won(epoch)) = self.state.heard.iter().find(won).copied() else {
            return Err("no leadership was won");
        };
        self.state.heard.remove(&Leadership::Won(epoch));
        if !self.state.tenure.hears(&self.world.rules, epoch) {
            return Ok(());
        }
        self.begins(epoch)
    }

    /// The broker coordinates, from what the log has on.
    fn begins(&mut self, epoch: LeaderEpoch) -> Outcome {
        self.trace.push(format!("coordinator has its groups from the log in {epoch}"));
        let history = self.state.history.edit();
        if history.begun.is_some_and(|last| last >= epoch) {
            history.begun_again = Some(epoch);
        }
        history.begun = Some(epoch);
        self.moves()
    }
}
