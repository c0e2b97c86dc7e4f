//! A file's text as values that know where they stand.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file; none for what is compiled in.
    pub file: Option<Arc<Path>>,
    /// From 1; 0 for a file as a whole.
    pub line: usize,
}

/// Something that is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misfit {
    /// The file; none if something is missing that no file says.
    pub file: Option<PathBuf>,
    /// From 1, if it stands in a line.
    pub line: Option<usize>,
    /// The key, as `level` or `contact[2].url`, counted from 0 in its file; empty for a file as a whole.
    pub key: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => f.write_str("the configuration")?,
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Values of a table by their keys.
pub(super) type Nodes = BTreeMap<String, Node>;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// A date or time: nothing in a configuration is one.
    Date,
    List(Vec<Node>),
    Table(Nodes),
    /// It was reported, and says nothing any more.
    Unfit,
}

impl Value {
    /// As people call it, with its article.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Number(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::Date => "a date or time",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Unfit => "at fault",
        }
    }

    /// Whether it is what `[[name]]` makes.
    pub(super) fn is_tables(&self) -> bool {
        let Self::List(nodes) = self else { return false };
        nodes.iter().all(|node| matches!(node.value, Self::Table(_) | Self::Unfit))
    }
}

impl Place {
    /// What is wrong here.
    pub(super) fn misfit(&self, key: impl Into<String>, what: impl Into<String>) -> Misfit {
        Misfit {
            file: Some(match &self.file {
                Some(file) => file.to_path_buf(),
                None => PathBuf::from("built-in configuration"),
            }),
            line: (self.line > 0).then_some(self.line),
            key: key.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}:{}", file.display(), self.line),
            None => f.write_str("built in"),
        }
    }
}

/// What `text` says, as far as it is TOML, and all of it that is not.
pub(super) fn parse(text: &str, file: Option<&Arc<Path>>) -> (Nodes, Vec<Misfit>) {
    let lines = Lines { text, file };
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<Misfit> = Vec::new();
    for error in errors {
        let place = lines.at(error.span().map_or(0, |span| span.start));
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        let fault = place.misfit("", message);
        // One mistake often breaks its line in several ways: the first says what it is.
        if faults.last().is_none_or(|last| last.line != fault.line) {
            faults.push(fault);
        }
    }
    (lines.table(table.get_ref(), &mut faults), faults)
}

struct Lines<'a> {
    text: &'a str,
    file: Option<&'a Arc<Path>>,
}

impl Lines<'_> {
    fn at(&self, byte: usize) -> Place {
        let before = &self.text.as_bytes()[..byte.min(self.text.len())];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Place { file: self.file.cloned(), line }
    }

    fn table(&self, table: &DeTable<'_>, faults: &mut Vec<Misfit>) -> Nodes {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let name: &std::borrow::Cow<'_, str> = key.get_ref();
            (name.to_string(), self.node(value, key.span().start, name, faults))
        };
        table.iter().map(entry).collect()
    }

    fn node(&self, value: &Spanned<DeValue<'_>>, start: usize, name: &str, faults: &mut Vec<Misfit>) -> Node {
        let place = self.at(start);
        let mut unfit = |what: &str| {
            faults.push(place.misfit(name, what));
            Value::Unfit
        };
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
                .map_or_else(|_| unfit("is a whole number beyond 64 bits"), Value::Integer),
            DeValue::Float(digits) => {
                digits.as_str().parse().map_or_else(|_| unfit("is no number"), Value::Number)
            }
            DeValue::Boolean(yes) => Value::Boolean(*yes),
            DeValue::Datetime(_) => Value::Date,
            DeValue::Array(values) => Value::List(
                values.iter().map(|value| self.node(value, value.span().start, name, faults)).collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table, faults)),
        };
        Node { value, place }
    }
}
