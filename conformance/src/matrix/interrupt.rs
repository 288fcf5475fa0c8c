//! Ctrl-C, noted for whoever runs something, so that it can clear up.

use super::MatrixError;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// Whether the user wants an end. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C and `kill` do not end this process: they are noted.
    pub(super) fn watched() -> Result<Self, MatrixError> {
        let this = Self::default();
        this.clone().watch().map_err(|error| MatrixError::Program { program: "a signal handler".to_owned(), error })?;
        Ok(this)
    }

    fn watch(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let guard = runtime.enter();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        drop(guard);
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            });
            self.0.store(true, Ordering::Relaxed);
        });
        Ok(())
    }

    /// Whether it was asked for.
    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
