//! What an app holds, as a manifest that plans to nothing.
//!
//! Pure: an observed state and, where one is there already, a manifest go in, the files to write come out; nothing is
//! opened. What comes out was read back and planned: a manifest that would not plan to nothing is an error here, never
//! a file. Knows nothing of connections and folders. Uses `manifest`, `matching`, `plan` and `model`.
//!
//! ```text
//! choice    what is pulled                      declare   an annotation -> what a manifest says of it
//! input     one input: kept, changed, added, dropped      check     the plan of it all is empty
//! fresh     a manifest where none is            over      a manifest that is there, made equal
//! splice    a YAML text with some parts anew    yaml_lines  where its parts begin and end
//! incoming  the inputs of another tool's file, over a manifest that is there
//! settle    texts that read back as meant       writable    images and masks, name: file names
//! ```

mod check;
mod choice;
mod declare;
mod error;
mod fresh;
mod incoming;
mod input;
mod name;
mod over;
mod report;
mod settle;
mod splice;
mod writable;
mod yaml_lines;

pub use choice::{Choice, InputPattern, ModelMade};
pub use error::PullError;
pub use fresh::{Form, Fresh, fresh, set_name};
pub use incoming::{Incoming, Merged, merge};
pub use over::{NewInputs, Over, over};
pub use report::{Account, Change, FileChange, Layout, Loss, LossKind, Pulled};
pub use settle::ReadBack;
