//! Pictures of a review: where they are found, limits, files that are not pictures, and contact sheets.

use super::{Run, World, command, header, proxy, skipped};
use annosync::emulator::Config;
use axum::http::{StatusCode, header as field};
use axum::response::{IntoResponse as _, Response};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A color that nothing on a sheet has but the pictures of these tests.
const PINK: [u8; 3] = [255, 0, 200];

fn picture(format: ImageFormat) -> Vec<u8> {
    encoded(&RgbImage::from_pixel(160, 120, Rgb(PINK)).into(), format)
}

fn encoded(pixels: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// How many pixels of a sheet have nearly the color of the pictures.
fn pink(sheet: &Path) -> usize {
    let bytes = fs::read(sheet).unwrap();
    let pixels = image::load_from_memory(&bytes).unwrap().into_rgb8();
    let is_pink = |pixel: &&Rgb<u8>| pixel.0.iter().zip(PINK).all(|(a, b)| a.abs_diff(b) < 12);
    pixels.pixels().filter(is_pink).count()
}

/// A line of a manifest: an input with an image and a box of this concept.
fn input(id: &str, image: &str, concept: &str) -> String {
    format!(
        "  - id: {id}\n    image: {image}\n    annotations:\n      - key: k\n        \
         box: {{ top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }}\n        concepts: [{concept}]\n"
    )
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

const SHEETS: [&str; 2] = ["--also", "images=sheets"];

/// The names of the files in the folder of sheets.
fn sheets(world: &World) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(world.path().join("sheets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn sheets_show_pictures_of_the_manifest_and_markdown_names_them() {
    let world = World::new();
    write(world.path(), "images/a.png", &picture(ImageFormat::Png));
    world.declare(&input("in-a", "{ path: images/a.png }", "car"));
    let also = ["--also", "images=sheets", "--also", "markdown=plan.md"];
    world.plan(&also).exits(0);
    assert_eq!(sheets(&world), ["sheet-001.png"]);
    let sheet = world.path().join("sheets/sheet-001.png");
    assert!(pink(&sheet) > 20_000, "{}", pink(&sheet));
    let markdown = world.read("plan.md");
    for text in [
        "1 change on 1 contact sheet.",
        "[sheet-001.png](<sheets/sheet-001.png>): change 1",
        "| 1 | `in-a` | `+ post box [car] k",
    ] {
        assert!(markdown.contains(text), "{text}: {markdown}");
    }
    assert!(!world.plan(&also).stderr.contains("different proportions"));
    let wide = "{ path: images/a.png, width: 900, height: 100 }";
    world.declare(&input("in-a", wide, "car"));
    world
        .plan(&also)
        .says("note: the picture has different proportions than the labels say, and may be the wrong one, in 1 input (in-a)");
    world.declare(&input("in-a", "{ path: images/a.png }", "car"));
    let first = fs::read(&sheet).unwrap();
    let url = ["--sheets-url", "https://example.com/pull-1"];
    world.plan(&[&also[..], &url].concat()).exits(0);
    assert_eq!(
        fs::read(&sheet).unwrap(),
        first,
        "the same bytes every time"
    );
    let markdown = world.read("plan.md");
    let shown = "![sheet-001.png: change 1](<https://example.com/pull-1/sheet-001.png>)";
    assert!(markdown.contains(shown), "{markdown}");
    // The plan file does not say where pictures are.
    world.plan(&["--out", "plan.json"]).exits(0);
    let show = ["show", "plan.json", "--also", "images=sheets"];
    world.run(&show).exits(0).says(
        "note: no picture was found for 1 input (in-a); --pictures DIR names a folder of pictures",
    );
    assert_eq!(pink(&sheet), 0);
    write(
        world.path(),
        "other/deep/in-a.jpg",
        &picture(ImageFormat::Jpeg),
    );
    let run = world.run(&[&show[..], &["--pictures", "other"]].concat());
    assert!(!run.exits(0).stderr.contains("no picture"));
    assert!(pink(&sheet) > 20_000);
    world
        .run(&[&show[..], &["--pictures", "nowhere"]].concat())
        .exits(64)
        .says("there is no such folder");
}

#[test]
fn sheets_of_an_earlier_run_are_replaced_and_other_files_kept() {
    let world = World::new();
    let inputs = |count: usize| -> String {
        let ids = (0..count).map(|n| format!("in-{n:02}"));
        ids.map(|id| input(&id, "{}", "car")).collect()
    };
    world.declare(&inputs(25));
    world.plan(&SHEETS).exits(0);
    let all = ["sheet-001.png", "sheet-002.png", "sheet-003.png"];
    assert_eq!(sheets(&world), all);
    world
        .plan(&[&SHEETS[..], &["--max-sheets", "2"]].concat())
        .exits(0)
        .says("note: 1 change not drawn: the limit is 2 sheets (--max-sheets)");
    assert_eq!(sheets(&world), all[..2]);
    for name in ["sheet-1.png", "sheet-100.jpg", "notes.txt"] {
        world.write(&format!("sheets/{name}"), "mine");
    }
    world.apply(&[]).exits(0);
    world.plan(&SHEETS).exits(0).says("No changes.");
    assert_eq!(
        sheets(&world),
        ["notes.txt", "sheet-1.png", "sheet-100.jpg"]
    );
    // A file of somebody else with the name of a sheet.
    world.write("sheets/sheet-007.png", "mine");
    world
        .plan(&[&SHEETS[..], &["--out", "plan.json"]].concat())
        .exits(1)
        .says("sheet-007.png exists and is not a contact sheet of annosync; nothing was written");
    assert_eq!(world.read("sheets/sheet-007.png"), "mine");
    assert!(!world.path().join("plan.json").exists());
    world.write("file", "");
    for (images, code, why) in [
        (
            "images=file",
            1,
            "file is not a folder; nothing was written",
        ),
        ("images=no/sheets", 1, "there is no folder"),
        ("images=", 64, "the file has no name"),
    ] {
        world.plan(&["--also", images]).exits(code).says(why);
    }
    let twice = ["--also", "images=one", "--also", "images=two"];
    world.plan(&twice).exits(64).says("is given more than once");
}

#[test]
fn limits_of_pictures_are_said() {
    let world = World::new();
    let mut inputs = String::new();
    for id in ["in-a", "in-b", "in-c"] {
        write(
            world.path(),
            &format!("{id}.png"),
            &picture(ImageFormat::Png),
        );
        inputs.push_str(&input(id, &format!("{{ path: {id}.png }}"), "car"));
    }
    world.declare(&inputs);
    let plan = |more: &[&str]| {
        let run = world.plan(&[&SHEETS[..], more].concat()).exits(0);
        (run, pink(&world.path().join("sheets/sheet-001.png")))
    };
    let (run, all) = plan(&[]);
    assert!(!run.stderr.contains("note"), "{}", run.stderr);
    let (run, one) = plan(&["--max-pictures", "1"]);
    run.says("note: 2 pictures not read: the limit is 1 (--max-pictures)");
    assert_eq!(one, all / 3);
    let (run, none) = plan(&["--max-picture-bytes", "10"]);
    run.says("note: 3 pictures not shown: the limit is 10 bytes (--max-picture-bytes)");
    assert_eq!(none, 0);
    let (run, none) = plan(&["--images", "none"]);
    assert!(!run.stderr.contains("note"), "{}", run.stderr);
    assert_eq!(none, 0);
}

/// Names of files, their bytes, and what the note says.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (jpeg, png) = (picture(ImageFormat::Jpeg), picture(ImageFormat::Png));
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let mut checksum = flate(&bomb[12..29]);
    bomb.splice(29..33, checksum.drain(..));
    let mut wide_gif = b"GIF89a".to_vec();
    wide_gif.extend([0xff; 4]);
    wide_gif.extend([0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x3b]);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    vec![
        (
            "cut.jpg",
            jpeg[..jpeg.len() - 40].to_vec(),
            "its end is missing",
        ),
        (
            "cut.png",
            png[..png.len() / 2].to_vec(),
            "it cannot be decoded",
        ),
        ("bomb.png", bomb, "it has 100000 x 100000 pixels"),
        (
            "svg.jpg",
            svg.to_vec(),
            "it is not a JPEG, PNG, WebP, BMP, GIF or TIFF file",
        ),
        ("wide.gif", wide_gif, "it"),
        ("empty.jpg", Vec::new(), "the file is empty"),
        (
            "lfs.jpg",
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            "it is a Git LFS pointer",
        ),
        (
            "noise.webp",
            b"RIFF\x20\0\0\0WEBPVP8L".to_vec(),
            "it cannot be decoded",
        ),
        (
            "noise.tif",
            b"II*\0\xff\xff\xff\xff".to_vec(),
            "it cannot be decoded",
        ),
        (
            "noise.bmp",
            b"BM\xff\xff\xff\xff\0\0\0\0\x36\0\0\0(\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f".to_vec(),
            "it cannot be decoded",
        ),
    ]
}

/// The checksum of a PNG chunk.
fn flate(bytes: &[u8]) -> Vec<u8> {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    (!crc).to_be_bytes().to_vec()
}

#[test]
fn hostile_files_are_notes_and_no_failure() {
    for (name, bytes, why) in hostile() {
        let world = World::new();
        write(world.path(), name, &bytes);
        world.declare(&input("in-a", &format!("{{ path: {name} }}"), "car"));
        let run = world.plan(&SHEETS).exits(0);
        let note = format!("note: the picture of input `in-a` is not shown: {why}");
        assert!(run.stderr.contains(&note), "{name}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
        assert_eq!(pink(&world.path().join("sheets/sheet-001.png")), 0);
    }
}

#[test]
fn unusual_pictures_are_shown() {
    // A wrong extension, an animation, and a block of EXIF without sense.
    let mut odd = picture(ImageFormat::Jpeg);
    let block = b"\xff\xe1\0\x12Exif\0\0II*\0\xff\xff\xff\xff\x12\x34";
    odd.splice(2..2, block.iter().copied());
    let mut frames = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut frames);
        let pixels = DynamicImage::from(RgbImage::from_pixel(160, 120, Rgb(PINK))).into_rgba8();
        for _ in 0..50 {
            encoder
                .encode_frame(image::Frame::new(pixels.clone()))
                .unwrap();
        }
    }
    for (name, bytes) in [
        ("png.jpg", picture(ImageFormat::Png)),
        ("odd.jpg", odd),
        ("frames.gif", frames),
    ] {
        let world = World::new();
        write(world.path(), name, &bytes);
        world.declare(&input("in-a", &format!("{{ path: {name} }}"), "car"));
        let run = world.plan(&SHEETS).exits(0);
        assert!(!run.stderr.contains("note"), "{name}: {}", run.stderr);
        assert!(
            pink(&world.path().join("sheets/sheet-001.png")) > 20_000,
            "{name}"
        );
    }
}

#[test]
fn folders_and_files_elsewhere_are_not_read() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    write(elsewhere.path(), "a.png", &picture(ImageFormat::Png));
    fs::create_dir(world.path().join("folder.png")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(
        elsewhere.path().join("a.png"),
        world.path().join("link.png"),
    )
    .unwrap();
    for (name, why, outside) in [
        ("folder.png", "is a folder, not a file", 0),
        ("gone.png", "does not exist", 0),
        #[cfg(unix)]
        (
            "link.png",
            "is a link that leads out of the manifest's folder",
            1,
        ),
    ] {
        world.declare(&input("in-a", &format!("{{ path: {name} }}"), "car"));
        let run = world.plan(&SHEETS).exits(0);
        let note = "note: the picture of input `in-a` is not shown: ";
        let is_said = run.stderr.contains(note) && run.stderr.contains(why);
        assert!(is_said, "{name}: {}", run.stderr);
        let sheet = world.path().join("sheets/sheet-001.png");
        assert_eq!(pink(&sheet), 0, "{name}");
        world
            .plan(&[&SHEETS[..], &["--allow-outside-files"]].concat())
            .exits(0);
        assert_eq!(usize::from(pink(&sheet) > 0), outside, "{name}");
    }
}

/// A server with pictures, and the heads of its requests.
fn pictures_server(world: &World) -> (String, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heads);
    let url = world.block_on(proxy::answering(move |request| {
        let head = format!("{} {:?}", request.uri(), request.headers());
        log.lock().unwrap().push(head);
        let moved = |to: &str| -> Response {
            (StatusCode::FOUND, [(field::LOCATION, to.to_owned())]).into_response()
        };
        match request.uri().path() {
            "/a.png" => picture(ImageFormat::Png).into_response(),
            "/moved.png" => moved("/a.png"),
            "/file.png" => moved("file:///etc/hostname"),
            "/ftp.png" => moved("ftp://127.0.0.1/a.png"),
            "/round.png" => moved("/round.png"),
            "/inside.png" => moved("http://10.0.0.1/a.png"),
            "/private.png" => StatusCode::FORBIDDEN.into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }));
    (url, heads)
}

#[test]
fn pictures_are_fetched_when_asked_and_without_the_token() {
    let world = World::with(Config {
        require_inputs: true,
        ..Config::default()
    });
    let (server, heads) = pictures_server(&world);
    let create = [&SHEETS[..], &["--create-inputs"]].concat();
    let fetch = [&create[..], &["--fetch-images"]].concat();
    let sheet = world.path().join("sheets/sheet-001.png");
    // The URL of the manifest.
    world.declare(&input(
        "in-a",
        &format!("{{ url: \"{server}/a.png\" }}"),
        "car",
    ));
    world.plan(&create).exits(0).says(
        "note: only URLs are known for the pictures of 1 input (in-a); --fetch-images fetches them",
    );
    assert_eq!((pink(&sheet), heads.lock().unwrap().len()), (0, 0));
    world.plan(&fetch).exits(0);
    assert!(pink(&sheet) > 20_000);
    // The URL of the app's input.
    world.apply(&["--create-inputs"]).exits(0);
    world.declare(&input("in-a", "{}", "truck"));
    world
        .plan(&SHEETS)
        .exits(0)
        .says("no picture was found for 1 input");
    world.plan(&fetch).exits(0);
    assert!(pink(&sheet) > 20_000);
    assert_eq!(heads.lock().unwrap().len(), 2);
    // Redirects, and what cannot be fetched.
    for (path, why) in [
        ("moved.png", None),
        (
            "file.png",
            Some("redirects to something that is not http or https"),
        ),
        ("ftp.png", Some("a redirect leads to ftp")),
        (
            "inside.png",
            Some("10.0.0.1 is a private address: pictures are fetched from public addresses"),
        ),
        ("round.png", Some("too many redirects")),
        ("private.png", Some("no token is sent to hosts of pictures")),
        ("gone.png", Some("answered with HTTP 404")),
    ] {
        world.declare(&input(
            "in-a",
            &format!("{{ url: \"{server}/{path}\" }}"),
            "truck",
        ));
        let run = world.plan(&fetch).exits(0);
        let is_shown = pink(&sheet) > 20_000;
        assert_eq!(is_shown, why.is_none(), "{path}: {}", run.stderr);
        run.says(why.unwrap_or(""));
    }
    for head in heads.lock().unwrap().iter() {
        let head = head.to_lowercase();
        assert!(
            !head.contains("authorization") && !head.contains("owner-key"),
            "{head}"
        );
        assert!(!head.contains("referer"), "{head}");
    }
    world.declare(&input(
        "in-a",
        "{ url: \"https://127.0.0.1:1/a.png\" }",
        "truck",
    ));
    world
        .plan(&fetch)
        .exits(0)
        .says("it cannot be fetched from 127.0.0.1");
}

#[test]
fn pictures_of_private_networks_are_not_fetched_without_an_endpoint_there() {
    let world = World::new();
    let (server, heads) = pictures_server(&world);
    let port = server.rsplit(':').next().unwrap();
    for (host, why) in [
        ("127.0.0.1", "127.0.0.1 is a loopback address"),
        ("localhost", "localhost is at "),
        ("169.254.169.254", "169.254.169.254 is a link-local address"),
    ] {
        let image = format!("{{ url: \"http://{host}:{port}/a.png\" }}");
        for (side, concept) in [("old", "car"), ("new", "bus")] {
            let manifest = format!("{}inputs:\n{}", header(), input("in-a", &image, concept));
            write(
                world.path(),
                &format!("{side}/annosync.yaml"),
                manifest.as_bytes(),
            );
        }
        // A diff has no endpoint.
        let run = diff(world.path(), &["old", "new", "--fetch-images"]).exits(2);
        assert!(run.stderr.contains(why), "{host}: {}", run.stderr);
        assert!(
            run.stderr
                .contains("pictures are fetched from public addresses"),
            "{}",
            run.stderr
        );
    }
    assert!(heads.lock().unwrap().is_empty());
}

#[test]
fn a_page_and_sheets_of_one_run_read_a_picture_once() {
    let world = World::new();
    let (server, heads) = pictures_server(&world);
    let url = format!("{{ url: \"{server}/a.png\" }}");
    world.declare(&input("in-a", &url, "car"));
    let also = ["--fetch-images", "--also", "html=page.html"];
    world.plan(&[&SHEETS[..], &also].concat()).exits(0);
    assert_eq!(heads.lock().unwrap().len(), 1);
    assert!(pink(&world.path().join("sheets/sheet-001.png")) > 20_000);
    assert!(
        world
            .read("page.html")
            .contains("href=\"data:image/jpeg;base64,")
    );
    // A page with links has no pixels for the sheets.
    let links = [&SHEETS[..], &also, &["--images", "link"]].concat();
    world.plan(&links).exits(0);
    assert_eq!(heads.lock().unwrap().len(), 2);
    assert!(
        world
            .read("page.html")
            .contains(&format!("href=\"{server}/a.png\""))
    );
}

#[test]
fn what_is_missing_is_said_of_pictures_only() {
    let world = World::new();
    let label = "key: k\n        concepts: [car]\n";
    world.declare(&format!(
        "{}  - id: talk\n    annotations:\n      - segment: {{ begin: 1, end: 2.5 }}\n        {label}\
         {}  - id: words\n    annotations:\n      - span: {{ start: 1, end: 2 }}\n        {label}",
        input("in-a", "{}", "car"),
        "  - id: film\n    annotations:\n      - frame: { time_ms: 1500, number: 45 }\n        \
         box: { top: 0.1, left: 0.2, bottom: 0.5, right: 0.6 }\n        key: k\n        concepts: [car]\n",
    ));
    let note = "no picture was found for 1 input (in-a)";
    let page = ["--also", "html=page.html", "--out", "plan.json"];
    world
        .plan(&[&SHEETS[..], &page].concat())
        .exits(0)
        .says(note);
    let page = world.read("page.html");
    assert_eq!(
        page.matches("<p class=\"more\">no picture was found.</p>")
            .count(),
        1
    );
    // A plan file does not even say which inputs are texts.
    let unknown =
        "a plan file knows neither the labels that do not change, nor the proportions of pictures";
    let show = ["show", "plan.json", "--also", "html=page.html"];
    let run = world.run(&[&show[..], &SHEETS].concat()).exits(0);
    assert!(
        run.stderr.contains(note) && run.stderr.contains(unknown),
        "{}",
        run.stderr
    );
    assert!(world.read("page.html").contains(unknown));
}

#[test]
fn nothing_is_written_into_git_and_no_picture_is_looked_for_there() {
    let world = World::new();
    fs::create_dir_all(world.path().join(".git/inner")).unwrap();
    world.declare(&input("in-a", "{}", "car"));
    for arguments in [
        &["--also", "images=.git"][..],
        &["--also", "images=.git/sheets"],
        &["--also", "html=.git/page.html"],
        &["--also", "text=.GIT/inner/a.txt"],
        &["--out", ".git/plan.json"],
    ] {
        let run = world.plan(arguments).exits(64);
        assert!(run.stderr.contains("is in a folder .git"), "{}", run.stderr);
    }
    for folder in [".git", ".git/inner"] {
        world
            .plan(&["--pictures", folder])
            .exits(64)
            .says("it is a folder of git (.git), which has no pictures");
    }
    let left = fs::read_dir(world.path().join(".git")).unwrap().count();
    assert_eq!(left, 1);
}

/// The labels of a picture in Pascal VOC.
fn voc(left: u32) -> String {
    format!(
        "<annotation><filename>a.jpg</filename><size><width>160</width><height>120</height></size>\
         <object><name>car</name><bndbox><xmin>{left}</xmin><ymin>30</ymin><xmax>90</xmax><ymax>80</ymax></bndbox>\
         </object></annotation>"
    )
}

fn diff(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(folder);
    command.arg("diff").args(arguments).args(SHEETS);
    Run::of(command)
}

#[test]
fn a_diff_shows_the_pictures_beside_the_files_of_another_tool() {
    for place in [
        "new/a.jpg",
        "new/images/a.jpg",
        "images/a.jpg",
        "old/JPEGImages/a.jpg",
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "old/a.xml", voc(40).as_bytes());
        write(folder.path(), "new/a.xml", voc(50).as_bytes());
        write(folder.path(), place, &picture(ImageFormat::Jpeg));
        let run = diff(folder.path(), &["voc:old", "voc:new"]).exits(2);
        assert!(
            !run.stderr.contains("no picture"),
            "{place}: {}",
            run.stderr
        );
        let sheet = folder.path().join("sheets/sheet-001.png");
        assert!(pink(&sheet) > 20_000, "{place}");
    }
}

