//! The scenario grammar: what it reads, what it refuses and where, and that nothing gets lost.

use highwater_spec::scenario::*;
use proptest::prelude::*;

const GOOD: &str = "\
highwater scenario 1
world   two-brokers brokers=2 records=2 kills=1
rules   V0_10 truncation=OnFetch
breaks  acknowledged-survives

= nothing yet
# the story
> client produces m1 to b1 acks=all
< b1 appends m1 at 0 in e0
< b1 publishes a view
= b1 leads e0 log m1/0 hw 0  # a trailing comment

> b1 is killed
= b1 is down  #
";

const HEADER: &str = "highwater scenario 1\nworld w\nrules r\n";

fn parse(text: &str) -> Scenario {
    text.parse().unwrap()
}

fn error(text: &str) -> String {
    text.parse::<Scenario>().unwrap_err().to_string()
}

fn word(text: &str) -> Word {
    Word::new(text).unwrap()
}

#[test]
fn a_text_in_its_printed_form_is_printed_as_it_was() {
    assert_eq!(parse(GOOD).to_string(), GOOD);
    assert_eq!(parse(HEADER).to_string(), "highwater scenario 1\nworld   w\nrules   r\n");
}

#[test]
fn the_header_is_read() {
    let scenario = parse(GOOD);
    assert_eq!(scenario.world.name(), "two-brokers");
    assert_eq!(scenario.world.get("records"), Some(&2));
    assert_eq!(scenario.world.get("pauses"), None);
    assert_eq!(scenario.rules.values(), [(word("truncation"), word("OnFetch"))]);
    assert_eq!(scenario.expects, Some(Expects::Breaks(word("acknowledged-survives"))));

    let any_order = "highwater scenario 1\nholds p\nrules r\nworld w";
    assert_eq!(parse(any_order).expects, Some(Expects::Holds(word("p"))));
}

#[test]
fn steps_group_the_body() {
    let scenario = parse(GOOD);
    let initial: Vec<_> = scenario.initial_states().map(|n| n.line.text()).collect();
    assert_eq!(initial, ["nothing yet"]);

    let steps: Vec<_> = scenario.steps().collect();
    let [first, second] = &steps[..] else {
        panic!("two steps, not {steps:?}");
    };
    assert_eq!(first.input.number, 8);
    assert_eq!(first.input.line.text(), "client produces m1 to b1 acks=all");
    let outputs: Vec<_> = first.outputs.iter().map(|n| (n.number, n.line.text())).collect();
    assert_eq!(outputs, [(9, "b1 appends m1 at 0 in e0"), (10, "b1 publishes a view")]);
    assert_eq!(first.states[0].line.comment(), Some("a trailing comment"));
    assert_eq!((second.input.number, second.outputs.len()), (13, 0));
    for (number, line) in (1..).zip(GOOD.lines()).skip(5) {
        let mut all = scenario.numbered();
        let same = all.find(|n| n.number == number).unwrap();
        assert_eq!(same.line.to_string(), line);
    }
}

#[test]
fn spacing_and_line_ends_do_not_matter() {
    let spaced = GOOD.replace(" to b1 ", "\tto    b1  ").replace("world   ", "world ");
    for other in [
        GOOD.replace('\n', "\r\n"),
        GOOD.trim_end().to_owned(),
        format!("\u{feff}{GOOD}"),
        spaced,
        GOOD.replace("\n\n= nothing", "\n \t \n= nothing"),
    ] {
        assert_eq!(parse(&other), parse(GOOD));
        assert_eq!(parse(&other).to_string(), GOOD);
    }
}

#[test]
fn blank_lines_and_comments_are_kept() {
    let body = "\n\n#no space\n#\n##two\n> x  # # y\n> m#1\n>\n\n\n";
    let scenario = parse(&format!("{HEADER}{body}"));
    assert_eq!(parse(&scenario.to_string()), scenario);
    let lines: Vec<_> = (scenario.body().iter()).map(|l| (l.kind(), l.text(), l.comment())).collect();
    assert_eq!(
        lines,
        [
            (LineKind::Blank, "", None),
            (LineKind::Comment, "", Some("no space")),
            (LineKind::Comment, "", Some("")),
            (LineKind::Comment, "", Some("#two")),
            (LineKind::Input, "x", Some("# y")),
            (LineKind::Input, "m#1", None),
            (LineKind::Input, "", None),
            (LineKind::Blank, "", None),
            (LineKind::Blank, "", None),
        ]
    );
}

#[test]
fn a_wrong_first_line_is_refused() {
    let begin = "a scenario begins with the line `highwater scenario 1`";
    assert_eq!(error(""), format!("line 1, column 1: {begin}"));
    assert_eq!(error("\n"), format!("line 1, column 1: {begin}"));
    assert_eq!(error("# only\n# comments"), format!("line 1, column 1: {begin}"));
    assert_eq!(error("highwater story 1"), format!("line 1, column 11: {begin}"));
    assert_eq!(error("highwater scenario"), format!("line 1, column 19: {begin}"));
    assert_eq!(error("highwater scenario one"), format!("line 1, column 20: {begin}"));
    assert_eq!(
        error("highwater scenario 2\nanything"),
        "line 1, column 20: version 2 of scenarios is unknown here: only version 1 can be read"
    );
    assert_eq!(error("highwater scenario 1 # first"), "line 1, column 22: nothing more is expected here: remove `#`");
}

