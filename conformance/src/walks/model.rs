//! Replaying on the model: nothing but the machines, to try out walks and to see which rules they go through.

use super::replay::{Divergence, Replayer};
use highwater_checker::narrated::Narrated;

/// Replays on the model alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnModel;

impl<W: Narrated> Replayer<W> for OnModel {
    fn replay(&mut self, world: &W, events: &[W::Event]) -> Result<(), Divergence> {
        let mut state = world.initial();
        for (step, event) in events.iter().enumerate() {
            let after = world.apply(&state, event);
            // Told again only where it fails, since telling takes time.
            let why = || world.narrate(&state, event).err().unwrap_or("the model contradicts itself");
            state = after.ok_or_else(|| Divergence { step, what: format!("`{event}` can't happen: {}", why()) })?;
        }
        Ok(())
    }
}
