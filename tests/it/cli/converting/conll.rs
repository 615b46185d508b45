//! CoNLL.

use super::super::World;
use super::keeps_keys_and_comments;

#[test]
fn an_import_over_the_manifest_keeps_keys_ids_and_comments() {
    let world = World::new();
    let text = "-DOCSTART- (a)\nAda B-PER\nLovelace I-PER\nmet O\nMarie B-PER\n";
    world.write("set/ner.conll", text);
    let changed = text.replace("Marie B-PER", "Marie B-NAME");
    let next = ("set/ner.conll", changed.as_str());
    keeps_keys_and_comments(&world, "labels/a.yaml", "span", next);
}
