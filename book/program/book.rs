//! The whole of it: read the text, carry out what it asks for, judge, write HTML.

use crate::complaint::Complaint;
use crate::page::Page;
use crate::render::{self, Known};
use crate::rules::{self, Rules};
use crate::survey::{self, Survey};
use crate::workspace::Workspace;
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use std::path::Path;

/// Where the book is, as seen from the root of the workspace.
const FOLDER: &str = "book";

/// What the text says, and what the code says of it.
struct Read {
    book: MDBook,
    pages: Vec<Page>,
    rules: Rules,
    survey: Survey,
}

/// Writes the book into a folder, and returns what is wrong with it: nothing, if all is well.
///
/// # Errors
/// If there is no book, or its folder can't be read or written.
pub fn build(workspace: &Workspace, into: &Path) -> Result<Vec<Complaint>, String> {
    let mut complaints = Vec::new();
    let Read { mut book, pages, rules, survey } = read(workspace, &mut complaints)?;
    rules::judge(&rules, &pages, &survey, &mut complaints);
    let known = Known { workspace, pages: &pages, rules: &rules, survey: &survey };
    let rendered: Vec<_> = (0..pages.len()).map(|index| render::page(&known, index, &mut complaints)).collect();
    book.book.for_each_chapter_mut(|chapter| {
        let path = chapter.path.as_ref().map(|path| path.display().to_string());
        if let Some(index) = pages.iter().position(|page| Some(&page.path) == path.as_ref()) {
            chapter.content.clone_from(&rendered[index]);
        }
    });
    book.config.build.build_dir = into.to_owned();
    book.build().map_err(|error| format!("can't write the book: {error:#}"))?;
    complaints.sort();
    complaints.dedup();
    Ok(complaints)
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
    let rules = rules::read(&pages, complaints);
    let survey =
        survey::survey(workspace, &rules::subjects(&rules)).map_err(|error| format!("can't read code: {error}"))?;
    Ok(Read { book, pages, rules, survey })
}
