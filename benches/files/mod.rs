//! What the steps read: manifests, a listing, the bodies of posts, and servers of the same annotations.

use super::canned::{self, Canned, Stored, Wire};
use super::generated::{self, Change, HEADER, PER_INPUT, boxes, json_lines, listing, yaml};
use std::path::PathBuf;
use std::process::Command;

/// Inputs in each of the YAML files.
const INPUTS_PER_FILE: usize = 50;
/// Annotations in a call that writes.
pub(crate) const PER_CALL: usize = 128;

/// Generated files, and the number of annotations that they declare.
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    pub(crate) size: usize,
}

impl Files {
    pub(crate) fn at(folder: impl Into<PathBuf>, size: &str) -> Self {
        Self {
            folder: folder.into(),
            size: size.parse().expect("ANNOSYNC_BENCH holds numbers"),
        }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// A twentieth more than is declared, on inputs that are not.
    pub(crate) fn stored(&self) -> usize {
        self.size + self.size / 20
    }

    pub(crate) fn inputs(&self) -> usize {
        self.size.div_ceil(PER_INPUT)
    }

    pub(crate) fn server_of_all(&self) -> Canned {
        let boxes = boxes(self.stored(), PER_INPUT, 0.1, Change::None);
        let stored = Stored::of(
            boxes
                .iter()
                .enumerate()
                .map(|(at, it)| generated::stored(at, it)),
        );
        Canned::start(stored, Wire::default())
    }

    /// The server of an app that has all inputs, and nothing on them.
    pub(crate) fn server_of_inputs(&self) -> Canned {
        let stored = Stored::of((0..self.inputs()).map(generated::of_input));
        Canned::start(stored, Wire::default())
    }

    /// The program with this command, and no limit that is reached.
    pub(crate) fn program(&self, command: &str, server: &Canned) -> Command {
        let mut program = canned::program(command, server, 1_000_000);
        program.arg(self.path("lines"));
        program
    }

    /// This program as the floor of this kind.
    pub(crate) fn floor(&self, kind: &str, server: &Canned) -> Command {
        let mut command = super::this_program();
        command.args(["floor", kind, &server.url]).arg(&self.folder);
        command
    }

    /// Writes all files.
    pub(crate) fn write(&self) {
        let write = |path: &str, text: &str| {
            let path = self.path(path);
            std::fs::create_dir_all(path.parent().expect("it has a folder"))
                .expect("the folder can be made");
            std::fs::write(path, text).expect("the file can be written");
        };
        let declared = boxes(self.size, PER_INPUT, 0.1, Change::Some);
        write(
            "listing.json",
            &listing(&boxes(self.stored(), PER_INPUT, 0.1, Change::None)),
        );
        let bodies = declared.chunks(PER_CALL).map(generated::post);
        write("posts.jsonl", &bodies.collect::<String>());
        let target = "targets: { local: { embedded: store/local.db } }\ntarget: local\n";
        let images = json_lines(&declared).replace(
            r#","annotations""#,
            r#","image":{"url":"https://example.com/a.jpg"},"annotations""#,
        );
        write(
            "lines/annosync.yaml",
            &format!("{HEADER}{target}guards: {{ max_updates: 100%, max_deletes: 100% }}\n"),
        );
        write("lines/labels.jsonl", &images);
        write("yaml/annosync.yaml", HEADER);
        for (at, part) in declared.chunks(INPUTS_PER_FILE * PER_INPUT).enumerate() {
            let text = yaml(part);
            let inputs = text
                .strip_prefix(HEADER)
                .expect("it begins with the header");
            write(&format!("yaml/labels/{at:05}.yaml"), inputs);
        }
    }

    /// The texts of the YAML files.
    pub(crate) fn yaml(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.path("yaml/labels")).expect("it was written");
        files
            .map(|file| super::text(&file.expect("it was written").path()))
            .collect()
    }
}
