//! How `highwater consume` prints a record: a text with places to fill, as in kcat.

use highwater::client::Partition;
use highwater::records::Record;
use std::str::FromStr;

/// What is printed for each record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Key,
    Value,
    Topic,
    Partition,
    Offset,
    Timestamp,
    Headers,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            let piece = match char {
                '%' => place(chars.next())?,
                '\\' => Piece::Text(vec![escape(chars.next())?]),
                other => Piece::Text(other.to_string().into_bytes()),
            };
            match (pieces.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(more)) => before.extend(more),
                (_, piece) => pieces.push(piece),
            }
        }
        Ok(Self(pieces))
    }
}

fn place(letter: Option<char>) -> Result<Piece, String> {
    Ok(match letter {
        Some('k') => Piece::Key,
        Some('s') => Piece::Value,
        Some('t') => Piece::Topic,
        Some('p') => Piece::Partition,
        Some('o') => Piece::Offset,
        Some('T') => Piece::Timestamp,
        Some('h') => Piece::Headers,
        Some('%') => Piece::Text(b"%".to_vec()),
        _ => return Err("after % comes k, s, t, p, o, T, h or %".to_owned()),
    })
}

fn escape(letter: Option<char>) -> Result<u8, String> {
    Ok(match letter {
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('r') => b'\r',
        Some('0') => 0,
        Some('\\') => b'\\',
        _ => return Err("after \\ comes n, t, r, 0 or \\".to_owned()),
    })
}

impl Format {
    /// Adds a record to `out`. A key or value that is null is written as nothing.
    pub fn write(&self, partition: &Partition, record: &Record, out: &mut Vec<u8>) {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend(text),
                Piece::Key => out.extend(record.key.as_deref().unwrap_or_default()),
                Piece::Value => out.extend(record.value.as_deref().unwrap_or_default()),
                Piece::Topic => out.extend(partition.topic.as_bytes()),
                Piece::Partition => out.extend(partition.index.to_string().as_bytes()),
                Piece::Offset => out.extend(record.offset.0.to_string().as_bytes()),
                Piece::Timestamp => out.extend(record.timestamp.to_string().as_bytes()),
                Piece::Headers => write_headers(record, out),
            }
        }
    }
}

/// `name=value`, with commas between.
fn write_headers(record: &Record, out: &mut Vec<u8>) {
    for (index, header) in record.headers.iter().enumerate() {
        out.extend(if index == 0 { &b""[..] } else { b"," });
        out.extend(&header.key);
        out.push(b'=');
        out.extend(header.value.as_deref().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater::records::RecordHeader;
    use highwater_spec::values::Offset;

    #[test]
    fn places_are_filled() {
        let header = |key: &'static [u8], value: Option<&'static [u8]>| RecordHeader {
            key: key.into(),
            value: value.map(Into::into),
        };
        let record = Record {
            offset: Offset(7),
            timestamp: 1234,
            key: Some("k\u{ff}".into()),
            value: None,
            headers: vec![header(b"a", Some(b"1")), header(b"b", None)],
        };
        let partition = Partition { topic: "orders".into(), index: 3 };
        let mut out = Vec::new();
        Format::from_str(r"%t-%p %o%%\t%T %k=%s; %h\\\n").unwrap().write(&partition, &record, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "orders-3 7%\t1234 k\u{ff}=; a=1,b=\\\n");
    }

    #[test]
    fn unknown_places_are_refused() {
        for bad in ["%", "%x", "\\", "\\x"] {
            assert!(Format::from_str(bad).is_err(), "{bad}");
        }
    }
}
