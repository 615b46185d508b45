//! Files of other tools <-> inputs with annotations.
//!
//! Pure functions: the bytes of files in; inputs, annotations and an account of what was left out as result. Reads no
//! files itself, writes no manifest and prints nothing. Uses `model`, and `manifest` for its notation.
//!
//! ```text
//! convert    import and export in any format
//! format     the formats, and the kinds of annotations that each holds
//! account    result of every reader: inputs, and what was left out, by stable code
//! source     the files of an import                   options  choices of an import
//! builder    pictures and objects -> inputs           error    why nothing can be imported
//! parallel   many files or objects read at once
//! place      pixels -> fractions                      input_id ids of inputs, made from names of images
//! pieces     several annotations of one object        bitmap   pixels <-> masks
//! json       values of JSON files
//! xml        elements of XML files                     metadata texts -> values of metadata
//! turned     turned boxes, ellipses -> rings           writer   what every export shares
//! split      parts of an export, such as train and val
//! coco, …    one reader or writer each
//! ```

mod account;
mod bitmap;
mod builder;
#[cfg(test)]
mod checks;
mod coco;
mod conll;
mod convert;
mod cvat;
mod error;
mod format;
mod input_id;
mod json;
mod jsonl;
mod label_me;
mod label_studio;
mod metadata;
mod open_images;
mod options;
mod parallel;
mod pieces;
mod place;
mod source;
mod split;
#[cfg(test)]
mod there_and_back;
mod turned;
mod voc;
mod writer;
mod xml;
mod yolo;

pub use account::{
    ConversionNote, ImageInfo, Imported, ImportedInput, Media, Note, SkipCode, Skipped,
};
pub use convert::{export, import, recognise};
pub use error::ImportError;
pub use format::{Format, matrix};
pub use input_id::{Collision, ImageName, InputIdFrom};
pub use options::{ConceptNames, Corners, Frames, ImportOptions, MultiRing, Overhang, Scores};
pub use source::{Memory, Source, is_image};
pub use split::Shares;
pub use writer::{ExportAnnotation, ExportInput, Exported};
