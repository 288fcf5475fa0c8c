//! Replaying scenarios and walks: a cluster for each, from its first event to its last.

use super::board::{Board, Note};
use super::conductor::Conductor;
use super::divergence::{Difference, Divergence};
use super::group::GroupConductor;
use super::nodes::{InProcess, Nodes, Plan};
use super::processes::Processes;
use crate::walks::{self, Replayer};
use highwater_checker::group::{self, Coordinated, members};
use highwater_checker::kind::Model;
use highwater_checker::narrated::Narrated;
use highwater_checker::replication::{self, World};
use highwater_checker::story::{self, Parting};
use highwater_spec::rules::Rules;
use highwater_spec::scenario::{Event, ParseError, Scenario};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;
use tokio::runtime::Runtime;

/// How long a cluster may do nothing before what is awaited is said to be missing. A cluster in step is never waited for
/// in vain, so that no good verdict rests on how fast anything is.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same for clusters that are wrong on purpose.
const SHORT: Duration = Duration::from_millis(500);

/// How the directories of clusters begin; the id of the process follows.
const PREFIX: &str = "highwater-lockstep-";

/// Where clusters are played: memory, where there is a file system of it.
const MEMORY: &str = "/dev/shm";

/// Starts clusters, one after another.
pub struct Ensemble {
    runtime: Arc<Runtime>,
    below: PathBuf,
    /// `highwater-node`, if each node is to be a process.
    program: Option<PathBuf>,
    /// The rules of the nodes, if not the world's.
    rules: Option<Rules>,
    patience: Duration,
}

impl Ensemble {
    /// Nodes will run in this process.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn in_process() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let memory = Path::new(MEMORY);
        let below = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        sweep(&below);
        Ok(Self { runtime: Arc::new(runtime), below, program: None, rules: None, patience: PATIENCE })
    }

    /// Each node will be a process of its own.
    ///
    /// # Errors
    /// When `highwater-node` is not beside the program that runs.
    pub fn in_processes() -> std::io::Result<Self> {
        let name = format!("highwater-node{}", std::env::consts::EXE_SUFFIX);
        let program = std::env::current_exe()?.with_file_name(name);
        if !program.is_file() {
            let hint = "build it with `cargo build -p highwater-conformance`";
            return Err(std::io::Error::other(format!("{} isn't there: {hint}", program.display())));
        }
        Self::in_process().map(|ensemble| ensemble.with_program(program))
    }

    /// Each node will be a process of this program, which is `highwater-node`.
    #[must_use]
    pub fn with_program(self, program: PathBuf) -> Self {
        Self { program: Some(program), ..self }
    }

    /// The nodes will decide by these rules, whatever the world's are: a cluster that is wrong on purpose.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules: Some(rules), patience: SHORT, ..self }
    }

    fn nodes(&self, plan: &Arc<Plan>, rules: Rules, notes: Sender<Note>) -> Box<dyn Nodes> {
        let (plan, rules) = (Arc::clone(plan), self.rules.unwrap_or(rules));
        match &self.program {
            Some(program) => Box::new(Processes::new(program.clone(), plan, rules, notes)),
            None => Box::new(InProcess::new(Arc::clone(&self.runtime), plan, rules, notes)),
        }
    }

    /// Plays events of a world on a cluster of their own. Tells how often it did what the model leaves out, and is
    /// excused.
    ///
    /// # Errors
    /// The first difference.
    pub fn play<W: Playable>(&self, world: &W, events: &[W::Event]) -> Result<usize, Box<Divergence>> {
        let parted = |difference: Difference, count: usize| Box::new(difference.after(world, &events[..count]));
        let lacking = |error: Box<dyn Error>| parted(error.into(), 0);
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let dir = tempfile::Builder::new().prefix(&prefix).tempdir_in(&self.below);
        let dir = dir.map_err(|error| lacking(error.into()))?;
        let plan = Plan::new(dir.path(), world.brokers()).map_err(|error| lacking(error.into()))?;
        let plan = Arc::new(plan);
        let (notes, board) = mpsc::channel();
        let nodes = self.nodes(&plan, world.rules(), notes.clone());
        let board = Board::new(board, self.patience);
        let stage = Stage { runtime: Arc::clone(&self.runtime), plan, nodes, board, notes };
        let mut cluster = world.start(stage).map_err(|difference| parted(difference, 0))?;
        for (place, event) in events.iter().enumerate() {
            cluster.step(event).map_err(|difference| parted(difference, place + 1))?;
        }
        Ok(cluster.excused())
    }
}

/// What a cluster begins with.
pub struct Stage {
    pub(super) runtime: Arc<Runtime>,
    pub(super) plan: Arc<Plan>,
    pub(super) nodes: Box<dyn Nodes>,
    pub(super) board: Board,
    /// What stands on the board comes from here.
    pub(super) notes: Sender<Note>,
}

