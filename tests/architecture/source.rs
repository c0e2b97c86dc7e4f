//! As much of Rust's grammar as the rules need: the tokens of a file, and the paths that they spell.
//!
//! A text search would trip over comments, strings and `use crate::{a, b::{c, d}}`; a full parser would be a
//! dependency for the sake of one test.

/// A file of the tree under `src/`.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Relative to `src/`, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl SourceFile {
    /// The top-level module it belongs to: `detect` for `detect/floor.rs` and for `detect.rs`, `main`, `lib`.
    pub fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// How many modules deep the file itself is: 0 for `lib.rs`, 1 for `iq.rs` and `detect/mod.rs`.
    fn depth(&self) -> usize {
        match self.path.as_str() {
            "lib.rs" | "main.rs" => 0,
            path => path.trim_end_matches("/mod.rs").split('/').count(),
        }
    }

    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// A path as the source spells it, groups spelt out; a macro's name ends with `!`.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Line, from 1.
    pub line: usize,
    /// `["std", "fs", "File"]`. `super::` that climbs to the crate's root reads `crate`.
    pub segments: Vec<String>,
    /// Within `#[cfg(test)] mod`.
    pub in_test: bool,
}

impl Path {
    /// Whether it begins with the segments of `prefix`, written with `::`.
    pub fn starts_with(&self, prefix: &str) -> bool {
        let mut own = self.segments.iter();
        prefix.split("::").all(|segment| own.next().is_some_and(|s| s == segment))
    }

    /// Whether the segments of `part` stand in it next to each other.
    pub fn contains(&self, part: &str) -> bool {
        let part: Vec<&str> = part.split("::").collect();
        self.segments.windows(part.len()).any(|window| window == part)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    line: usize,
    /// An identifier, `::`, or a single character.
    text: String,
}

/// Tokens without comments, strings, characters, lifetimes and numbers.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut out = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let start = i;
        match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => i = end_of_block_comment(&chars, i),
            '"' => i = end_of_string(&chars, i),
            'r' | 'b' | 'c' if raw_string(&chars, i).is_some() => {
                i = raw_string(&chars, i).unwrap_or(chars.len());
            }
            '\'' => i = end_of_quote(&chars, i),
            ':' if at(i + 1) == ':' => {
                out.push(Token { line, text: "::".into() });
                i += 2;
            }
            c if c.is_alphabetic() || c == '_' => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
                out.push(Token { line, text: chars[start..i].iter().collect() });
            }
            c if c.is_ascii_digit() => {
                while at(i).is_alphanumeric() || at(i) == '_' || (at(i) == '.' && at(i + 1).is_ascii_digit())
                {
                    i += 1;
                }
            }
            c => {
                if !c.is_whitespace() {
                    out.push(Token { line, text: c.into() });
                }
                i += 1;
            }
        }
        i = i.min(chars.len());
        line += chars[start..i].iter().filter(|&&c| c == '\n').count();
    }
    out
}

