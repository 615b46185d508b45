//! The `meta` of a CVAT file: its labels, and its tasks.

use crate::formats::account::Note;
use crate::formats::builder::Builder;
use crate::formats::xml::{self, Element};
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(super) struct Meta {
    /// The kinds of the attributes of each label.
    attributes: HashMap<(String, String), Kind>,
    /// The names of the points of each skeleton, in their order.
    points: BTreeMap<String, Vec<String>>,
    pub(super) tasks: Vec<Task>,
    /// Whether the file is of a video.
    pub(super) is_video: bool,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Checkbox,
    Number,
    Text,
}

/// A task, or a job of one.
#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) id: Option<String>,
    /// The file of the video.
    pub(super) source: Option<String>,
    pub(super) size: Option<(u32, u32)>,
    /// Frames from one of the task to the next; 0 if not known.
    pub(super) step: u32,
}

impl Meta {
    pub(super) fn read(element: Element<'_>, builder: &mut Builder<'_>) -> Self {
        let mut meta = Self::default();
        let mut mode = None;
        for part in element.children() {
            if let Some(labels) = part.child("labels") {
                meta.labels(labels, builder);
            }
            match part.name() {
                "task" | "job" => {
                    mode = mode.or(part.text_of("mode"));
                    meta.tasks.push(task(part));
                }
                "project" => {
                    for each in part
                        .child("tasks")
                        .iter()
                        .flat_map(|tasks| tasks.all("task"))
                    {
                        mode = mode.or(each.text_of("mode"));
                        meta.tasks.push(task(each));
                    }
                }
                _ => {}
            }
        }
        for skeleton in meta.points.keys() {
            builder.note(Note::KeypointNamesLeftOut, format!("label {skeleton:?}"));
        }
        // Older files have these beside the task.
        if let [task] = &mut meta.tasks[..] {
            task.source = task.source.take().or_else(|| source(element));
            task.size = task.size.or_else(|| size(element));
        }
        meta.is_video = mode == Some("interpolation");
        meta
    }

    fn labels(&mut self, labels: Element<'_>, builder: &mut Builder<'_>) {
        for label in labels.all("label") {
            let Some(name) = label.text_of("name") else {
                continue;
            };
            if let Some(parent) = label.text_of("parent") {
                self.points
                    .entry(parent.to_owned())
                    .or_default()
                    .push(name.to_owned());
            } else {
                builder.category(name, &format!("label {name:?}"));
            }
            let attributes = label.child("attributes");
            for attribute in attributes.iter().flat_map(|all| all.all("attribute")) {
                let kind = match attribute.text_of("input_type") {
                    Some("checkbox") => Kind::Checkbox,
                    Some("number") => Kind::Number,
                    _ => Kind::Text,
                };
                if let Some(attribute) = attribute.text_of("name") {
                    let key = (name.to_owned(), attribute.to_owned());
                    self.attributes.insert(key, kind);
                }
            }
        }
    }

    pub(super) fn kind(&self, label: &str, attribute: &str) -> Kind {
        let key = (label.to_owned(), attribute.to_owned());
        self.attributes.get(&key).copied().unwrap_or(Kind::Text)
    }

    /// The names of the points of a skeleton. Those that the file does not list come in the order in which they are
    /// found, so that a point has the same place in all skeletons of a label.
    pub(super) fn points(&mut self, skeleton: &str) -> &mut Vec<String> {
        self.points.entry(skeleton.to_owned()).or_default()
    }
}

fn task(element: Element<'_>) -> Task {
    let step = element
        .text_of("frame_filter")
        .and_then(|filter| filter.split('=').nth(1)?.trim().parse().ok());
    Task {
        id: element.text_of("id").map(str::to_owned),
        source: source(element),
        size: size(element),
        step: step.unwrap_or_default(),
    }
}

fn source(element: Element<'_>) -> Option<String> {
    element.text_of("source").map(str::to_owned)
}

fn size(element: Element<'_>) -> Option<(u32, u32)> {
    let size = element.child("original_size")?;
    let length = |name: &str| xml::length(size.text_of(name)?);
    length("width").zip(length("height"))
}
