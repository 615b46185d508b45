//! No file of the crate imports a file that imports it, directly or by way of others.
//!
//! A name that a module re-exports counts as an import of the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The source files of the crate by module path, `model::shapes` for `src/model/shapes.rs`, with comments and unit tests cut.
struct Sources(BTreeMap<String, String>);

/// The paths in a `use` tree, each with its local name: `a::{b, c as d}` gives `a::b` and `a::c`.
fn leaves(tree: &str) -> Vec<(String, String)> {
    let tree = tree.trim();
    let Some((prefix, rest)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let last = path.rsplit("::").next().unwrap_or(path);
        let known = if alias.is_empty() { last } else { alias };
        return vec![(path.trim().to_owned(), known.trim().to_owned())];
    };
    let body = rest.strip_suffix('}').unwrap_or(rest);
    let mut depth = 0;
    let parts = body.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts
        .filter(|part| !part.trim().is_empty())
        .flat_map(leaves)
        .map(|(path, known)| match path.as_str() {
            // `a::{self, b}` names `a` too.
            "self" => {
                let path = prefix.trim_end_matches("::");
                let last = path.rsplit("::").next().unwrap_or(path);
                (path.to_owned(), last.to_owned())
            }
            _ => (format!("{prefix}{path}"), known),
        })
        .collect()
}

/// One `use` line of a file.
struct Import {
    is_reexport: bool,
    path: String,
    known: String,
}

fn imports(code: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let line = &code[code[..at].rfind('\n').map_or(0, |end| end + 1)..at];
        let visibility = line.trim();
        if !(visibility.is_empty() || visibility.starts_with("pub")) {
            continue;
        }
        let Some(end) = code[at..].find(';') else {
            continue;
        };
        let tree = code[at + "use ".len()..at + end].replace(['\n', ' '], " ");
        for (path, known) in leaves(&tree) {
            found.push(Import {
                is_reexport: !visibility.is_empty(),
                path,
                known,
            });
        }
    }
    found
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
}

impl Sources {
    fn read(src: &Path) -> Self {
        let mut files = Vec::new();
        super::layers::sources(src, &mut files);
        let modules = files.iter().filter_map(|file| {
            let path = file.strip_prefix(src).unwrap().with_extension("");
            let mut parts: Vec<_> = path.iter().map(|part| part.to_str().unwrap()).collect();
            if parts.last() == Some(&"mod") {
                parts.pop();
            }
            if parts.contains(&"tests") || ["lib", "main"].contains(&parts[0]) {
                return None;
            }
            let text = fs::read_to_string(file).unwrap();
            let code = text.split("#[cfg(test)]\nmod").next().unwrap();
            let lines = code.lines().map(|line| match line.split_once("//") {
                Some((code, _)) if !code.contains('"') => code,
                _ => line,
            });
            Some((parts.join("::"), lines.collect::<Vec<_>>().join("\n")))
        });
        Self(modules.collect())
    }

    /// The module whose file defines the item at a path, as seen from a module; `None` for items of other crates.
    fn definer(&self, from: &str, path: &str, depth: usize) -> Option<String> {
        let mut module: Vec<&str> = from.split("::").collect();
        let mut segments = path.split("::").map(str::trim).peekable();
        match *segments.peek()? {
            "crate" => {
                segments.next();
                module.clear();
            }
            "self" => {
                segments.next();
            }
            "super" => {
                while segments.next_if_eq(&"super").is_some() {
                    module.pop();
                }
            }
            first => {
                let child = format!("{from}::{first}");
                let is_imported = || imports(&self.0[from]).iter().any(|it| it.known == first);
                if !self.0.contains_key(&child) && !is_imported() {
                    return None;
                }
            }
        }
        for segment in segments {
            let child = [&module[..], &[segment]].concat().join("::");
            if self.0.contains_key(&child) {
                module.push(segment);
                continue;
            }
            let here = module.join("::");
            let all = imports(self.0.get(&here)?);
            let named = all.iter().find(|import| import.known == segment);
            return match named {
                Some(import) if depth < 5 => self.definer(&here, &import.path, depth + 1),
                Some(_) => None,
                // A glob import of another crate does not define names of this file.
                None => all
                    .iter()
                    .filter(|import| import.known == "*" && import.is_reexport)
                    .find_map(|import| {
                        let path = import.path.trim_end_matches("::*");
                        self.definer(&here, path, depth + 1)
                    })
                    .or(Some(here)),
            };
        }
        Some(module.join("::"))
    }

