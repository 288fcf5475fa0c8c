//! Waiting for a condition: asked again and again, with a limit so generous that only what never comes meets it.

use libtest_mimic::Failed;
use std::fmt::Display;
use std::time::{Duration, Instant};
use tokio::time::sleep;

const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(25);

/// Looks until there is something. A look without success says what it saw instead; the last of these is told when
/// nothing comes.
///
/// # Errors
/// When it has taken a minute.
pub async fn until<T, E: Display>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> Result<T, Failed> {
    let deadline = Instant::now() + LIMIT;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(seen) if Instant::now() > deadline => {
                return Err(format!("waited in vain until {what}; last seen: {seen}").into());
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