#[test]
fn a_wrong_header_is_refused() {
    for (header, expected) in [
        ("", "line 2, column 1: the header has no `world NAME key=value…` line: add one above"),
        ("\n> x", "line 2, column 1: the header has no `world NAME key=value…` line: add one above"),
        ("world w", "line 3, column 1: the header has no `rules NAME key=value…` line: add one above"),
        ("world w\n\n", "line 3, column 1: the header has no `rules NAME key=value…` line: add one above"),
        ("world", "line 2, column 6: the line ends where a name is expected"),
        ("world a=1", "line 2, column 7: a name is expected here, not `a=1`"),
        ("world w a", "line 2, column 9: `key=value` is expected here, not `a`"),
        ("world w =1", "line 2, column 9: `key=value` is expected here, not `=1`"),
        ("world w a=", "line 2, column 9: `key=value` is expected here, not `a=`"),
        ("rules r a=b=c", "line 2, column 9: `key=value` is expected here, not `a=b=c`"),
        ("world w a=-1", "line 2, column 9: a bound is a whole number from 0 on, not `-1`"),
        ("world w a=+1", "line 2, column 9: a bound is a whole number from 0 on, not `+1`"),
        (
            "world w a=99999999999999999999",
            "line 2, column 9: 99999999999999999999 is too large: 18446744073709551615 is the limit",
        ),
        ("world w a=1  b=2 a=1", "line 2, column 18: `a` is given twice: remove one"),
        ("rules r a=x a=y", "line 2, column 13: `a` is given twice: remove one"),
        ("world w\nworld w", "line 3, column 1: there is a `world` line already: remove one"),
        ("rules w\nrules w", "line 3, column 1: there is a `rules` line already: remove one"),
        ("holds p\nbreaks p", "line 3, column 1: there is a `breaks` or `holds` line already: remove one"),
        ("breaks", "line 2, column 7: the line ends where a property's name is expected"),
        ("breaks p q", "line 2, column 10: nothing more is expected here: remove `q`"),
        ("wörld w", "line 2, column 1: `world`, `rules`, `breaks` or `holds` is expected here, not `wörld`"),
        ("# why", "line 2, column 1: comments belong below the blank line that ends the header"),
        ("world w # why", "line 2, column 9: comments belong below the blank line that ends the header"),
        ("world w\n> x", "line 3, column 1: leave a blank line between header and body"),
    ] {
        assert_eq!(error(&format!("highwater scenario 1\n{header}")), expected, "{header}");
    }
}

#[test]
fn a_wrong_body_is_refused() {
    for (body, expected) in [
        ("< b1 acts", "line 5, column 1: output before any input: `b1 acts`: put a `>` line before it"),
        ("= s\n< x", "line 6, column 1: output before any input: `x`: put a `>` line before it"),
        ("b1 acts", "line 5, column 1: a line begins with `>`, `<`, `=` or `#` in the first column"),
        (" > x", "line 5, column 1: a line begins with `>`, `<`, `=` or `#` in the first column"),
        ("é", "line 5, column 1: a line begins with `>`, `<`, `=` or `#` in the first column"),
        (">x", "line 5, column 2: put a space behind `>`"),
        ("=> x", "line 5, column 2: put a space behind `=`"),
    ] {
        assert_eq!(error(&format!("{HEADER}\n{body}")), expected, "{body}");
    }
}

#[test]
fn words_know_where_they_are() {
    let scenario = parse(&format!("{HEADER}\n>  b12 épie\u{3000} to b3 acks=all # b4"));
    let step = scenario.steps().next().unwrap();
    let mut words = step.input.words();
    assert_eq!(words.prefixed("b"), Ok(12));
    assert_eq!(words.word(), Some("épie"));
    assert_eq!(words.error("what?").to_string(), "line 5, column 8: what?");
    assert_eq!(words.expect("to"), Ok(()));
    let message = |error: ParseError| error.to_string();
    assert_eq!(
        words.clone().expect("from").map_err(message),
        Err("line 5, column 17: `from` is expected here, not `b3`".to_owned())
    );
    assert_eq!(
        words.clone().prefixed("e").map_err(message),
        Err("line 5, column 17: `e` and a number, as in `e1` is expected here, not `b3`".to_owned())
    );
    assert_eq!(
        words.clone().end().map_err(message),
        Err("line 5, column 17: nothing more is expected here: remove `b3`".to_owned())
    );
    assert_eq!(words.prefixed("b"), Ok(3));
    assert_eq!(
        words.clone().keyed("ack").map_err(message),
        Err("line 5, column 20: `ack=…` is expected here, not `acks=all`".to_owned())
    );
    assert_eq!(words.keyed("acks"), Ok("all"));
    assert_eq!(
        words.clone().expect("at").map_err(message),
        Err("line 5, column 28: the line ends where `at` is expected".to_owned())
    );
    assert_eq!(words.word(), None);
    assert_eq!(words.end(), Ok(()));
}

