//! `highwater-conform matrix`.

use highwater_conformance::matrix::{self, Break, MatrixError, Method, Question, Results, Verdict};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Which breaks, and who is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Breaks [default: all]
    names: Vec<String>,
    /// Who is asked [default: everyone]
    #[arg(long, value_delimiter = ',', value_enum)]
    methods: Vec<Method>,
    /// Name the breaks, and ask nobody
    #[arg(long, conflicts_with = "print")]
    list: bool,
    /// Print the table of what is known, and ask nobody
    #[arg(long)]
    print: bool,
    /// Build here, and leave it for the next time [default: a temporary directory]
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,
}

/// Asks, notes what comes of it, and prints the table. Exit status: 1 if a break was noticed by nobody.
pub fn answer(args: Args) -> Result<ExitCode, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let breaks = matrix::all(&root)?;
    let chosen = chosen(&breaks, &args.names)?;
    if args.list {
        chosen.iter().for_each(|broken| println!("{:34} {}", broken.name, broken.what));
        return Ok(ExitCode::SUCCESS);
    }
    let mut results = Results::load(&root, &breaks)?;
    let mut undecided = 0;
    if !args.print {
        let methods = if args.methods.is_empty() { Method::ALL.to_vec() } else { args.methods };
        let target = args.target_dir.map(std::path::absolute).transpose()?;
        let question = Question { breaks: chosen.clone(), methods, target };
        matrix::ask(&root, &question, |broken, method, verdict| {
            tell(broken, method, &verdict);
            undecided += u32::from(matches!(verdict, Verdict::Undecided(_)));
            // Read anew: someone else may fill in another part meanwhile.
            results = Results::load(&root, &breaks)?;
            results.note(broken, method, &verdict);
            results.store(&root)
        })?;
    }
    print!("{}", matrix::table(&breaks, &results));
    if undecided > 0 {
        return Err(format!("{undecided} questions have no answer").into());
    }
    let is_chosen = |name: &str| chosen.iter().any(|broken| broken.name == name);
    let holes = results.breaks.iter().filter(|row| is_chosen(&row.name) && row.is_hole()).count();
    Ok(ExitCode::from(u8::from(holes > 0)))
}

fn chosen(breaks: &[Break], names: &[String]) -> Result<Vec<Break>, MatrixError> {
    if names.is_empty() {
        return Ok(breaks.to_vec());
    }
    let find = |name: &String| {
        let found = breaks.iter().find(|broken| broken.name == *name);
        found.cloned().ok_or_else(|| MatrixError::Unknown(name.clone()))
    };
    names.iter().map(find).collect()
}

fn tell(broken: &Break, method: Method, verdict: &Verdict) {
    let said = match verdict {
        Verdict::Noticed(by) => by.as_str(),
        Verdict::Unnoticed => "NOT NOTICED",
        Verdict::Undecided(why) => &format!("NO ANSWER: {why}"),
    };
    println!("{:34} {:8}  {said}", broken.name, method.name());
}
