//! One small story as it is drawn, and what cannot be drawn.

use super::drawn;
use expect_test::{expect, expect_file};

const STORY: &str = "\
highwater scenario 1
world   replication brokers=2 records=1 power-losses=1 atomic-fetches=1 atomic-proposals=1
rules   KAFKA
holds   acknowledged-survives

> client produces m1 to b1 acks=all
> b2 fetches
> b2 fetches
> b1 loses power keeps=0 checkpoint=1
> session of b1 expires
";

/// The tags of a kind, with what they hold, without places and sizes.
fn texts(drawing: &str) -> Vec<String> {
    let texts = drawing.split("<text").skip(1).filter_map(|text| text.split_once('>')?.1.split_once('<'));
    texts.map(|(text, _)| text.to_owned()).collect()
}

#[test]
fn a_story_is_told_in_order() {
    let drawing = drawn("small", STORY).expect("it can be drawn");
    expect![[r#"
        1
        2
        3
        4
        5
        client
        client
        b1
        b1
        b2
        b2
        controller
        controller
        leads e0
        follows b1 e0
        m1, acks=all
        m1
        e0
        fetch at 0
        answer: m1
        m1
        e0
        fetch at 1
        m1
        e0
        m1 acknowledged
        answer
        m1
        e0
        loses power
        m1
        e0
        session of b1
        expires
        elects b2 e1
        isr {b2}
        fences b1
        acknowledged-survives holds: a value acknowledged with acks=all is in the log of some broker"#]]
    .assert_eq(&texts(&drawing).join("\n"));
}

#[test]
fn a_story_is_drawn_as_it_was() {
    let only_produce: String = STORY.lines().take(6).map(|line| format!("{line}\n")).collect();
    expect_file!["small.html"].assert_eq(&drawn("small", &only_produce).expect("it can be drawn"));
}

#[test]
fn markdown_does_not_end_it() {
    let drawing = drawn("small", STORY).expect("it can be drawn");
    assert!(drawing.lines().all(|line| !line.trim().is_empty()), "a blank line ends HTML within Markdown");
}

#[test]
fn what_was_promised_and_is_lost_is_told_from_what_was_only_cut() {
    let lost = drawn("small", STORY).expect("it can be drawn");
    assert!(lost.contains("<g class=\"lost\">") && !lost.contains("<g class=\"cut\">"), "{lost}");
    let cut = STORY.replace(
        "> b2 fetches\n> b2 fetches\n> b1 loses power keeps=0 checkpoint=1",
        "> b1 loses power keeps=0 checkpoint=0",
    );
    let cut = drawn("small", &cut).expect("it can be drawn");
    assert!(cut.contains("<g class=\"cut\">") && !cut.contains("<g class=\"lost\">"), "{cut}");
}

#[test]
fn a_story_shows_what_it_says_that_it_shows() {
    let error = drawn("small", &STORY.replace("holds  ", "breaks ")).expect_err("the record is on b2");
    assert_eq!(error, ":4: it says that it breaks acknowledged-survives, which holds at its end");
}

#[test]
fn what_cannot_happen_is_named_with_its_line() {
    let impossible = STORY.replace("> b2 fetches\n> b2 fetches\n", "> b2 starts\n");
    let error = drawn("small", &impossible).expect_err("b2 runs already");
    assert!(error.starts_with(":7: `b2 starts` can't happen here"), "{error}");
    let error = drawn("small", "highwater scenario 1\nworld").expect_err("that is no world");
    assert!(error.starts_with(":2:"), "{error}");
    let controller = STORY.lines().take(1).chain(["world   controller brokers=2", "rules   KAFKA", ""]);
    let error = drawn("small", &controller.collect::<Vec<_>>().join("\n")).expect_err("there are no lanes");
    assert!(error.contains("a controller by itself is not drawn"), "{error}");
}

#[test]
fn a_group_is_told_as_a_list() {
    const GROUP: &str = "highwater scenario 1\nworld group members=2\nrules KAFKA\nholds one-owner\n\n> c1 starts\n";
    let told = drawn("small", GROUP).expect("it can be told");
    for part in ["id=\"scenario-small\"", "<li>c1 starts", "<code>one-owner</code> holds"] {
        assert!(told.contains(part), "no {part} in {told}");
    }
    let error = drawn("small", &GROUP.replace("holds", "breaks")).expect_err("it holds");
    assert_eq!(error, ":4: it says that it breaks one-owner, which holds at its end");
}
