//! Where a cluster and the specification part.

use highwater_checker::narrated::Narrated;
use highwater_checker::story;
use std::error::Error;
use std::fmt;

/// The first difference of a replay.
#[derive(Clone, Debug)]
pub struct Divergence {
    /// How many events went well.
    pub step: usize,
    /// The scenario up to the event at which it showed, as the specification tells it.
    pub story: String,
    /// What is different.
    pub about: String,
    /// As the specification has it.
    pub specified: String,
    /// As the cluster has it.
    pub found: String,
    /// Whether nothing was found to differ: the scenario could not be played on.
    pub unplayed: bool,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.story.trim_end())?;
        write!(f, "\nThe cluster parts from it here: {}", self.difference())
    }
}

impl Divergence {
    /// Both sides.
    #[must_use]
    pub fn difference(&self) -> String {
        format!("{}\n  specified  {}\n  found      {}", self.about, self.specified, self.found)
    }
}

impl Error for Divergence {}

/// A difference, before it is known at which event.
#[derive(Clone, Debug)]
pub struct Difference {
    about: String,
    specified: String,
    found: String,
    unplayed: bool,
}

impl Difference {
    /// One in `about`.
    pub fn new(about: impl Into<String>, specified: impl Into<String>, found: impl Into<String>) -> Self {
        Self { about: about.into(), specified: specified.into(), found: found.into(), unplayed: false }
    }

    /// None: the scenario can't be played on.
    pub fn unplayed(why: impl Into<String>) -> Self {
        Self { unplayed: true, ..Self::new("it can't be played on", "it can", why) }
    }

    /// The same, after these events.
    pub fn after<W: Narrated>(self, world: &W, events: &[W::Event]) -> Divergence {
        let story = story::tell(world, events, None).map_or_else(|error| error, |story| story.to_string());
        Divergence {
            step: events.len().saturating_sub(1),
            story,
            about: self.about,
            specified: self.specified,
            found: self.found,
            unplayed: self.unplayed,
        }
    }
}

/// What keeps the conductor from going on is told as a difference too.
impl From<Box<dyn Error>> for Difference {
    fn from(error: Box<dyn Error>) -> Self {
        Self::unplayed(error.to_string())
    }
}
