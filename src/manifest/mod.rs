//! Manifests: YAML, JSON and JSON Lines -> the desired state, and back.
//!
//! All problems of a manifest are reported in one run, each with file, line, column, the source line and a hint. Reads
//! only the manifest's files, and prints nothing.
//!
//! In the order of a run:
//!
//! | module | task |
//! |---|---|
//! | `load` | load a manifest from disk or from texts, with [`Overlay`] files |
//! | `walk`, `rules`, `tracked` | find the files; apply `.gitignore`; compare with git's index |
//! | `select` | apply the header's `files:` |
//! | `source`, `file` | read bytes from disk or memory; read one file |
//! | `document`, `scan`, `node` | parse a file into trees, one input at a time, within limits |
//! | `at`, `fields` | read a tree: a value with its place and the findings |
//! | `header`, `target`, `input`, `annotation`, `content`, `lint` | the fields of a manifest |
//! | `assemble`, `checks`, `named` | combine the files; check across them; read masks and texts |
//! | `finding`, `locate`, `report`, `problem` | findings with tree paths -> problems with lines and columns |
//! | `loaded`, `media_folder` | the result, [`Manifest`]; the files that its inputs name |
//! | `lines` | read a JSON Lines file for an import, one input at a time |
//! | `survey` | list what belongs to a manifest, and what does not |
//! | `write`, `anchor` | write a manifest; find the parts of a file for edits |
//! | `schema` | the JSON Schema of a manifest's files |

mod anchor;
mod annotation;
mod assemble;
mod at;
mod checks;
mod concepts;
mod content;
mod context;
mod document;
mod fields;
mod file;
mod finding;
mod format;
mod guards;
mod header;
mod input;
mod lines;
mod lint;
mod load;
mod loaded;
mod locate;
mod media_folder;
mod named;
mod node;
mod others;
mod problem;
mod report;
mod rules;
mod scan;
#[cfg(test)]
mod schema;
mod select;
mod source;
mod span_texts;
mod survey;
mod target;
mod tracked;
mod vocabulary;
mod walk;
mod words;
pub mod write;

#[cfg(test)]
mod tests;

pub use anchor::{Anchor, anchors};
pub use context::{Image, InputText, InputVideo};
pub use format::Format;
pub use header::Header;
pub use lines::{Line, LineInput, lines};
pub use load::{
    Overlay, files_below, has_header, is_header, load, load_shard, load_tracked, load_with, parse,
    parse_with,
};
pub use loaded::{Location, Manifest, ManifestShard, Spot};
pub use media_folder::{MediaFolder, MediumContent};
pub use problem::{Problem, Problems, ProblemsShown, SourceSpan};
pub use scan::comments;
pub use select::HEADER_FILES;
pub use source::{FileAccess, Pipes, Unreadable, kind_of, read_bytes};
pub use survey::{Survey, survey, would_be_left_out};
pub use target::TargetSpec;
pub use tracked::{Index, MissingTracked, Tracked, TrackedKind, no_index};
