//! Where everything in a diagram goes: each lane fills from the top, and a message waits for both its ends.

use super::state::Entry;
use super::story::{Fate, Icon, Item, Lane, Life, Step, Story, Tone};

/// The width of every diagram, in its own units; about the pixels that a page has for it.
pub const WIDTH: f64 = 760.0;
const HEADS: f64 = 44.0;
const FIRST_LANE: f64 = 100.0;
const LAST_LANE: f64 = WIDTH - 86.0;
const ARROW: f64 = 30.0;
const ARROW_LINE: f64 = 20.0;
const LINE: f64 = 15.0;
const NOTE_PADDING: f64 = 7.0;
const NOTE_GAP: f64 = 7.0;
const ICON: f64 = 16.0;
const PANEL_GAP: f64 = 11.0;
/// The height of a record in a log.
pub const CELL: f64 = 29.0;
const CELL_WIDTH: f64 = 31.0;
const WIDEST: f64 = 150.0;
const LETTER: f64 = 12.0;

/// A diagram with all places known.
pub struct Drawing {
    /// Its height.
    pub height: f64,
    /// Where lanes end, and their heads are repeated.
    pub foot: f64,
    /// The lanes' names, and the middle of each.
    pub heads: Vec<(f64, String)>,
    /// The lanes, piece by piece.
    pub segments: Vec<Segment>,
    /// What happens, from top to bottom.
    pub panels: Vec<Panel>,
    /// How it ends: whether all is well, and the lines.
    pub ending: Option<(bool, Vec<String>)>,
}

/// A piece of a lane.
pub struct Segment {
    /// Its middle.
    pub x: f64,
    /// Where it begins and ends.
    pub y: (f64, f64),
    /// How it looks.
    pub life: Life,
}

/// A step, or what comes before the first.
pub struct Panel {
    /// The step's number, from 1; 0 for what comes before.
    pub number: usize,
    /// Where it begins and ends.
    pub y: (f64, f64),
    /// Its text.
    pub text: String,
    /// What to draw.
    pub shapes: Vec<Shape>,
}

/// Something to draw.
pub enum Shape {
    /// A message.
    Arrow {
        /// From and to.
        x: (f64, f64),
        /// Its height.
        y: f64,
        /// The middle of its label.
        label_x: f64,
        /// Its label.
        label: String,
        /// Whether it is dashed.
        dashed: bool,
        /// How it is meant.
        tone: Tone,
    },
    /// A note around its middle, from its top.
    Note {
        /// Its middle.
        x: f64,
        /// Its top.
        y: f64,
        /// Its width and height.
        size: (f64, f64),
        /// The picture.
        icon: Option<Icon>,
        /// The lines.
        lines: Vec<String>,
        /// How it is meant.
        tone: Tone,
    },
    /// A log around its middle, from its top.
    Log {
        /// Its left end.
        x: f64,
        /// Its top.
        y: f64,
        /// The width of a record.
        cell: f64,
        /// Its records.
        entries: Vec<(Entry, Fate)>,
        /// How many of them lie below the high watermark.
        high_watermark: Option<usize>,
    },
}

/// The distance of a line's letters from the line's top.
pub fn baseline(line: usize) -> f64 {
    NOTE_PADDING + LINE * (line as f64) + 10.0
}

/// Lays a story out.
pub fn laid_out(story: &Story) -> Drawing {
    let mut table = Table::new(story);
    let mut panels = vec![table.panel(0, String::new(), &story.start)];
    for (index, Step { text, items }) in story.steps.iter().enumerate() {
        panels.push(table.panel(index + 1, text.clone(), items));
    }
    let foot = table.next_panel();
    table.end_lanes(foot);
    let ending = story.ending.as_ref().map(|(well, text)| (*well, wrapped(text, WIDTH - 60.0)));
    let lines = ending.as_ref().map_or(0, |(_, lines)| lines.len());
    let banner = if lines > 0 { LINE * (lines as f64) + 26.0 } else { 0.0 };
    let heads = table.names.iter().enumerate().map(|(at, name)| (table.x(at), name.clone())).collect();
    Drawing { height: foot + HEADS - 6.0 + banner, foot, heads, segments: table.segments, panels, ending }
}

/// The lanes while they are filled.
struct Table {
    lanes: Vec<Lane>,
    names: Vec<String>,
    filled: Vec<f64>,
    lives: Vec<(f64, Life)>,
    segments: Vec<Segment>,
}

impl Table {
    fn new(story: &Story) -> Self {
        let names = story.lanes.iter().map(|lane| match lane {
            Lane::Client => "client".to_owned(),
            Lane::Broker(name) => name.clone(),
            Lane::Controller => "controller".to_owned(),
        });
        let count = story.lanes.len();
        Self {
            lanes: story.lanes.clone(),
            names: names.collect(),
            filled: vec![HEADS; count],
            lives: vec![(HEADS - 8.0, Life::Up); count],
            segments: Vec::new(),
        }
    }