/// A world that can be played on a cluster.
pub trait Playable: Narrated {
    /// How many brokers it has.
    fn brokers(&self) -> u8;

    /// Gets a cluster to where it begins.
    ///
    /// # Errors
    /// When it does not get there.
    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<Self::Event>>, Difference>;
}

/// A cluster in the hands of a conductor.
pub trait Conducted<E> {
    /// Lets one event happen.
    ///
    /// # Errors
    /// The first difference.
    fn step(&mut self, event: &E) -> Result<(), Difference>;

    /// How often it did what the model leaves out.
    fn excused(&self) -> usize {
        0
    }
}

impl Playable for replication::World {
    fn brokers(&self) -> u8 {
        self.bounds.brokers
    }

    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<Event>>, Difference> {
        let Stage { runtime, plan, nodes, board, .. } = stage;
        Ok(Box::new(Conductor::start(self.clone(), runtime, plan, nodes, board)?))
    }
}

impl Conducted<Event> for Conductor {
    fn step(&mut self, event: &Event) -> Result<(), Difference> {
        Self::step(self, event)
    }

    fn excused(&self) -> usize {
        self.excused
    }
}

impl Playable for group::World {
    fn brokers(&self) -> u8 {
        1
    }

    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<group::Event>>, Difference> {
        Ok(Box::new(GroupConductor::start(self.clone(), stage)?))
    }
}

impl Playable for members::World {
    fn brokers(&self) -> u8 {
        1
    }

    fn start(&self, stage: Stage) -> Result<Box<dyn Conducted<members::Event>>, Difference> {
        Ok(Box::new(GroupConductor::start(self.clone(), stage)?))
    }
}

impl<W: Coordinated> Conducted<W::Event> for GroupConductor<W> {
    fn step(&mut self, event: &W::Event) -> Result<(), Difference> {
        Self::step(self, event)
    }
}

/// Removes what processes left that were killed.
fn sweep(below: &Path) {
    for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists()) {
            // Another process may be sweeping too.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl<W: Playable> Replayer<W> for &Ensemble {
    fn replay(&mut self, world: &W, events: &[W::Event]) -> Result<(), walks::Divergence> {
        let parted = |parted: Box<Divergence>| walks::Divergence { step: parted.step, what: parted.difference() };
        self.play(world, events).map(drop).map_err(parted)
    }
}

/// A scenario that can be played: its world, and its events.
#[derive(Clone, Debug)]
pub enum Script {
    /// Brokers and their controller.
    Replication(World, Vec<Event>),
    /// A group of the classic protocol.
    Group(group::World, Vec<group::Event>),
    /// A group of the consumer protocol.
    Consumers(members::World, Vec<members::Event>),
}

impl Script {
    /// Of a scenario's text.
    ///
    /// # Errors
    /// When the text is none, when it is of another kind of world, and when the specification does not allow it.
    pub fn read(text: &str) -> Result<Self, String> {
        let scenario: Scenario = text.parse().map_err(|error: ParseError| error.to_string())?;
        match Model::of_scenario(&scenario)? {
            Model::Replication(world) => events(&world, &scenario).map(|events| Self::Replication(world, events)),
            Model::Group(world) => events(&world, &scenario).map(|events| Self::Group(world, events)),
            Model::Members(world) => events(&world, &scenario).map(|events| Self::Consumers(world, events)),
            Model::Controller(_) | Model::Cleaning(_) | Model::Producing(_) | Model::Reading(_) => {
                Err("only replication, group and consumers worlds can be played on a cluster".to_owned())
            }
        }
    }

    /// How many events it has.
    #[must_use]
    pub fn events(&self) -> usize {
        match self {
            Self::Replication(_, events) => events.len(),
            Self::Group(_, events) => events.len(),
            Self::Consumers(_, events) => events.len(),
        }
    }

    /// The rules that it is played by.
    #[must_use]
    pub fn rules(&self) -> Rules {
        match self {
            Self::Replication(world, _) => world.rules,
            Self::Group(world, _) => world.rules,
            Self::Consumers(world, _) => world.rules,
        }
    }

    /// Plays it: see [`Ensemble::play`].
    ///
    /// # Errors
    /// The first difference.
    pub fn play(&self, ensemble: &Ensemble) -> Result<usize, Box<Divergence>> {
        match self {
            Self::Replication(world, events) => ensemble.play(world, events),
            Self::Group(world, events) => ensemble.play(world, events),
            Self::Consumers(world, events) => ensemble.play(world, events),
        }
    }
}

fn events<W: Narrated>(world: &W, scenario: &Scenario) -> Result<Vec<W::Event>, String> {
    let told = |parting: Parting| format!("line {}: {}", parting.line, parting.what);
    story::follow(world, scenario).map_err(told)?;
    let events = scenario.steps().map(|step| W::read_event(&step.input));
    events.collect::<Result<_, _>>().map_err(|error| error.to_string())
}
