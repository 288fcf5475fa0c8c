//! Looking until something is found, without sleeping through it: how a fetch waits for records.
//!
//! Source: Kafka's `DelayedFetch` and `DelayedOperationPurgatory.tryCompleteElseWatch`.

use crate::cells::Registration;
use crate::door::{Looking, Patience};
use std::sync::Arc;
use tokio::sync::Notify;

/// Something to look at that wakes whoever has parked there.
pub(super) trait LookedAt {
    /// What is looked for.
    type Found;

    /// Waits until it may look; what comes back is dropped when it has.
    async fn turn(&self) -> Option<Looking>;

    /// One look, which takes what there is once `time_is_up`.
    async fn look(&mut self, time_is_up: bool) -> Option<Self::Found>;

    /// Has itself woken from now on.
    fn park(&self) -> (Arc<Notify>, Vec<Registration>);

    /// How long it waits.
    fn patience(&self) -> Patience;
}

/// Looks once, then parks, then looks again, and from then on whenever it is woken or its patience ends.
pub(super) async fn until_found<L: LookedAt>(at: &mut L) -> L::Found {
    let mut parked = None;
    loop {
        let looking = at.turn().await;
        let time_is_up = parked.as_ref().is_some_and(|(_, patience): &(_, Patience)| patience.is_over());
        let mut found = at.look(time_is_up).await;
        if found.is_none() && parked.is_none() {
            // First registered, then looked again: what is published in between is not missed.
            parked = Some((at.park(), at.patience()));
            found = at.look(time_is_up).await;
        }
        if let Some(found) = found {
            // Whoever keeps the door hears first that it waits no more, then that it has looked.
            drop(parked);
            return found;
        }
        drop(looking);
        if let Some(((woken, _), patience)) = &mut parked {
            tokio::select! {
                () = woken.notified() => {}
                () = patience.over() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::Parked;
    use crate::door::Door;
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    /// Records that are published just before whoever looks has parked, and never again.
    struct PublishedMeanwhile {
        there: Cell<bool>,
        parked: Parked,
    }

    impl LookedAt for PublishedMeanwhile {
        type Found = ();

        async fn turn(&self) -> Option<Looking> {
            None
        }

        async fn look(&mut self, _: bool) -> Option<()> {
            self.there.get().then_some(())
        }

        fn park(&self) -> (Arc<Notify>, Vec<Registration>) {
            self.there.set(true);
            self.parked.wake_all();
            let woken = Arc::new(Notify::new());
            let registration = self.parked.register(Arc::clone(&woken) as Arc<_>);
            (woken, vec![registration])
        }

        fn patience(&self) -> Patience {
            Door::open().patience(None, Instant::now() + Duration::from_secs(3600), String::new)
        }
    }

    #[tokio::test]
    async fn what_is_published_before_a_fetch_has_parked_is_not_missed() {
        let mut at = PublishedMeanwhile { there: Cell::new(false), parked: Parked::new() };
        tokio::select! {
            biased;
            () = until_found(&mut at) => {}
            () = std::future::ready(()) => panic!("it sleeps"),
        }
    }
}
