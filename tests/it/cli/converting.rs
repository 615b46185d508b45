//! `import` and `export` of every format, through the binary.

mod coco;

#[test]
fn the_readme_has_the_table_of_formats() {
    let table = annosync::formats::matrix();
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table), "README.md lacks\n{table}");
}
