//! What two clusters answered differently.

use super::exchange::Exchange;
use super::permitted::Permitted;
use super::render::PRESENT;
use std::collections::{BTreeMap, BTreeSet};

/// A case that ended differently.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// What the left one did; nothing if its script has no such case.
    pub left: Option<&'a Exchange>,
    /// What the right one did.
    pub right: Option<&'a Exchange>,
    /// Where, with both values, and the reason if it may be so.
    pub places: Vec<Place>,
}

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path to it.
    pub path: String,
    /// What the left one says, if anything.
    pub left: Option<String>,
    /// What the right one says, if anything.
    pub right: Option<String>,
    /// Why it may be so.
    pub permitted: Option<String>,
}

/// Compares case by case and version by version, in the order of the left one.
pub fn compare<'a>(left: &'a [Exchange], right: &'a [Exchange], permitted: &Permitted) -> Vec<Difference<'a>> {
    let (of_left, of_right) = (identified(left), identified(right));
    let right_by_case = of_right.iter().copied().collect::<BTreeMap<_, _>>();
    let left_cases = of_left.iter().map(|(identity, _)| identity).collect::<BTreeSet<_>>();
    let in_both = of_left.iter().map(|(identity, left)| (Some(*left), right_by_case.get(identity).copied()));
    let only_right = of_right.iter().filter(|(identity, _)| !left_cases.contains(identity));
    let pairs = in_both.chain(only_right.map(|(_, right)| (None, Some(*right))));
    pairs.filter_map(|(left, right)| difference(left, right, permitted)).collect()
}

/// Case, version, and how many of these came before.
type Identity<'a> = (&'a str, Option<i16>, usize);

fn identified(exchanges: &[Exchange]) -> Vec<(Identity<'_>, &Exchange)> {
    let mut seen = BTreeMap::new();
    let mut all = Vec::new();
    for exchange in exchanges {
        let case = (exchange.case.as_str(), exchange.version);
        let times = seen.entry(case).or_insert(0);
        *times += 1;
        all.push(((case.0, case.1, *times), exchange));
    }
    all
}

fn difference<'a>(
    left: Option<&'a Exchange>,
    right: Option<&'a Exchange>,
    permitted: &Permitted,
) -> Option<Difference<'a>> {
    let case = left.or(right)?.case.as_str();
    let values = |exchange: Option<&Exchange>| -> BTreeMap<String, String> {
        exchange.map(|exchange| exchange.outcome.paths().into_iter().collect()).unwrap_or_default()
    };
    let (of_left, of_right) = (values(left), values(right));
    let paths = of_left.keys().chain(of_right.keys()).collect::<BTreeSet<_>>();
    let place = |path: &String| {
        let (left, right) = (of_left.get(path), of_right.get(path));
        (!alike(path, left, right)).then(|| Place {
            path: path.clone(),
            left: left.cloned(),
            right: right.cloned(),
            permitted: permitted.reason(case, path).map(str::to_owned),
        })
    };
    let places = without_parts(paths.into_iter().filter_map(place).collect());
    (!places.is_empty()).then_some(Difference { left, right, places })
}

/// Where an element is on one side only, its parts aren't told, nor that the list is empty on the other side.
fn without_parts(places: Vec<Place>) -> Vec<Place> {
    let is_whole = |place: &&Place| [&place.left, &place.right].iter().any(|side| side.as_deref() == Some(PRESENT));
    let whole = places.iter().filter(is_whole).map(|place| place.path.clone()).collect::<Vec<_>>();
    let is_part = |path: &str| {
        whole.iter().any(|whole| path.strip_prefix(whole).is_some_and(|rest| rest.starts_with('.')))
            || whole.iter().any(|whole| whole.strip_prefix(path).is_some_and(|rest| rest.starts_with('[')))
    };
    let told = places.iter().filter(|place| !is_part(&place.path));
    told.cloned().collect()
}