#[test]
fn numbers_are_digits_that_fit() {
    let number = |text: &str| Words::new(1, 1, text).prefixed("b").map_err(|error| error.column);
    assert_eq!(number("b18446744073709551615"), Ok(u64::MAX));
    assert_eq!(number("b007"), Ok(7));
    for wrong in ["b", "b+1", "b-1", "b1x", "c1", "1", "", "b18446744073709551616"] {
        assert_eq!(number(wrong), Err(1), "{wrong}");
    }
}

#[test]
fn what_could_not_be_read_back_can_not_be_built() {
    for wrong in ["", " ", "a b", "a=b", "#a", "a#", "a\n"] {
        assert!(Word::new(wrong).is_err(), "{wrong:?}");
    }
    let world = World::named(word("w")).with(word("a"), 1).unwrap();
    assert!(world.clone().with(word("a"), 2).is_err());

    let mut scenario = Scenario::new(world, RulesLine::named(word("r")), None);
    assert!(scenario.push(Line::output("too early")).is_err());
    assert!(scenario.push(Line::input("it\n happens # for\na reason")).is_ok());
    assert!(scenario.push(Line::output("now")).is_ok());
    assert_eq!(scenario.body()[0].to_string(), "> it happens  # for a reason");
}

fn any_word() -> impl Strategy<Value = Word> {
    "[^\\s=#]{1,8}".prop_filter_map("a word", |text| Word::new(text).ok())
}

fn any_settings<V: std::fmt::Debug>(value: impl Strategy<Value = V>) -> impl Strategy<Value = Settings<V>> {
    let values = prop::collection::vec((any_word(), value), 0..4);
    (any_word(), values).prop_map(|(name, values)| {
        let mut settings = Settings::named(name);
        for (key, value) in values {
            if settings.get(key.as_str()).is_none() {
                settings = settings.with(key, value).unwrap();
            }
        }
        settings
    })
}

/// Texts that look for trouble: any character, but more of those that mean something.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof!["\\PC{0,4}", "[ \t\r\n\u{feff}\u{85}#=<>]{0,3}", "[a-z0-9]{1,5}"];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn any_line() -> impl Strategy<Value = Line> {
    let line = (0..5, any_text()).prop_map(|(kind, text)| match kind {
        0 => Line::input(&text),
        1 => Line::output(&text),
        2 => Line::state(&text),
        3 => Line::comment_line(&text),
        _ => Line::blank(),
    });
    (line, prop::option::of(any_text())).prop_map(|(line, comment)| match comment {
        Some(comment) => line.with_comment(&comment),
        None => line,
    })
}

fn any_scenario() -> impl Strategy<Value = Scenario> {
    let expects = prop_oneof![any_word().prop_map(Expects::Breaks), any_word().prop_map(Expects::Holds)];
    let header = (any_settings(any::<u64>()), any_settings(any_word()), prop::option::of(expects));
    (header, prop::collection::vec(any_line(), 0..12)).prop_map(|((world, rules, expects), lines)| {
        let mut scenario = Scenario::new(world, rules, expects);
        for line in lines {
            let _ = scenario.push(line); // refuses outputs before inputs
        }
        scenario
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(scenario in any_scenario()) {
        let printed = scenario.to_string();
        let read: Scenario = printed.parse().unwrap();
        prop_assert_eq!(&read, &scenario);
        prop_assert_eq!(read.to_string(), printed.clone());
        let kept = scenario.numbered().map(|n| (n.number, n.line.to_string()));
        let lines: Vec<_> = printed.split('\n').collect();
        for (number, line) in kept {
            prop_assert_eq!(lines[number - 1], line);
        }
    }

    #[test]
    fn nothing_makes_it_panic(text in any_text(), header in any::<bool>()) {
        let text = if header { format!("{HEADER}\n{text}") } else { text };
        if let Ok(scenario) = text.parse::<Scenario>() {
            prop_assert_eq!(&parse(&scenario.to_string()), &scenario);
        }
    }

    #[test]
    fn a_damaged_text_is_read_or_refused(at in 0..GOOD.len(), with in any_text(), cut in 0..9usize) {
        let end = (at + cut).min(GOOD.len());
        let damaged = format!("{}{with}{}", &GOOD[..at], &GOOD[end..]);
        match damaged.parse::<Scenario>() {
            Ok(scenario) => prop_assert_eq!(&parse(&scenario.to_string()), &scenario),
            Err(error) => {
                let lines = damaged.lines().count();
                prop_assert!((1..=lines + 1).contains(&error.line), "{}", error);
                prop_assert!(error.column >= 1);
            }
        }
    }
}
