//! The documentation, held to its word: commands that it shows are run, files that it points to are there.
//!
//! A ` ```sh ` block of `README.md` is run line by line in an empty folder that has the project's `config/`; a line
//! succeeds with status 0, or with the one that its comment names (`# exits 3`). A ` ```console ` block is only shown.

// A helper that fails fails its test.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// Lines within the fences that open with `fence`.
fn blocks<'a>(text: &'a str, fence: &str) -> Vec<&'a str> {
    let mut inside = false;
    let mut out = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == fence;
        } else if inside {
            out.push(line);
        }
    }
    out
}

/// The status that a command line promises.
fn promised(line: &str) -> i32 {
    line.split_once("# exits ").map_or(0, |(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    })
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn commands_of_the_readme_do_what_it_says() {
    let readme = read("README.md");
    let commands = blocks(&readme, "```sh");
    assert!(commands.len() >= 4, "README.md shows {} commands", commands.len());
    let dir = tempfile::tempdir().unwrap();
    copy(&root().join("config"), &dir.path().join("config"));
    let programs = Path::new(env!("CARGO_BIN_EXE_emcon")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths([programs.into()].into_iter().chain(std::env::split_paths(&path))).unwrap();
    for line in commands {
        let output = Command::new("sh")
            .args(["-c", line])
            .current_dir(dir.path())
            .env("PATH", &path)
            // The reader's own configuration must not decide.
            .env("XDG_CONFIG_HOME", dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(promised(line)), "`{line}` said:\n{said}");
    }
}

#[test]
fn targets_that_the_readme_names_are_in_the_makefile() {
    let (readme, makefile) = (read("README.md"), read("Makefile"));
    let mut found = 0;
    for rest in readme.split("make ").skip(1) {
        let target: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        // `make test`, not "make of it".
        if readme.contains(&format!("`make {target}`")) || readme.contains(&format!("$ make {target}")) {
            assert!(makefile.contains(&format!("\n{target}: ##")), "the Makefile has no `{target}`");
            found += 1;
        }
    }
    assert!(found >= 4, "README.md names {found} targets");
}

#[test]
fn files_that_the_documentation_points_to_are_there() {
    let mut pages: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].map(PathBuf::from).into();
    let docs = std::fs::read_dir(root().join("docs")).unwrap();
    pages.extend(docs.map(|entry| Path::new("docs").join(entry.unwrap().file_name())));
    let hardware = std::fs::read_dir(root().join("hardware")).unwrap();
    pages.extend(hardware.map(|entry| Path::new("hardware").join(entry.unwrap().file_name())));
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    let mut links = 0;
    for page in &pages {
        let text = read(page.to_str().unwrap());
        for (n, _) in text.match_indices("](") {
            let target = text[n + 2..].split([')', '#']).next().unwrap();
            if target.is_empty() || target.starts_with("http") {
                continue;
            }
            let file = root().join(page.parent().unwrap()).join(target);
            assert!(file.exists(), "{} points to {target}, which is not there", page.display());
            links += 1;
        }
    }
    assert!(links >= 8, "{links} links in {} pages", pages.len());
}
