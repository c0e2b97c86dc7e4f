//! What a configuration may say: keys, each with the kind of its value and one sentence.
//!
//! One table of keys serves the check of files, the JSON Schema, and what `emcon config show` says: they cannot
//! disagree. A kind tells the form of a value; what takes more than one key to judge is judged by the section's `read`.

/// A key of a table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As written; units last, as `timeout_s`.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// What it means, in a sentence without an end: for the schema.
    pub says: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// What holds without it. Only keys of repeated tables have one here: what holds of others is said by
    /// `config/emcon.toml`, which is read before every other file.
    pub default: Option<Literal>,
    /// Whether what it says holds from the next start on only: a reload says so.
    pub at_start: bool,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words, each once at most.
    Words(&'static [&'static str]),
    /// Some text without control characters, of at most so many characters.
    Text(usize),
    /// At most so many such texts, each of at most 200 characters.
    Texts(usize),
    /// A whole number between these, both included.
    Integer(i64, i64),
    /// A number between these, both included.
    Number(f64, f64),
    /// `true` or `false`.
    Boolean,
    /// `ADDRESS:PORT`.
    Address,
    /// A file or folder; a relative one is beside the file that names it.
    Path,
    /// The same, of a file that holds a secret: the secret itself is never part of a configuration, so that nobody
    /// prints it. Its key ends in `_file`.
    SecretFile,
    /// A table.
    Table(&'static [Key]),
    /// Tables under one name, as `[[contact]]`; those of all files add up.
    Tables(&'static Repeated),
}

/// Tables under one name.
#[derive(Debug)]
pub struct Repeated {
    /// Keys of each.
    pub keys: &'static [Key],
    /// Further keys by the value of the key `kind`, which each has then; if empty, there is no `kind`.
    pub kinds: &'static [(&'static str, &'static [Key])],
    /// Most of them.
    pub max: usize,
}

/// A value in source code.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub enum Literal {
    Text(&'static str),
    Integer(i64),
    Number(f64),
    Boolean(bool),
}

impl Key {
    /// An optional key.
    pub const fn new(name: &'static str, kind: Kind, says: &'static str) -> Self {
        Self { name, kind, says, required: false, default: None, at_start: false }
    }

    /// The same, which must be given.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same, which holds from the next start on only.
    pub const fn at_start(self) -> Self {
        Self { at_start: true, ..self }
    }

    /// The same, of a repeated table, with what holds without it.
    pub const fn or(self, default: Literal) -> Self {
        Self { default: Some(default), ..self }
    }
}

impl Repeated {
    /// All keys of a table of this kind, besides `kind` itself; `None` if there is no such kind.
    pub fn keys_of(&self, kind: Option<&str>) -> Option<Vec<&'static Key>> {
        if self.kinds.is_empty() {
            return Some(self.keys.iter().collect());
        }
        let (_, own) = self.kinds.iter().find(|(name, _)| Some(*name) == kind)?;
        Some(self.keys.iter().chain(*own).collect())
    }
}
