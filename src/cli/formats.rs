//! The formats of plans, diffs and statistics: one for stdout, others for files.

use super::exit::Failure;
use super::kind;
use super::output::{self, Place};
use super::pager::{self, Paging};
use super::sheets;
use crate::manifest;
use crate::model::FileKind;
use crate::render;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A format of a plan, a diff or statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For the comment of a pull request
    Markdown,
    /// For programs; of a plan, the plan file
    Json,
    /// A page for a browser, in one file
    Html,
}

/// How a command prints that makes a list of results and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TextOrJson {
    /// A line for each
    Text,
    /// One JSON document
    Json,
}

impl TextOrJson {
    /// Prints the results.
    pub(crate) fn print(
        self,
        results: &impl serde::Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self {
            Self::Text => output::result(&text()),
            Self::Json => output::data(&render::document(results)),
        }
    }
}

impl Format {
    /// Whether a later run would read this file as part of a manifest. A plan file is recognised if its name ends in
    /// .json.
    fn looks_like_manifest(self, file: &Path) -> bool {
        match manifest::Format::of(file) {
            None => false,
            Some(manifest::Format::Json) => self != Self::Json,
            Some(_) => true,
        }
    }
}

/// What `--also` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extra {
    File(Format),
    /// Contact sheets, in a folder.
    Images,
}

/// Whether the plan file is among the formats.
pub(crate) fn has_plan_file(format: Format, also: &[ExtraOutput]) -> bool {
    format == Format::Json || also.iter().any(ExtraOutput::is_json)
}

/// The folder of the first page among the formats, if there is a page.
pub(crate) fn page_folder(format: Format, also: &[ExtraOutput]) -> Option<PathBuf> {
    let mut pages = also
        .iter()
        .filter(|also| also.what == Extra::File(Format::Html));
    let folder = |also: &ExtraOutput| also.file.parent().map(Path::to_owned);
    match pages.next() {
        Some(page) => Some(folder(page).unwrap_or_default()),
        None => (format == Format::Html).then(PathBuf::new),
    }
}

/// An argument `FORMAT=FILE`: write the result to this file in this format; or `images=DIR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExtraOutput {
    what: Extra,
    /// Or the folder.
    file: PathBuf,
}

impl ExtraOutput {
    fn is_json(&self) -> bool {
        self.what == Extra::File(Format::Json)
    }
}

/// An argument `FORMAT=FILE`, of a command that draws nothing.
pub(crate) fn file_only(text: &str) -> Result<ExtraOutput, String> {
    let output: ExtraOutput = text.parse()?;
    match output.what {
        Extra::Images => {
            Err("there are no changes to draw: use text, markdown, html or json".to_owned())
        }
        Extra::File(_) => Ok(output),
    }
}

/// The folder of `images=DIR`, if it is among these.
pub(crate) fn images_folder(also: &[ExtraOutput]) -> Option<&Path> {
    let mut images = also.iter().filter(|also| also.what == Extra::Images);
    images.next().map(|also| also.file.as_path())
}

impl FromStr for ExtraOutput {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = text
            .split_once('=')
            .ok_or("expected a format and a file, as in `markdown=plan.md`")?;
        let what = match format {
            "images" => Extra::Images,
            format => Extra::File(
                <Format as clap::ValueEnum>::from_str(format, false).map_err(|_| {
                    format!("`{format}` is not a format: use text, markdown, html, json or images")
                })?,
            ),
        };
        let file = PathBuf::from(file);
        if file.as_os_str().is_empty() {
            return Err("the file has no name; expected for example `markdown=plan.md`".to_owned());
        }
        if file.as_os_str() == "-" {
            return Err("`-` is not a file; --format says what goes to stdout".to_owned());
        }
        if let Extra::File(format) = what
            && format.looks_like_manifest(&file)
        {
            return Err(format!(
                "`{}` has the name of a manifest file, and would be read as one; use .txt, .md or .html, and .json for json",
                file.display()
            ));
        }
        Ok(Self { what, file })
    }
}