/// Whether two values say the same. Of messages for people, only whether there is one.
fn alike(path: &str, left: Option<&String>, right: Option<&String>) -> bool {
    let is_message = path.ends_with("error_message") || path.ends_with("documentation");
    match (left, right) {
        (Some(left), Some(right)) if is_message => (left == "null") == (right == "null"),
        _ => left == right,
    }
}

impl Difference<'_> {
    /// Whether every value that differs may.
    pub fn is_permitted(&self) -> bool {
        self.places.iter().all(|place| place.permitted.is_some())
    }

    /// The request, the differing values, and both answers.
    pub fn text(&self) -> String {
        let Some(one) = self.left.or(self.right) else { return String::new() };
        let version = one.version.map(|version| format!(" v{version}")).unwrap_or_default();
        let mut out = format!("\n{}{version}\n", one.case);
        let mut tell = |mark: &str, lines: &[String]| {
            lines.iter().for_each(|line| out.push_str(&format!("  {mark} {line}\n")));
        };
        tell(">", &one.sent);
        let places = self.places.iter().map(|place| {
            let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let reason = place.permitted.as_ref().map(|reason| format!("  (permitted: {reason})")).unwrap_or_default();
            let path = if place.path.is_empty() { "outcome" } else { &place.path };
            format!("{path}: {} ≠ {}{reason}", side(&place.left), side(&place.right))
        });
        tell("≠", &places.collect::<Vec<_>>());
        tell("left ", &self.left.map(|left| left.outcome.lines()).unwrap_or_default());
        tell("right", &self.right.map(|right| right.outcome.lines()).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::exchange::Outcome;
    use super::super::tree::Tree;
    use super::*;

    fn exchange(fields: Vec<(&'static str, Tree)>) -> Exchange {
        let outcome = Outcome::answer(&Tree::Struct(fields));
        Exchange { case: "c/one".to_owned(), version: Some(1), sent: vec![], outcome }
    }

    fn code(code: i64) -> (&'static str, Tree) {
        ("error_code", Tree::Int(code))
    }

    #[test]
    fn a_value_that_differs_is_named_unless_permitted() {
        let (left, right) = (vec![exchange(vec![code(0)])], vec![exchange(vec![code(3)])]);
        let found = compare(&left, &right, &Permitted::parse("").unwrap());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].places[0].path, "error_code");
        assert!(!found[0].is_permitted() && found[0].text().contains("error_code: 0 ≠ 3"), "{}", found[0].text());
        let permitted = compare(&left, &right, &Permitted::parse("c/* | error_code | known").unwrap()).remove(0);
        assert!(permitted.is_permitted());
        assert!(compare(&left, &left, &Permitted::parse("").unwrap()).is_empty());
    }

    #[test]
    fn messages_for_people_may_differ_but_not_be_missing() {
        let with = |text: Tree| vec![exchange(vec![("error_message", text)])];
        let text = |text: &str| with(Tree::Text(text.to_owned()));
        let none = Permitted::parse("").unwrap();
        assert!(compare(&text("a"), &text("b"), &none).is_empty());
        assert_eq!(compare(&text("a"), &with(Tree::Null), &none).len(), 1);
    }

    #[test]
    fn an_element_of_one_side_only_is_one_difference() {
        let topic = |name: &str| Tree::Struct(vec![("name", Tree::Text(name.to_owned())), code(0)]);
        let with = |topics: Vec<Tree>| vec![exchange(vec![("topics", Tree::List(topics))])];
        let none = Permitted::parse("").unwrap();
        for left in [vec![], vec![topic("b")]] {
            let right = [left.clone(), vec![topic("a")]].concat();
            let (left, right) = (with(left), with(right));
            let found = compare(&left, &right, &none);
            let paths = found[0].places.iter().map(|place| place.path.as_str()).collect::<Vec<_>>();
            assert_eq!(paths, ["topics[a]"]);
        }
    }

    #[test]
    fn a_case_of_one_side_only_is_a_difference() {
        let one = vec![exchange(vec![code(0)])];
        let none = Permitted::parse("").unwrap();
        assert_eq!(compare(&one, &[], &none).len(), 1);
        assert_eq!(compare(&[], &one, &none).len(), 1);
    }
}
