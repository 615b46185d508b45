//! `import` and `export` of every format, through the binary.

mod coco;
mod cvat;
mod voc;