/// The path of the plan file, if one is written.
pub(crate) fn plan_file_path<'a>(
    out: Option<&'a Path>,
    also: &'a [ExtraOutput],
) -> Option<&'a Path> {
    let mut json = also.iter().filter(|also| also.is_json());
    out.or_else(|| json.next().map(|also| also.file.as_path()))
}

/// Writes the files of --also, in the text of their formats. Contact sheets are written already.
pub(crate) fn write(also: &[ExtraOutput], text: impl Fn(Format) -> String) -> Result<(), Failure> {
    for ExtraOutput { what, file } in also {
        if let Extra::File(format) = what {
            output::file(file, &text(*format))?;
        }
    }
    Ok(())
}

/// Prints a result in this format: text through the pager.
pub(crate) fn print(format: Format, text: &str, no_pager: bool) -> Result<(), Failure> {
    match format {
        Format::Text if no_pager => pager::show(text, Paging::Off),
        Format::Text => pager::show(text, Paging::Wanted),
        Format::Markdown | Format::Json | Format::Html => output::data(text),
    }
}

/// The files that a command is asked to write.
pub(crate) struct Outputs<'a> {
    /// The format of stdout.
    pub(crate) format: Format,
    pub(crate) also: &'a [ExtraOutput],
    /// The plan file of --out.
    pub(crate) out: Option<&'a Path>,
    /// What the command reads.
    pub(crate) read: &'a [&'a Path],
    /// The kinds of files that JSON may replace: those that the command writes itself.
    pub(crate) kinds: &'a [FileKind],
}

impl Outputs<'_> {
    /// Refuses a file that would be written twice, would overwrite an input or a file of another kind, or is in a missing
    /// folder or in `.git`. Also refuses filters and --summary (`leaves_out`) if no format applies them.
    pub(crate) fn check(&self, leaves_out: bool) -> Result<(), Failure> {
        let mut is_json = self.also.iter().map(ExtraOutput::is_json);
        if self.format == Format::Json && is_json.all(|it| it) && leaves_out {
            return Err(Failure::usage(
                "--summary, --only, --input and --concept choose what text, Markdown and HTML show, and JSON always holds everything",
            )
            .hint("leave them out, or add `--also text=FILE` or `--also markdown=FILE`"));
        }
        let linked = self.also.iter().filter_map(|also| match also.what {
            Extra::File(format) => Some((format, also.file.as_path())),
            Extra::Images => None,
        });
        for (format, file) in linked.chain(self.out.map(|out| (Format::Json, out))) {
            refuse_link_to_manifest(format, file)?;
        }
        self.check_places()?;
        let folders = self.also.iter().filter(|also| also.what == Extra::Images);
        match folders.collect::<Vec<_>>()[..] {
            [] => {}
            [folder] => sheets::check(&folder.file)?,
            _ => {
                return Err(Failure::usage("--also images= is given more than once")
                    .hint("name one folder for the contact sheets"));
            }
        }
        let files = self.also.iter().filter(|also| also.is_json());
        let mut files = files.map(|also| also.file.as_path()).chain(self.out);
        files.try_for_each(|file| refuse_to_overwrite(file, self.kinds))
    }

    fn check_places(&self) -> Result<(), Failure> {
        let files = self.also.iter().map(|also| also.file.as_path());
        let mut taken: Vec<(PathBuf, Use)> = self
            .read
            .iter()
            .map(|path| (canonical(path), Use::Read))
            .collect();
        for file in files.chain(self.out) {
            let place = canonical(file);
            let shown = file.display();
            if [file, &place].into_iter().any(output::is_in_git) {
                return Err(Failure::usage(format!(
                    "{shown} is in a folder .git, whose files belong to git; nothing was written"
                ))
                .hint("name a place outside of .git"));
            }
            if let Some(folder) = place.parent().filter(|folder| !folder.is_dir()) {
                return Err(Failure::new(format!(
                    "cannot write {shown}: there is no folder {}; nothing was written",
                    folder.display()
                ))
                .hint("create the folder, or name another file"));
            }
            match taken.iter().find(|(other, _)| *other == place) {
                Some((_, Use::Read)) => {
                    return Err(Failure::usage(format!(
                        "{shown} is read by this command, and would be overwritten"
                    ))
                    .hint("name another file"));
                }
                Some((_, Use::Written)) => {
                    return Err(Failure::usage(format!("{shown} would be written twice"))
                        .hint("give each format a file of its own"));
                }
                None => taken.push((place, Use::Written)),
            }
        }
        Ok(())
    }
}