fn end_of_block_comment(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (depth, i) = (depth + 1, i + 2),
            ('*', '/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn end_of_string(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// The end of `r"…"`, `r#"…"#`, `b"…"`, `br#"…"#`, if one begins at `i`.
fn raw_string(chars: &[char], mut i: usize) -> Option<usize> {
    if matches!(chars.get(i), Some('b' | 'c')) {
        i += 1;
        if chars.get(i) == Some(&'"') {
            return Some(end_of_string(chars, i));
        }
    }
    if chars.get(i) != Some(&'r') {
        return None;
    }
    let hashes = chars[i + 1..].iter().take_while(|&&c| c == '#').count();
    i += 1 + hashes;
    if chars.get(i) != Some(&'"') {
        return None;
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let rest = &chars[i + 1..];
    let end = rest.windows(closing.len()).position(|w| w == closing)?;
    Some(i + 1 + end + closing.len())
}

/// The end of a character, or the start of a lifetime's name.
fn end_of_quote(chars: &[char], i: usize) -> usize {
    if chars.get(i + 1) == Some(&'\\') {
        let close = chars[(i + 3).min(chars.len())..].iter().position(|&c| c == '\'');
        return close.map_or(chars.len(), |p| i + 3 + p + 1);
    }
    if chars.get(i + 2) == Some(&'\'') { i + 3 } else { i + 1 }
}

/// Every path that `file` spells.
pub fn paths(file: &SourceFile) -> Vec<Path> {
    let tokens = tokens(&file.text);
    let mut walker = Walker { file, tokens: &tokens, blocks: Vec::new(), out: Vec::new() };
    walker.run();
    walker.out
}

/// What a brace opened.
#[derive(Clone, Copy, PartialEq)]
enum Block {
    Module { test: bool },
    Other,
}

struct Walker<'a> {
    file: &'a SourceFile,
    tokens: &'a [Token],
    blocks: Vec<Block>,
    out: Vec<Path>,
}

impl Walker<'_> {
    fn text(&self, i: usize) -> &str {
        self.tokens.get(i).map_or("", |t| t.text.as_str())
    }

    fn is_name(&self, i: usize) -> bool {
        self.text(i).starts_with(|c: char| c.is_alphabetic() || c == '_')
    }

    fn run(&mut self) {
        let mut cfg_test = false;
        let mut i = 0;
        while i < self.tokens.len() {
            match self.text(i) {
                "#" if self.spells(i, &["#", "[", "cfg", "(", "test", ")", "]"]) => {
                    cfg_test = true;
                    i += 7;
                }
                "mod" if self.is_name(i + 1) && self.text(i + 2) == "{" => {
                    self.blocks.push(Block::Module { test: cfg_test });
                    cfg_test = false;
                    i += 3;
                }
                "{" => {
                    self.blocks.push(Block::Other);
                    i += 1;
                }
                "}" => {
                    self.blocks.pop();
                    i += 1;
                }
                ";" => {
                    cfg_test = false;
                    i += 1;
                }
                // A segment after a dot is a method or a field, not a path.
                "." => i += if self.is_name(i + 1) { 2 } else { 1 },
                _ if self.is_name(i) => i = self.path(i, Vec::new()),
                _ => i += 1,
            }
        }
    }

    fn spells(&self, i: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(k, word)| self.text(i + k) == *word)
    }

    /// Reads the path at `i` behind `prefix`; gives the first token after it.
    fn path(&mut self, mut i: usize, mut segments: Vec<String>) -> usize {
        let line = self.tokens[i].line;
        loop {
            segments.push(self.text(i).to_string());
            i += 1;
            if self.text(i) == "::" && self.is_name(i + 1) {
                i += 1;
                continue;
            }
            if self.text(i) == "::" && self.text(i + 1) == "{" {
                return self.group(i + 2, &segments);
            }
            if self.text(i) == "::" && self.text(i + 1) == "*" {
                segments.push("*".into());
                i += 2;
            } else if self.text(i) == "!"
                && self.text(i + 1) != "="
                && let Some(last) = segments.last_mut()
            {
                last.push('!');
            }
            break;
        }
        self.push(line, segments);
        i
    }

    /// Reads `a, b::{c, d}, *}`; gives the first token after the closing brace.
    fn group(&mut self, mut i: usize, prefix: &[String]) -> usize {
        while i < self.tokens.len() {
            match self.text(i) {
                "}" => return i + 1,
                "as" => i += 2,
                _ if self.is_name(i) => i = self.path(i, prefix.to_vec()),
                "*" => {
                    let star = prefix.iter().cloned().chain(std::iter::once("*".into())).collect();
                    self.push(self.tokens[i].line, star);
                    i += 1;
                }
                _ => i += 1,
            }
        }
        i
    }

    fn push(&mut self, line: usize, mut segments: Vec<String>) {
        let inline = self.blocks.iter().filter(|b| matches!(b, Block::Module { .. })).count();
        let supers = segments.iter().take_while(|s| *s == "super").count();
        if supers > 0 && supers >= self.file.depth() + inline {
            segments.splice(..supers, ["crate".to_string()]);
        }
        let in_test = self.file.is_test() || self.blocks.contains(&Block::Module { test: true });
        self.out.push(Path { line, segments, in_test });
    }
}
