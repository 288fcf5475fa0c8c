//! What the model checker prints, as a results file.

use serde_json::{Value, json};

/// The command whose output is taken.
pub const CHECK: &str = "cargo run --release -- --json";

/// `book/results/check.json` of what `highwater-check --json` printed.
///
/// # Errors
/// If that is not its form, or the check did not pass.
pub fn check(printed: &str) -> Result<String, String> {
    let all: Value = serde_json::from_str(printed).map_err(|error| format!("it is no JSON: {error}"))?;
    let results = all.get("results").and_then(Value::as_array).ok_or("it has no `results`")?;
    if all.get("passed") != Some(&Value::Bool(true)) {
        return Err("the check did not pass; only one that did is taken".to_owned());
    }
    let models: Vec<_> = results.iter().map(model).collect();
    let exhibits = models.iter().filter(|model| model.get("steps").is_some()).count();
    let sum = |key: &str| results.iter().filter_map(|result| result.get(key)?.as_f64()).sum::<f64>();
    let file = json!({
        "command": CHECK,
        "searches": models.len(),
        "exhibits": exhibits,
        "states": sum("distinct") as u64,
        "seconds": sum("seconds"),
        "models": models,
    });
    let text = serde_json::to_string_pretty(&file).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

fn model(result: &Value) -> Value {
    let number = |key: &str| result.get(key).and_then(Value::as_f64).unwrap_or_default();
    let judged = result.get("properties").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let promised = judged
        .iter()
        .filter_map(|judged| Some((judged.get("name")?.as_str()?.to_owned(), judged.get("promised_in")?.clone())));
    let mut model = json!({
        "name": result.get("name"),
        "bounds": result.get("bounds"),
        "rules": result.get("rules"),
        "states": number("distinct") as u64,
        "reached": number("generated") as u64,
        "depth": number("depth") as u64,
        "seconds": number("seconds"),
        "states_per_second": (number("distinct") / number("seconds").max(1e-9)) as u64,
        "memory_mib": (number("memory") / f64::from(1 << 20)) as u64,
        "collision": number("collision"),
        "verdict": result.get("verdict"),
        "promised": promised.collect::<serde_json::Map<_, _>>(),
    });
    let steps = judged.iter().filter_map(|judged| judged.get("counterexample")?.as_array().map(Vec::len)).min();
    if let (Some(steps), Some(fields)) = (steps, model.as_object_mut()) {
        fields.insert("steps".to_owned(), json!(steps));
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = r#"{"passed": true, "results": [
        {"name": "acks", "distinct": 10, "generated": 20, "depth": 3, "seconds": 0.5, "memory": 2097152, "verdict": "holds",
         "properties": [{"name": "log-matching", "promised_in": 10, "counterexample": null}]},
        {"name": "kip-279", "distinct": 5, "seconds": 0.5, "properties": [{"name": "log-matching", "promised_in": 5,
         "counterexample": ["b1 fetches", "b1 fetches"]}]}
    ]}"#;

    #[test]
    fn what_was_printed_becomes_figures() {
        let taken: Value = serde_json::from_str(&check(PRINTED).expect("it passed")).expect("it is JSON");
        let figure = |pointer: &str| taken.pointer(pointer).and_then(Value::as_u64);
        let figures =
            ["/states", "/exhibits", "/models/0/states_per_second", "/models/0/memory_mib", "/models/1/steps"];
        assert_eq!(figures.map(figure), [15, 1, 20, 2, 2].map(Some));
        assert_eq!(figure("/models/0/steps"), None);
    }

    #[test]
    fn a_check_that_failed_is_not_taken() {
        assert!(check(&PRINTED.replace("true", "false")).is_err());
        assert!(check("{}").is_err());
    }
}
