//! A laid-out diagram, written down. No blank line: it would end the HTML within Markdown.

use super::layout::{CELL, Drawing, Panel, Segment, Shape, WIDTH, baseline, text_width};
use super::state::Entry;
use super::story::{Fate, Icon, Life, Tone};
use crate::render::escaped;
use highwater_spec::scenario::Scenario;
use std::fmt::Write;

/// The figure of a scenario, with its caption.
pub fn figure(name: &str, scenario: &Scenario, drawing: &Drawing) -> String {
    let mut out = format!("<figure class=\"scenario\" id=\"scenario-{}\">\n", escaped(name));
    let _ = writeln!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"Sequence diagram of the scenario {}\">",
        drawing.height,
        escaped(name)
    );
    drawing.panels.iter().filter(|panel| panel.number > 0).for_each(|panel| band(&mut out, panel));
    drawing.segments.iter().for_each(|segment| lane(&mut out, segment));
    for (x, head) in &drawing.heads {
        [8.0, drawing.foot].iter().for_each(|y| lane_head(&mut out, *x, *y, head));
    }
    drawing.panels.iter().for_each(|panel| shapes(&mut out, panel));
    if let Some((well, lines)) = &drawing.ending {
        ending(&mut out, *well, lines, drawing.foot + 36.0);
    }
    let _ = write!(out, "</svg>\n{}</figure>", caption(name, scenario, &legend(drawing)));
    out
}

/// What stands below a scenario: its name, rules and world, and whatever helps to read it.
pub fn caption(name: &str, scenario: &Scenario, help: &str) -> String {
    let bounds: Vec<_> = scenario.world.values().iter().map(|(key, value)| format!("{key}={value}")).collect();
    let rules: Vec<_> = scenario.rules.values().iter().map(|(key, value)| format!("{key}={value}")).collect();
    let rules = [scenario.rules.name().to_owned()].into_iter().chain(rules).collect::<Vec<_>>().join(" ");
    format!(
        "<figcaption><strong>{}</strong> by the rules <code>{}</code>, in a world of <code>{}</code>{help}</figcaption>\n",
        escaped(name),
        escaped(&rules),
        escaped(&bounds.join(" ")),
    )
}

/// What the signs in this diagram mean; those that it has not are left out.
fn legend(drawing: &Drawing) -> String {
    let shapes = || drawing.panels.iter().flat_map(|panel| &panel.shapes);
    let logs =
        || shapes().filter_map(|shape| if let Shape::Log { entries, .. } = shape { Some(entries) } else { None });
    let has_fate = |fate| logs().flatten().any(|(_, there)| *there == fate);
    let has_life = |life| drawing.segments.iter().any(|segment| segment.life == life);
    let signs = [
        ("leads", "takes itself for the leader", has_life(Life::Leader)),
        ("down", "is down", has_life(Life::Down)),
        ("record", "a record, and its epoch", logs().next().is_some()),
        ("committed", "below its high watermark", logs().next().is_some()),
        ("cut", "cut, promised to nobody", has_fate(Fate::Cut)),
        ("lost", "lost here, though committed or acknowledged", has_fate(Fate::Lost)),
    ];
    let shown = signs.iter().filter(|(_, _, there)| *there);
    let shown: String = shown.map(|(class, what, _)| format!("<span><i class=\"{class}\"></i>{what}</span>")).collect();
    format!("<div class=\"legend\">{shown}</div>")
}

fn band(out: &mut String, panel: &Panel) {
    let (top, bottom) = panel.y;
    if panel.number % 2 == 1 {
        let height = bottom - top;
        let _ = writeln!(
            out,
            "<rect class=\"band\" x=\"0\" y=\"{top:.1}\" width=\"{WIDTH}\" height=\"{height:.1}\"></rect>"
        );
    }
    let y = top + 19.0;
    let _ = writeln!(out, "<text class=\"number\" x=\"14\" y=\"{y:.1}\">{}</text>", panel.number);
}

fn lane(out: &mut String, segment: &Segment) {
    let class = match segment.life {
        Life::Up => "up",
        Life::Leader => "leader",
        Life::Down => "down",
    };
    let (x, (top, bottom)) = (segment.x, segment.y);
    let _ = writeln!(
        out,
        "<line class=\"lane {class}\" x1=\"{x:.1}\" y1=\"{top:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"></line>"
    );
}

fn lane_head(out: &mut String, x: f64, y: f64, name: &str) {
    let width = text_width(name) * 1.1 + 22.0;
    let left = x - width / 2.0;
    let _ = writeln!(
        out,
        "<g class=\"head\"><rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"24\" rx=\"5\"></rect><text x=\"{x:.1}\" y=\"{:.1}\">{name}</text></g>",
        y + 16.5
    );
}

fn shapes(out: &mut String, panel: &Panel) {
    out.push_str(if panel.number % 2 == 1 { "<g class=\"step banded\">\n" } else { "<g class=\"step\">\n" });
    if !panel.text.is_empty() {
        let _ = writeln!(out, "<title>{}</title>", escaped(&panel.text));
    }
    panel.shapes.iter().for_each(|shape| match shape {
        Shape::Arrow { x, y, label_x, label, dashed, tone } => {
            arrow(out, *x, *y, (*label_x, label), *dashed, tone_class(*tone));
        }
        Shape::Note { x, y, size, icon, lines, tone } => note(out, (*x, *y), *size, *icon, lines, tone_class(*tone)),
        Shape::Log { x, y, cell, entries, high_watermark } => log(out, (*x, *y), *cell, entries, *high_watermark),
    });
    out.push_str("</g>\n");
}

fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Quiet => "quiet",
        Tone::Lead => "lead",
        Tone::Good => "good",
        Tone::Fault => "fault",
        Tone::Loss => "loss",
    }
}

fn arrow(out: &mut String, (from, to): (f64, f64), y: f64, label: (f64, &str), dashed: bool, tone: &str) {
    let way = (to - from).signum();
    // It ends where the lane begins, which is some 3 units wide.
    let (tip, back) = (to - 3.0 * way, to - 12.0 * way);
    let dashed = if dashed { " dashed" } else { "" };
    let _ = writeln!(
        out,
        "<g class=\"arrow {tone}{dashed}\"><line x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{back:.1}\" y2=\"{y:.1}\"></line><path d=\"M{tip:.1},{y:.1} L{back:.1},{:.1} L{back:.1},{:.1} Z\"></path><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        from + 3.0 * way,
        y - 4.5,
        y + 4.5,
        label.0,
        y - 6.0,
        escaped(label.1)
    );
}

fn note(out: &mut String, (x, y): (f64, f64), size: (f64, f64), icon: Option<Icon>, lines: &[String], tone: &str) {
    let left = x - size.0 / 2.0;
    let _ = writeln!(
        out,
        "<g class=\"note {tone}\"><rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\"></rect>",
        size.0, size.1
    );
    let shift = if icon.is_some() { 8.0 } else { 0.0 };
    if let Some(icon) = icon {
        let (path, kind) = picture(icon);
        let (cx, cy) = (left + 13.0, y + size.1 / 2.0);
        let _ =
            writeln!(out, "<path class=\"icon {kind}\" transform=\"translate({cx:.1} {cy:.1})\" d=\"{path}\"></path>");
    }
    for (index, line) in lines.iter().enumerate() {
        let (x, y) = (x + shift, y + baseline(index) - 2.0);
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(line));
    }
    out.push_str("</g>\n");
}

/// A path around (0, 0), some 10 units wide, and whether it is filled.
fn picture(icon: Icon) -> (&'static str, &'static str) {
    match icon {
        Icon::Cross => ("M-4,-4 L4,4 M4,-4 L-4,4", "stroked"),
        Icon::Bolt => ("M1.5,-6.5 L-4,1 L-0.5,1 L-1.5,6.5 L4,-1 L0.5,-1 Z", "filled"),
        Icon::Start => ("M-3.5,-4.5 L4.5,0 L-3.5,4.5 Z", "filled"),
        Icon::Clock => ("M5,0 A5,5 0 1 1 -5,0 A5,5 0 1 1 5,0 M0,-3 L0,0 L2.4,1.4", "stroked"),
        Icon::Cut => ("M-5,-3 L5,3 M-5,3 L5,-3 M5,0 L5,0", "stroked"),
    }
}

fn log(out: &mut String, (x, y): (f64, f64), cell: f64, entries: &[(Entry, Fate)], high_watermark: Option<usize>) {
    out.push_str("<g class=\"log\">\n");
    for (index, (entry, fate)) in entries.iter().enumerate() {
        let committed = high_watermark.is_some_and(|mark| index < mark);
        let class = match fate {
            Fate::Kept | Fate::New if committed => "committed",
            Fate::Kept => "kept",
            Fate::New => "kept new",
            Fate::Cut => "cut",
            Fate::Lost => "lost",
        };
        let left = x + cell * index as f64;
        let (width, middle) = (cell - 2.0, left + cell / 2.0);
        let _ = write!(
            out,
            "<g class=\"{class}\"><rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{CELL}\" rx=\"3\"></rect><text x=\"{middle:.1}\" y=\"{:.1}\">{}</text><text class=\"epoch\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>",
            left + 1.0,
            y + 13.0,
            entry.name,
            y + 24.0,
            entry.epoch
        );
        if matches!(fate, Fate::Cut | Fate::Lost) {
            let (left, right, top, bottom) = (left + 3.0, left + cell - 3.0, y + 3.0, y + CELL - 3.0);
            let _ = write!(out, "<path class=\"strike\" d=\"M{left:.1},{bottom:.1} L{right:.1},{top:.1}\"></path>");
        }
        out.push_str("</g>\n");
    }
    if let Some(mark) = high_watermark {
        let at = x + cell * mark as f64;
        let (top, bottom) = (y - 4.0, y + CELL + 4.0);
        let _ = writeln!(
            out,
            "<line class=\"watermark\" x1=\"{at:.1}\" y1=\"{top:.1}\" x2=\"{at:.1}\" y2=\"{bottom:.1}\"></line>"
        );
    }
    out.push_str("</g>\n");
}

fn ending(out: &mut String, well: bool, lines: &[String], y: f64) {
    let class = if well { "good" } else { "loss" };
    let height = 15.0 * lines.len() as f64 + 12.0;
    let _ = writeln!(
        out,
        "<g class=\"ending {class}\"><rect x=\"12\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"5\"></rect>",
        WIDTH - 24.0
    );
    for (index, line) in lines.iter().enumerate() {
        let y = y + 18.0 + 15.0 * index as f64;
        let _ = writeln!(out, "<text x=\"{:.1}\" y=\"{y:.1}\">{}</text>", WIDTH / 2.0, escaped(line));
    }
    out.push_str("</g>\n");
}