/// A folder with a text and a label on it, old and new.
fn texts() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (side, start) in [("old", 0), ("new", 6)] {
        let manifest = format!(
            "{}inputs:\n  - id: t\n    text: {{ raw: \"Alice and Bob went to Berlin.\" }}\n    annotations:\n      \
             - key: k\n        span: {{ start: {start}, end: {} }}\n        concepts: [person]\n",
            header(),
            start + 3
        );
        write(
            folder.path(),
            &format!("{side}/annosync.yaml"),
            manifest.as_bytes(),
        );
    }
    folder
}

#[test]
fn a_text_is_shown_with_its_spans() {
    let folder = texts();
    let run = diff(folder.path(), &["old", "new"]).exits(2);
    assert!(!run.stderr.contains("note"), "{}", run.stderr);
    let sheet = fs::read(folder.path().join("sheets/sheet-001.png")).unwrap();
    let pixels = image::load_from_memory(&sheet).unwrap().into_rgb8();
    let count = |color| pixels.pixels().filter(|pixel| pixel.0 == color).count();
    let (before, after) = (count([255, 150, 0]), count([0, 110, 255]));
    assert!(before > 200 && after > 200, "{before} {after}");
}

#[test]
fn the_pictures_of_bccd_are_shown() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/bccd");
    if !data.is_dir() {
        skipped(&format!("no BCCD data in {}", data.display()));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let side = |name: &str| format!("voc:{}", data.join(name).display());
    let chosen = ["--input", "BloodImage_0000[0-3]", "--format", "markdown"];
    let run = diff(
        folder.path(),
        &[&[&*side("v1"), &side("v2")], &chosen[..]].concat(),
    );
    let run = run.exits(2);
    assert!(!run.stderr.contains("no picture"), "{}", run.stderr);
    let sheet = fs::read(folder.path().join("sheets/sheet-001.png")).unwrap();
    let pixels = image::load_from_memory(&sheet).unwrap().into_rgb8();
    let white = pixels.pixels().filter(|pixel| pixel.0 == [255; 3]).count();
    let all = (pixels.width() * pixels.height()) as usize;
    assert!(white < all / 2, "{white} of {all} pixels are white");
    assert!(
        run.stdout
            .contains("[sheet-001.png](<sheets/sheet-001.png>): changes 1 to 12")
    );
}
