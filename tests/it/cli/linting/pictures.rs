//! What is compared with the pictures, and sizes in pixels.

use super::{a_box, declare, findings, rules};
use crate::cli::World;
use crate::support::png;
use serde_json::Value;
use std::fs;

/// A JPEG of this size with an EXIF orientation, without pixels.
fn jpeg([width, height]: [u16; 2], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut file = vec![0xff, 0xd8, 0xff, 0xe1];
    file.extend((exif.len() as u16 + 2).to_be_bytes());
    file.extend(exif);
    file.extend([0xff, 0xc0, 0, 11, 8]);
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.extend([1, 1, 0x11, 0, 0xff, 0xd9]);
    file
}

#[test]
fn pictures_are_compared_with_what_is_declared() {
    let world = World::new();
    fs::write(world.path().join("a.png"), png(4, &[0; 8])).unwrap();
    fs::write(world.path().join("turned.jpg"), jpeg([40, 30], 6)).unwrap();
    fs::write(world.path().join("upright.jpg"), jpeg([40, 30], 1)).unwrap();
    let rules_of = |images: &[&str]| {
        let inputs = images.iter().enumerate().map(|(at, image)| {
            format!("  - id: in-{at}\n    image: {{ {image} }}\n    annotations:\n      - concepts: [car]\n")
        });
        declare(&world, "", &inputs.collect::<String>());
        let found = findings(&world);
        let of = |it: &Value| format!("{} {}", it["rule"].as_str().unwrap(), it["line"]);
        found.iter().map(of).collect::<Vec<_>>()
    };
    let none: [&str; 0] = [];
    assert_eq!(rules_of(&["path: a.png, width: 4, height: 2"]), none);
    assert_eq!(rules_of(&["path: a.png"]), none);
    assert_eq!(
        rules_of(&["path: upright.jpg, width: 40, height: 30"]),
        none
    );
    assert_eq!(
        rules_of(&["path: a.png, width: 4, height: 3"]),
        ["picture-size 7"]
    );
    // As stored, or as displayed: neither is another size.
    for size in ["width: 40, height: 30", "width: 30, height: 40"] {
        assert_eq!(
            rules_of(&[&format!("path: turned.jpg, {size}")]),
            ["picture-turned 7"]
        );
    }
    let both = rules_of(&["path: turned.jpg, width: 30, height: 30"]);
    assert_eq!(both, ["picture-size 7", "picture-turned 7"]);
    assert_eq!(
        rules_of(&["path: gone.png", "path: a.png"]),
        ["picture-missing 7"]
    );
    // A repository without its pictures is not a mistake.
    assert_eq!(rules_of(&["path: gone.png", "path: gone-too.png"]), none);
    // What leads out of the folder is not opened.
    let outside = rules_of(&["path: ../x.png", "path: a.png"]);
    assert_eq!(outside, ["picture-missing 7"]);
}

#[test]
fn sizes_in_pixels_decide_where_they_are_known() {
    let world = World::new();
    let with_size = |size: &str, edges: [f64; 4]| {
        let annotation = a_box(edges, "concepts: [car]");
        declare(
            &world,
            "",
            &format!(
                "  - id: a\n    image: {{ {size} }}\n    annotations:\n      - {annotation}\n"
            ),
        );
        rules(&world)
    };
    let small = [0.1, 0.1, 0.1015, 0.1015];
    assert!(with_size("width: 1000, height: 1000", small).contains("tiny"));
    assert!(!with_size("width: 4000, height: 4000", small).contains("tiny"));
    // 200 x 20 pixels of a wide image, and 20 x 200 of a square one.
    let wide = [0.1, 0.1, 0.9, 0.13];
    assert!(with_size("width: 1000, height: 1000", wide).contains("extreme-aspect"));
    assert!(!with_size("width: 4000, height: 1000", wide).contains("extreme-aspect"));
}