    fn spacing(&self) -> f64 {
        (LAST_LANE - FIRST_LANE) / (self.lanes.len().max(2) - 1) as f64
    }

    fn x(&self, lane: usize) -> f64 {
        FIRST_LANE + self.spacing() * lane as f64
    }

    fn index(&self, lane: &Lane) -> usize {
        self.lanes.iter().position(|there| there == lane).unwrap_or(0)
    }

    fn next_panel(&self) -> f64 {
        self.filled.iter().copied().fold(HEADS, f64::max) + PANEL_GAP
    }

    fn panel(&mut self, number: usize, text: String, items: &[Item]) -> Panel {
        let top = if number == 0 { HEADS } else { self.next_panel() };
        self.filled.fill(top + if number == 0 { 0.0 } else { PANEL_GAP - 3.0 });
        let shapes = items.iter().filter_map(|item| self.place(item)).collect();
        let least = top + if number == 0 { 0.0 } else { 26.0 };
        let bottom = self.next_panel().max(least);
        self.filled.fill(bottom - PANEL_GAP);
        Panel { number, y: (top, bottom), text, shapes }
    }

    fn place(&mut self, item: &Item) -> Option<Shape> {
        match item {
            Item::Life(lane, life) => {
                let at = self.index(lane);
                self.change(at, *life, self.filled[at]);
                None
            }
            Item::Arrow { from, to, label, .. } if from == to => {
                Some(self.note(from, None, std::slice::from_ref(label), Tone::Plain))
            }
            Item::Arrow { from, to, label, dashed, tone } => {
                let (from, to) = (self.index(from), self.index(to));
                let lanes = from.min(to)..=from.max(to);
                let top = self.filled[lanes.clone()].iter().copied().fold(0.0, f64::max);
                self.filled[lanes].fill(top + ARROW);
                let neighbour = if to > from { from + 1 } else { from - 1 };
                let label_x = (self.x(from) + self.x(neighbour)) / 2.0;
                let (x, y) = ((self.x(from), self.x(to)), top + ARROW_LINE);
                Some(Shape::Arrow { x, y, label_x, label: label.clone(), dashed: *dashed, tone: *tone })
            }
            Item::Note { lane, icon, lines, tone } => Some(self.note(lane, *icon, lines, *tone)),
            Item::Log { lane, entries, high_watermark } => {
                let at = self.index(lane);
                let count = entries.len().max(1) as f64;
                let cell = CELL_WIDTH.min((self.spacing() - 12.0) / count);
                let y = self.filled[at] + 3.0;
                self.filled[at] = y + CELL + NOTE_GAP + 3.0;
                let x = self.x(at) - cell * count / 2.0;
                Some(Shape::Log { x, y, cell, entries: entries.clone(), high_watermark: *high_watermark })
            }
        }
    }

    fn note(&mut self, lane: &Lane, icon: Option<Icon>, lines: &[String], tone: Tone) -> Shape {
        let at = self.index(lane);
        let room = WIDEST.min(self.spacing() - 14.0) - 2.0 * NOTE_PADDING;
        let picture = if icon.is_some() { ICON } else { 0.0 };
        let lines: Vec<_> = lines.iter().flat_map(|line| wrapped(line, room - picture)).collect();
        let widest = lines.iter().map(|line| text_width(line)).fold(0.0, f64::max);
        let size = (widest + picture + 2.0 * NOTE_PADDING + 4.0, LINE * lines.len() as f64 + 2.0 * NOTE_PADDING - 4.0);
        let y = self.filled[at];
        self.filled[at] = y + size.1 + NOTE_GAP;
        Shape::Note { x: self.x(at), y, size, icon, lines, tone }
    }

    fn change(&mut self, lane: usize, life: Life, y: f64) {
        let (since, before) = self.lives[lane];
        if before != life {
            self.segments.push(Segment { x: self.x(lane), y: (since, y), life: before });
            self.lives[lane] = (y, life);
        }
    }

    fn end_lanes(&mut self, foot: f64) {
        for lane in 0..self.lanes.len() {
            let (since, life) = self.lives[lane];
            self.segments.push(Segment { x: self.x(lane), y: (since, foot), life });
        }
    }
}

/// About as wide as the text will be: browsers have different letters.
pub fn text_width(text: &str) -> f64 {
    let letter = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ' ' | ',' | '.' | ':' | ';' | '\'' | '{' | '}' | '(' | ')' => 0.34,
        'm' | 'w' | 'M' | 'W' => 0.86,
        'A'..='Z' => 0.68,
        _ => 0.56,
    };
    text.chars().map(letter).sum::<f64>() * LETTER
}

fn wrapped(text: &str, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if text_width(line) + text_width(" ") + text_width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
