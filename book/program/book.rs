//! The whole of it: read the text, carry out what it asks for, judge, write HTML.

use crate::complaint::Complaint;
use crate::directive::{self, Directive};
use crate::links::{self, Dead};
use crate::lock;
use crate::page::Page;
use crate::prose;
use crate::render::{self, Known};
use crate::rules::{self, Rules};
use crate::survey::{self, Survey};
use crate::workspace::Workspace;
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where the book is, as seen from the root of the workspace.
const FOLDER: &str = "book";

/// What the text says, and what the code says of it.
struct Read {
    book: MDBook,
    pages: Vec<Page>,
    directives: Vec<Vec<Directive>>,
    rules: Rules,
    survey: Survey,
    lock: String,
}

/// Writes the book into a folder, and returns what is wrong with it: nothing, if all is well.
///
/// # Errors
/// If there is no book, or its folder can't be read or written.
pub fn build(workspace: &Workspace, into: &Path) -> Result<Vec<Complaint>, String> {
    // mdBook takes a relative one from the folder of the book.
    let into = std::path::absolute(into).map_err(|error| format!("{}: {error}", into.display()))?;
    let mut complaints = Vec::new();
    let Read { mut book, pages, directives, rules, survey, lock } = read(workspace, &mut complaints)?;
    rules::judge(&rules, &pages, &survey, &mut complaints);
    lock::judge(&lock, &rules, &pages, &survey, &mut complaints);
    for (page, directives) in pages.iter().zip(&directives) {
        prose::judge(page, directives, &mut complaints);
    }
    let known = Known { workspace, pages: &pages, rules: &rules, survey: &survey, directives: &directives };
    let rendered: Vec<_> = (0..pages.len()).map(|index| render::page(&known, index, &mut complaints)).collect();
    book.book.for_each_chapter_mut(|chapter| {
        let path = chapter.path.as_ref().map(|path| path.display().to_string());
        if let Some(index) = pages.iter().position(|page| Some(&page.path) == path.as_ref()) {
            chapter.content.clone_from(&rendered[index]);
        }
    });
    book.config.build.build_dir.clone_from(&into);
    book.build().map_err(|error| format!("can't write the book: {error:#}"))?;
    let dead = links::dead(&into).map_err(|error| format!("can't read what was written: {error}"))?;
    complaints.extend(dead_links(&dead, &pages));
    complaints.sort();
    complaints.dedup();
    Ok(complaints)
}

/// Writes down that these rules say what their verifications verify.
///
/// # Errors
/// If an id is unknown, or a file can't be read or written.
pub fn accept(workspace: &Workspace, ids: &[String]) -> Result<(), String> {
    let Read { rules, survey, lock, .. } = read(workspace, &mut Vec::new())?;
    let accepted = lock::accept(&lock, ids, &rules, &survey)?;
    fs::write(workspace.path(lock::FILE), accepted).map_err(|error| format!("can't write {}: {error}", lock::FILE))
}

fn read(workspace: &Workspace, complaints: &mut Vec<Complaint>) -> Result<Read, String> {
    let book = MDBook::load(workspace.path(FOLDER)).map_err(|error| format!("can't read the book: {error:#}"))?;
    let source = format!("{FOLDER}/{}", book.config.book.src.display());
    let chapters = book.iter().filter_map(|item| match item {
        BookItem::Chapter(chapter) => chapter.path.as_ref().map(|path| (chapter, path)),
        _ => None,
    });
    let pages: Vec<_> = chapters
        .map(|(chapter, path)| {
            let path = path.display().to_string();
            Page::new(format!("{source}/{path}"), path, chapter.name.clone(), chapter.content.clone())
        })
        .collect();
    let directives = pages.iter().map(|page| directive::read(page, complaints)).collect();
    let rules = rules::read(&pages, complaints);
    let survey =
        survey::survey(workspace, &rules::subjects(&rules)).map_err(|error| format!("can't read code: {error}"))?;
    let lock = if workspace.path(lock::FILE).exists() { workspace.read(lock::FILE)? } else { String::new() };
    Ok(Read { book, pages, directives, rules, survey, lock })
}

/// Dead links, where their texts stand. Pages that repeat chapters, such as the first one, say nothing new.
fn dead_links(dead: &[Dead], pages: &[Page]) -> Vec<Complaint> {
    let chapter = |dead: &Dead| pages.iter().find(|page| render::html(&page.path) == dead.page);
    let in_chapters: BTreeSet<_> = dead.iter().filter(|dead| chapter(dead).is_some()).map(|dead| &dead.link).collect();
    let told = dead.iter().filter_map(|dead| {
        let what = format!("dead link: nothing is at `{}`", dead.link);
        let Some(page) = chapter(dead) else {
            return (!in_chapters.contains(&dead.link)).then(|| Complaint::at(&dead.page, 1, what));
        };
        let written = [dead.link.clone(), dead.link.replacen(".html", ".md", 1)];
        let at = written.iter().find_map(|link| page.text.find(link.as_str()));
        Some(Complaint::at(&page.file, at.map_or(1, |at| page.line_at(at)), what))
    });
    told.collect()
}
