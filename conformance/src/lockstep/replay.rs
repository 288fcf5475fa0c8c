//! Replaying scenarios and walks: a cluster for each, from its first event to its last.

use super::board::{Board, Note};
use super::conductor::Conductor;
use super::divergence::Divergence;
use super::nodes::{InProcess, Nodes, Plan};
use super::processes::Processes;
use crate::walks::{self, Replayer};
use highwater_checker::catalog::Model;
use highwater_checker::replication::World;
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
    pub fn play(&self, world: &World, events: &[Event]) -> Result<usize, Box<Divergence>> {
        let parted = |difference: super::divergence::Difference, count: usize| {
            Box::new(difference.after(world, &events[..count]))
        };
        let lacking = |error: Box<dyn Error>| parted(error.into(), 0);
        let dir = tempfile::Builder::new().prefix("highwater-lockstep-").tempdir_in(&self.below);
        let dir = dir.map_err(|error| lacking(error.into()))?;
        let plan = Plan::new(dir.path(), world.bounds.brokers).map_err(|error| lacking(error.into()))?;
        let plan = Arc::new(plan);
        let (notes, board) = mpsc::channel();
        let nodes = self.nodes(&plan, world.rules, notes);
        let conductor =
            Conductor::start(world.clone(), Arc::clone(&self.runtime), plan, nodes, Board::new(board, self.patience));
        let mut conductor = conductor.map_err(|difference| parted(difference, 0))?;
        for (place, event) in events.iter().enumerate() {
            conductor.step(event).map_err(|difference| parted(difference, place + 1))?;
        }
        Ok(conductor.excused)
    }
}

impl Replayer for &Ensemble {
    fn replay(&mut self, world: &World, events: &[Event]) -> Result<(), walks::Divergence> {
        let parted = |parted: Box<Divergence>| walks::Divergence { step: parted.step, what: parted.difference() };
        self.play(world, events).map(drop).map_err(parted)
    }
}

/// The world and the events of a scenario.
///
/// # Errors
/// When the text is none, when it is of another kind of world, and when the specification does not allow it.
pub fn read_scenario(text: &str) -> Result<(World, Vec<Event>), String> {
    let scenario: Scenario = text.parse().map_err(|error: ParseError| error.to_string())?;
    let Model::Replication(world) = Model::of_scenario(&scenario)? else {
        return Err("only replication worlds can be played on a cluster".to_owned());
    };
    let told = |parting: Parting| format!("line {}: {}", parting.line, parting.what);
    story::follow(&world, &scenario).map_err(told)?;
    let events = scenario.steps().map(|step| Event::read(step.input.words()));
    let events = events.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    Ok((world, events))
}
