//! `import` and `export` of every format, through the binary.

mod coco;