    /// The modules whose files a module's file needs.
    fn needs(&self, module: &str) -> BTreeSet<String> {
        let code = &self.0[module];
        let mut paths: Vec<String> = words(code)
            .filter(|word| word.starts_with("crate::") || word.starts_with("super::"))
            .filter(|word| !word.ends_with(':'))
            .map(ToOwned::to_owned)
            .collect();
        for import in imports(code) {
            // A re-export is not a use.
            let uses = words(code).filter(|word| {
                *word == import.known || word.starts_with(&format!("{}::", import.known))
            });
            if !import.is_reexport || uses.count() > 1 {
                paths.push(import.path);
            }
        }
        let needed = paths
            .iter()
            .filter_map(|path| self.definer(module, path, 0));
        needed.filter(|it| it != module && !it.is_empty()).collect()
    }
}

/// The modules of each circle, sorted.
fn circles(needs: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<&str>> {
    let reached = |start: &str| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(module) = open.pop() {
            for next in needs.get(module).into_iter().flatten() {
                if seen.insert(next.as_str()) {
                    open.push(next);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> = needs
        .keys()
        .map(|module| (module.as_str(), reached(module)))
        .collect();
    let of = |module: &str| {
        let mutual = reach[module]
            .iter()
            .filter(|it| reach.get(*it).is_some_and(|back| back.contains(module)));
        mutual.copied().collect::<Vec<_>>()
    };
    let found: BTreeSet<Vec<&str>> = needs.keys().map(|module| of(module)).collect();
    found
        .into_iter()
        .filter(|circle| !circle.is_empty())
        .collect()
}

#[test]
fn no_file_imports_a_file_that_imports_it() {
    let sources = Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let needs: BTreeMap<String, BTreeSet<String>> = sources
        .0
        .keys()
        .map(|module| (module.clone(), sources.needs(module)))
        .collect();
    let found: Vec<String> = circles(&needs)
        .iter()
        .map(|circle| {
            let inside = |name: &&String| circle.contains(&name.as_str());
            let lines = circle.iter().map(|module| {
                let targets: Vec<_> = needs[*module].iter().filter(inside).collect();
                format!("{module} -> {targets:?}")
            });
            lines.collect::<Vec<_>>().join("\n")
        })
        .collect();
    assert!(
        found.is_empty(),
        "circles of imports:\n{}",
        found.join("\n\n")
    );
}

#[test]
fn circles_are_found_through_reexports() {
    let module = |name: &str, code: &str| (name.to_owned(), code.to_owned());
    let sources = Sources(BTreeMap::from([
        module(
            "m",
            "mod a;\nmod b;\npub use a::{First, Other};\npub use b::Second;\n",
        ),
        module(
            "m::a",
            "use super::Second;\npub struct First(Second);\npub struct Other;\n",
        ),
        module("m::b", "pub struct Second;\nfn f(_: crate::m::First) {}\n"),
        module("m::c", "use super::{Second, a::Other as Name};\n"),
    ]));
    let needs = |name: &str| sources.needs(name).into_iter().collect::<Vec<_>>();
    assert_eq!(needs("m"), [""; 0]);
    assert_eq!(needs("m::a"), ["m::b"]);
    assert_eq!(needs("m::b"), ["m::a"]);
    assert_eq!(needs("m::c"), ["m::a", "m::b"]);
    let all: BTreeMap<_, _> = sources
        .0
        .keys()
        .map(|it| (it.clone(), sources.needs(it)))
        .collect();
    assert_eq!(circles(&all), [["m::a", "m::b"]]);
}