/// Refuses a link to what has the name of a manifest file: the label file would be overwritten.
fn refuse_link_to_manifest(format: Format, file: &Path) -> Result<(), Failure> {
    let place = canonical(file);
    if format.looks_like_manifest(file) || !format.looks_like_manifest(&place) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} is a link to {}, which has the name of a manifest file; nothing was written",
        file.display(),
        place.display()
    ))
    .hint("name another file"))
}

/// Refuses to overwrite a file of another kind, or to write one that a later run would read as part of a manifest.
fn refuse_to_overwrite(file: &Path, kinds: &[FileKind]) -> Result<(), Failure> {
    let shown = file.display();
    if Format::Json.looks_like_manifest(file) {
        return Err(Failure::usage(format!(
            "{shown} has the name of a manifest file, and would be read as one"
        ))
        .hint("name a file that ends in .json"));
    }
    let is_there = file.metadata().is_ok_and(|it| it.is_file() && it.len() > 0);
    let is_own = || kind::of(file).is_some_and(|kind| kinds.contains(&kind));
    if is_there && !is_own() {
        let own = kinds
            .first()
            .map_or("such a file", |kind| kind::noun(*kind));
        return Err(Failure::new(format!(
            "{shown} exists and is not {own}; nothing was written"
        ))
        .hint("name another file"));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Read,
    Written,
}

/// The canonical path of a file, which may not exist yet.
fn canonical(file: &Path) -> PathBuf {
    let file = match output::place(file) {
        Ok(Place::File(file) | Place::Stream(file)) => file,
        Err(_) => file.to_owned(),
    };
    let absolute = std::path::absolute(&file).unwrap_or(file);
    match (absolute.parent(), absolute.file_name()) {
        (Some(folder), Some(name)) => folder
            .canonicalize()
            .unwrap_or_else(|_| folder.to_owned())
            .join(name),
        _ => absolute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_and_a_file_are_read() {
        let read = |text: &str| text.parse::<ExtraOutput>();
        for (text, format, file) in [
            ("markdown=plan.md", Format::Markdown, "plan.md"),
            ("text=a=b.txt", Format::Text, "a=b.txt"),
            ("json=out/plan.json", Format::Json, "out/plan.json"),
            ("html=plan.html", Format::Html, "plan.html"),
            (
                "markdown=/runner/step_summary_1",
                Format::Markdown,
                "/runner/step_summary_1",
            ),
        ] {
            let file = PathBuf::from(file);
            let what = Extra::File(format);
            assert_eq!(read(text), Ok(ExtraOutput { what, file }));
        }
        let images = read("images=out").unwrap();
        assert_eq!(images_folder(&[images]), Some(Path::new("out")));
        for (text, why) in [
            ("plan.md", "expected a format and a file"),
            ("pdf=plan.pdf", "`pdf` is not a format"),
            ("=plan.md", "`` is not a format"),
            ("markdown=", "has no name"),
            ("text=-", "is not a file"),
            ("text=labels/plan.YAML", "would be read as one"),
            ("markdown=plan.json", "would be read as one"),
            ("html=plan.json", "would be read as one"),
            ("json=plan.yml", "would be read as one"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
