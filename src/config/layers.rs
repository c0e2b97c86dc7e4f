//! Which files are read, and how one says more than another.
//!
//! What is compiled in comes first, then the main file, then `conf.d/*.toml` beside it in the order of their names. Tables
//! merge key by key; of anything else the last file's word holds; repeated tables, as `[[contact]]`, add up, and an empty
//! list forgets those before it. Each file is checked by itself, so that what another overrides is no less wrong.

use super::fit::{fit, missing};
use super::key::Key;
use super::node::{Misfit, Node, Nodes, Place, Value, parse};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file that is read, bytes: a thousand times the default.
pub(super) const SIZE_MAX: u64 = 1 << 20;

/// Most drop-ins: more is a mistake, as a folder of something else.
const DROP_INS_MAX: usize = 256;

/// The main file, in its folder.
const MAIN: &str = "emcon.toml";

/// What all files say together.
#[derive(Debug)]
pub(super) struct Layers {
    pub nodes: Nodes,
    /// Those read, in order.
    pub files: Vec<PathBuf>,
    pub faults: Vec<Misfit>,
}

impl Layers {
    /// What is compiled in.
    pub(super) fn built_in(text: &str, keys: &'static [Key]) -> Self {
        let mut layers = Self { nodes: Nodes::new(), files: Vec::new(), faults: Vec::new() };
        layers.add(text, None, keys);
        layers
    }

    /// The file at `main`, which must be there, and the drop-ins beside it.
    pub(super) fn read(&mut self, main: &Path, keys: &'static [Key]) {
        self.read_one(main, false, keys);
        let folder = main.parent().unwrap_or(Path::new(""));
        self.drop_ins(folder, keys);
    }

    /// The first of `folders` that has a main file or drop-ins; nothing if none has.
    pub(super) fn read_first(&mut self, folders: &[PathBuf], keys: &'static [Key]) {
        // What cannot be looked at may be there, and is read to say so.
        let is_there = |path: &Path| !matches!(path.try_exists(), Ok(false));
        for folder in folders {
            let main = folder.join(MAIN);
            if is_there(&main) {
                return self.read(&main, keys);
            }
            if is_there(&folder.join("conf.d")) && self.drop_ins(folder, keys) {
                return;
            }
        }
    }

    /// Reports keys that no file gives.
    pub(super) fn end(&mut self, keys: &[Key]) {
        missing(&self.nodes, keys, "", None, &mut self.faults);
    }

    /// The drop-ins of `folder`; whether there are any, or might be.
    fn drop_ins(&mut self, folder: &Path, keys: &'static [Key]) -> bool {
        let folder = folder.join("conf.d");
        let listed = fs::read_dir(&folder).and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()
        });
        let mut paths = match listed {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
            Err(error) => {
                self.unreadable(&folder, &error);
                return true;
            }
        };
        let hidden =
            |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        paths.retain(|path| path.extension().is_some_and(|end| end == "toml") && !hidden(path));
        if paths.len() > DROP_INS_MAX {
            let what = format!("has {} files, at most {DROP_INS_MAX} are read", paths.len());
            self.faults.push(whole(&folder).misfit("", what));
            return true;
        }
        paths.sort();
        for path in &paths {
            self.read_one(path, true, keys);
        }
        !paths.is_empty()
    }

    /// Adds the file at `path`. A drop-in must be a regular file: nobody means to wait for a pipe there.
    fn read_one(&mut self, path: &Path, regular: bool, keys: &'static [Key]) {
        self.files.push(path.to_path_buf());
        match text(path, regular) {
            Ok(text) => self.add(&text, Some(path), keys),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.faults.push(whole(path).misfit("", format!("cannot be read: {error}")));
    }

    fn add(&mut self, text: &str, path: Option<&Path>, keys: &'static [Key]) {
        let file = path.map(Arc::from);
        let (mut nodes, faults) = parse(text, file.as_ref());
        self.faults.extend(faults);
        fit(&mut nodes, &keys.iter().collect::<Vec<_>>(), "", &mut self.faults);
        merge(&mut self.nodes, nodes);
    }
}

fn whole(path: &Path) -> Place {
    Place { file: Some(Arc::from(path)), line: 0 }
}

fn text(path: &Path, regular: bool) -> io::Result<String> {
    let fault = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    if regular && !fs::metadata(path)?.is_file() {
        return Err(fault("it is no regular file".into()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(SIZE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(fault(format!("it is larger than {} MiB: not a configuration of emcon", SIZE_MAX >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| fault("it is not UTF-8 text".into()))
}

/// What `over` says, said over `under`.
fn merge(under: &mut Nodes, over: Nodes) {
    for (name, node) in over {
        let Some(before) = under.get_mut(&name) else {
            under.insert(name, node);
            continue;
        };
        match (&mut before.value, node.value) {
            (Value::Table(before), Value::Table(below)) => merge(before, below),
            (Value::List(before), Value::List(more)) if adds(before, &more) => before.extend(more),
            // It would hide what is wrong beneath.
            (_, Value::Unfit) => {}
            (_, value) => *before = Node { value, place: node.place },
        }
    }
}

/// Whether both are repeated tables.
fn adds(before: &[Node], more: &[Node]) -> bool {
    let tables = |nodes: &[Node]| {
        !nodes.is_empty() && nodes.iter().all(|node| matches!(node.value, Value::Table(_) | Value::Unfit))
    };
    tables(before) && tables(more)
}
