//! `import` and `export` of every format, through the binary.

mod coco;
mod jsonl;
mod label_me;
mod label_studio;
