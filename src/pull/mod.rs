//! Writes what an app holds as a manifest with an empty plan.
//!
//! Pure: takes an observed state and, if there is one, a manifest, and returns the files to write; opens nothing. The
//! result is read back and planned; if that plan is not empty, it is an error. Uses `manifest`, `matching`, `plan`, `wire`
//! and `model`.
//!
//! ```text
//! choice      which inputs and annotations are pulled
//! declare     an observed annotation as manifest content
//! input       one input: annotations that are kept, changed, added or dropped
//! check       checks that the plan is empty
//! fresh       a new manifest                        over      an existing manifest
//! edit        given annotations, into an existing manifest
//! incoming    the inputs of another tool's file, into an existing manifest
//! canonical   files in the form that a pull writes  comments    the comments of their inputs
//! splice      edits of a YAML text                  yaml_lines  the lines of its parts
//! settle      layouts that read back as intended    writable    inputs as they are written
//! mask_file   masks as PNG files                    name        file names
//! ```

mod canonical;
mod check;
mod choice;
mod comments;
mod declare;
mod edit;
mod error;
mod fresh;
mod incoming;
mod input;
mod mask_file;
mod name;
mod over;
mod report;
mod settle;
mod splice;
mod writable;
mod yaml_lines;

pub use canonical::{Formatted, NotFormatted, format};
pub use choice::{Choice, InputPattern, ModelMade};
pub use edit::{EditedInput, edit};
pub use error::PullError;
pub use fresh::{Form, Fresh, fresh, set_name};
pub use incoming::{Expressible, Incoming, Merged, merge};
pub use over::{ExistingManifest, NewInputs, over};
pub use report::{Account, Change, FileChange, Layout, Loss, LossKind, Pulled};
pub use settle::ReadBack;
