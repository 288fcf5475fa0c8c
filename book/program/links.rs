//! Links between the pages that were written: each must lead somewhere.
//!
//! Not here: links that leave the book.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A link that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    /// The page that has it, as seen from the folder of the book.
    pub page: String,
    /// What it names.
    pub link: String,
}

/// What a page offers and asks for.
#[derive(Default)]
struct Found {
    ids: BTreeSet<String>,
    links: Vec<String>,
}

/// Every dead link of the pages in a folder.
///
/// # Errors
/// If the folder can't be read.
pub fn dead(folder: &Path) -> io::Result<Vec<Dead>> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    let mut pages = BTreeMap::new();
    for file in files.iter().filter(|file| file.ends_with(".html")) {
        pages.insert(file.clone(), found(&fs::read_to_string(folder.join(file))?));
    }
    let files: BTreeSet<_> = files.into_iter().collect();
    let mut dead = Vec::new();
    // The page for what isn't found is served from anywhere, so its links are absolute.
    for (page, found) in pages.iter().filter(|(page, _)| *page != "404.html") {
        for link in found.links.iter().filter(|link| !leads_on(page, link, &pages, &files)) {
            dead.push(Dead { page: page.clone(), link: link.clone() });
        }
    }
    Ok(dead)
}

fn collect(folder: &Path, below: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() {
            collect(folder, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn leads_on(page: &str, link: &str, pages: &BTreeMap<String, Found>, files: &BTreeSet<String>) -> bool {
    let scheme = link.split(['/', '#', '?']).next().unwrap_or_default();
    if link.is_empty() || scheme.contains(':') || link.starts_with("//") {
        return !link.is_empty();
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = path.split('?').next().unwrap_or_default();
    let target = if path.is_empty() { Some(page.to_owned()) } else { resolved(page, &unescaped(path)) };
    let Some(target) = target else { return false };
    let target = if pages.contains_key(&target) || files.contains(&target) {
        target
    } else {
        format!("{}index.html", if target.is_empty() { target } else { target.trim_end_matches('/').to_owned() + "/" })
    };
    match pages.get(&target) {
        Some(found) => anchor.is_empty() || found.ids.contains(&unescaped(anchor)),
        None => files.contains(&target),
    }
}

/// The path from the folder, unless it leaves it.
fn resolved(page: &str, path: &str) -> Option<String> {
    let mut resolved = if path.starts_with('/') { PathBuf::new() } else { PathBuf::from(page).parent()?.to_owned() };
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." if !resolved.pop() => return None,
            ".." => {}
            _ => resolved.push(part),
        }
    }
    Some(resolved.to_string_lossy().into_owned())
}

/// Percent signs and entities taken back.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let decoded = digits.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        out.push(decoded.unwrap_or(*byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).replace("&amp;", "&")
}

/// The ids and links of a page's tags; scripts and comments are passed over.
fn found(html: &str) -> Found {
    let mut found = Found::default();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        if rest.starts_with("<!--") {
            rest = rest.find("-->").map_or("", |end| &rest[end + 3..]);
            continue;
        }
        let (tag, behind) = tag(&rest[1..]);
        rest = behind;
        for (name, value) in attributes(tag) {
            match name {
                "id" => drop(found.ids.insert(value.to_owned())),
                "href" | "src" => found.links.push(value.to_owned()),
                _ => {}
            }
        }
        if tag.starts_with("script") {
            rest = rest.find("</script").map_or("", |end| &rest[end..]);
        }
    }
    found
}

/// What stands up to the `>` that ends a tag, and what comes behind it.
fn tag(text: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return (&text[..at], &text[at + 1..]),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    (text, "")
}

/// Names and quoted values.
fn attributes(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag;
    std::iter::from_fn(move || {
        let equals = rest.find("=\"")?;
        let name = rest[..equals].rsplit(char::is_whitespace).next().unwrap_or_default();
        let value = &rest[equals + 2..];
        let end = value.find('"')?;
        rest = &value[end + 1..];
        Some((name, &value[..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_pages_ids_and_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
            fs::write(path, text).expect("a file");
        };
        write("a.html", r##"<a href="b/c.html#x"></a><a href="#y"></a><a href="b/c.html#z"></a><h1 id="a%b">"##);
        write("b/c.html", r#"<p id='q' title=">" id="x"></p><img src="../d.png"><a href="../a.html#a%25b"></a>"#);
        write("d.png", "");
        write(
            "e.html",
            r#"<!-- <a href="1"> --><script>x = '<a href="2">'</script><a href="https://no.where/#x"><a href="f.html">"#,
        );
        let found: Vec<_> = dead(folder.path()).expect("it can be read").into_iter().map(|dead| dead.link).collect();
        assert_eq!(found, ["#y", "b/c.html#z", "f.html"]);
    }
}
