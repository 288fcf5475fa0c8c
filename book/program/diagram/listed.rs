//! A scenario as a list: each thing that happens, with what follows from it.

use super::svg::caption;
use crate::render::escaped;
use highwater_spec::scenario::{Scenario, Step};

/// The scenario in HTML. `broken` is why its property does not hold at its end, if it doesn't.
pub fn figure(name: &str, scenario: &Scenario, broken: Option<&str>) -> String {
    let steps: String = scenario.steps().map(|step| item(&step)).collect();
    let ending = scenario.expects.as_ref().map(|expects| {
        let what = broken.map_or_else(|| "holds".to_owned(), |why| format!("is broken: {}", escaped(why)));
        format!("<p class=\"aside\"><code>{}</code> {what}</p>\n", escaped(expects.property()))
    });
    format!(
        "<figure class=\"scenario\" id=\"scenario-{}\">\n<ol>\n{steps}</ol>\n{}{}</figure>",
        escaped(name),
        ending.unwrap_or_default(),
        caption(name, scenario, "")
    )
}

fn item(step: &Step<'_>) -> String {
    let outputs =
        step.outputs.iter().map(|output| format!("<div class=\"aside\">{}</div>", escaped(output.line.text())));
    format!("<li>{}{}</li>\n", escaped(step.input.line.text()), outputs.collect::<String>())
}
