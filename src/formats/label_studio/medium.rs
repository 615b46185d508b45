//! What a task is about: its picture, video or text. The key of it in `data` is free.
//!
//! A task may show several, each by a tag. Its results name the tag, and an export does not say which key of `data` the
//! tag shows: that is known if the key has the name of the tag, or if only one value fits.

use super::task::{Item, Task};
use crate::formats::account::{Media, SkipCode};
use crate::formats::place::skip;
use crate::formats::source::{IMAGES, Source, has_extension, join};
use crate::model::hex;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const VIDEOS: [&str; 9] = [
    "mp4", "webm", "mov", "avi", "mkv", "m4v", "ogv", "mpg", "mpeg",
];

#[derive(Debug)]
pub(super) struct Medium {
    /// Its path or URL; of a text, a name that is made for it.
    pub(super) file_name: Option<String>,
    /// In pixels.
    pub(super) size: Option<(u32, u32)>,
    pub(super) media: Media,
    /// The byte offsets of the characters of a text, and of its end.
    starts: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Image,
    Video,
    Text,
}

impl Medium {
    pub(super) fn of(task: &Task, source: &dyn Source) -> Self {
        let strings = strings(&task.data);
        let about = about(items(task));
        let found = match about {
            Some(About::Text) => None,
            Some(About::Image) => file(&strings, &IMAGES, &["image", "img"]),
            Some(About::Video) => file(&strings, &VIDEOS, &["video"]),
            None => {
                let has_text = strings.iter().any(|(key, _)| *key == "text");
                named(&strings, &IMAGES, &["image", "img"])
                    .or_else(|| named(&strings, &VIDEOS, &["video"]))
                    .or_else(|| file(&strings, &[], &[]).filter(|_| !has_text))
            }
        };
        if let Some(found) = found {
            let is_video = about == Some(About::Video)
                || about.is_none() && named(&strings, &VIDEOS, &["video"]) == Some(found);
            let file_name = local_path(found);
            let size = (task.works.iter())
                .flat_map(|work| work.results.iter().flatten())
                .find_map(|item| item.size)
                .or_else(|| source.image_size(&join("", &file_name)?));
            return Self {
                file_name: Some(file_name),
                size,
                media: if is_video { Media::Video } else { Media::Image },
                starts: Vec::new(),
            };
        }
        let is_file = about.is_some_and(|it| it != About::Text);
        let Some((_, text)) = text(&strings).filter(|_| !is_file) else {
            return Self {
                file_name: None,
                size: None,
                media: Media::Image,
                starts: Vec::new(),
            };
        };
        let name = task.id.clone().unwrap_or_else(|| {
            let hash = Sha256::digest(text.as_bytes());
            hex(&hash[..5])
        });
        let name = match &task.text_key {
            Some(key) => format!("{name}-{key}"),
            None => name,
        };
        let starts = text.char_indices().map(|(at, _)| at);
        Self {
            file_name: task.input.clone().or(Some(format!("task-{name}"))),
            size: None,
            starts: starts.chain([text.len()]).collect(),
            media: Media::Text(text.to_owned()),
        }
    }

    /// The characters of the text in a range of code points.
    pub(super) fn slice(&self, start: usize, end: usize) -> Option<&str> {
        let Media::Text(text) = &self.media else {
            return None;
        };
        text.get(*self.starts.get(start)?..*self.starts.get(end)?)
    }

    /// The code points of a range of UTF-16 units, which other tools count.
    pub(super) fn code_points(&self, range: [usize; 2]) -> Option<[usize; 2]> {
        let Media::Text(text) = &self.media else {
            return None;
        };
        let at = |wanted: usize| {
            let mut units = 0;
            for (index, c) in text.chars().enumerate() {
                if units >= wanted {
                    return (units == wanted).then_some(index);
                }
                units += c.len_utf16();
            }
            (units == wanted).then(|| self.starts.len() - 1)
        };
        Some([at(range[0])?, at(range[1])?])
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.media, Media::Text(_))
    }
}

/// Divides a task by the tags that its results are about. A result about a tag that is not known is left out.
pub(super) fn parts(task: Task) -> Vec<Task> {
    let tags: BTreeSet<&str> = items(&task).filter_map(|item| item.to.as_deref()).collect();
    let known = keys_of_tags(&task, &tags);
    // The only tag, with a name of its own, shows what the task is about.
    if tags.is_empty() || tags.len() == 1 && known.is_empty() {
        return vec![task];
    }
    let strings = strings(&task.data);
    let first_text = text(&strings).map(|(key, _)| key);
    let mut parts: Vec<Task> = (known.iter())
        .map(|(_, key)| Task {
            id: task.id.clone(),
            input: task.input.clone().filter(|_| known.len() == 1),
            text_key: (first_text != Some(*key)).then(|| (*key).to_owned()),
            data: Map::from_iter([((*key).to_owned(), task.data[*key].clone())]),
            ..Task::default()
        })
        .collect();
    if parts.is_empty() {
        parts.push(Task {
            id: task.id.clone(),
            input: task.input.clone(),
            data: task.data.clone(),
            ..Task::default()
        });
    }
    let known: Vec<String> = known.iter().map(|(tag, _)| (*tag).to_owned()).collect();
    for mut work in task.works {
        let mut results: Vec<Vec<_>> = parts.iter().map(|_| Vec::new()).collect();
        for result in std::mem::take(&mut work.results) {
            let tag = result.as_ref().ok().and_then(|item| item.to.as_ref());
            match tag.map(|tag| known.iter().position(|it| it == tag)) {
                Some(Some(at)) => results[at].push(result),
                None => results[0].push(result),
                Some(None) => {
                    let detail = format!(
                        "it is about the tag {:?}, and `data` has no key of that name",
                        tag.map_or("", String::as_str)
                    );
                    results[0].push(Err(skip(SkipCode::UnknownImage, detail)));
                }
            }
        }
        for (part, results) in parts.iter_mut().zip(results) {
            part.works.push(work.with(results));
            // Counted once.
            work.has_relations = false;
        }
    }
    parts[0].has_predictions = task.has_predictions;
    parts[0].has_drafts = task.has_drafts;
    parts
}

/// The keys of `data` that tags show, as far as they are known, in the order of the data.
fn keys_of_tags<'t>(task: &'t Task, tags: &BTreeSet<&'t str>) -> Vec<(&'t str, &'t str)> {
    let strings = strings(&task.data);
    let of_tag = |tag: &str| about(items(task).filter(|item| item.to.as_deref() == Some(tag)));
    let mut known: Vec<(&str, &str)> = (strings.iter())
        .filter(|(key, value)| tags.contains(key) && is_about(value, of_tag(key)))
        .map(|(key, _)| (*key, *key))
        .collect();
    let rest: Vec<(&str, Option<About>)> = (tags.iter())
        .filter(|tag| known.iter().all(|(known, _)| known != *tag))
        .map(|tag| (*tag, of_tag(tag)))
        .collect();
    // If a tag is the only one of its kind, it takes the only free value of that kind.
    if tags.len() > 1 {
        let free: Vec<(&str, &str)> = (strings.iter())
            .filter(|(key, _)| known.iter().all(|(_, known)| known != key))
            .copied()
            .collect();
        for (tag, kind) in &rest {
            let mut of_kind = free.iter().filter(|(_, value)| is_about(value, *kind));
            let is_only = rest.iter().filter(|(_, it)| it == kind).count() == 1;
            if let (Some((key, _)), None, true) =
                (of_kind.next(), of_kind.next(), is_only && kind.is_some())
            {
                known.push((*tag, *key));
            }
        }
    }
    known.sort_by_key(|(_, key)| strings.iter().position(|(it, _)| it == key));
    known
}

/// Whether a value of `data` can be what such results are about.
fn is_about(value: &str, about: Option<About>) -> bool {
    let is_video = has_extension(path_part(value), &VIDEOS);
    let is_file = looks_like_file(value) || has_extension(path_part(value), &IMAGES) || is_video;
    match about {
        Some(About::Image) => is_file && !is_video,
        Some(About::Video) => is_file,
        Some(About::Text) => !is_file,
        None => true,
    }
}

fn strings(data: &Map<String, Value>) -> Vec<(&str, &str)> {
    data.iter()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect()
}

/// The key and the value of the text among these values.
fn text<'t>(strings: &[(&'t str, &'t str)]) -> Option<(&'t str, &'t str)> {
    let named = strings.iter().find(|(key, _)| *key == "text");
    // A path or a URL is the text only if there is nothing else.
    let longest = (strings.iter().rev())
        .max_by_key(|(_, text)| (is_about(text, Some(About::Text)), text.len()));
    named.or(longest).copied()
}

fn items(task: &Task) -> impl Iterator<Item = &Item> {
    (task.works.iter()).flat_map(|work| work.results.iter().flatten())
}

/// What results are about, if it can be known.
fn about<'t>(mut items: impl Iterator<Item = &'t Item>) -> Option<About> {
    items.find_map(|item| {
        let has = |key| item.value.contains_key(key);
        if has("sequence") || has("ranges") {
            Some(About::Video)
        } else if has("start") && has("end") && has("text") {
            Some(About::Text)
        } else if ["x", "points", "rle", "radiusX"].into_iter().any(has) || item.size.is_some() {
            Some(About::Image)
        } else {
            None
        }
    })
}

/// The text of a task that is a file with such an extension, else that has such a key.
fn named<'t>(strings: &[(&str, &'t str)], extensions: &[&str], keys: &[&str]) -> Option<&'t str> {
    let has_key = |key: &str, value: &str| {
        keys.contains(&key) && !value.is_empty() && !value.starts_with("data:")
    };
    (strings.iter())
        .find(|(_, value)| has_extension(path_part(value), extensions))
        .or_else(|| strings.iter().find(|(key, value)| has_key(key, value)))
        .map(|(_, value)| *value)
}

/// [`named`], else any file.
fn file<'t>(strings: &[(&str, &'t str)], extensions: &[&str], keys: &[&str]) -> Option<&'t str> {
    let other = || {
        let mut strings = strings.iter();
        Some(strings.find(|(_, value)| looks_like_file(value))?.1)
    };
    named(strings, extensions, keys).or_else(other)
}

fn looks_like_file(value: &str) -> bool {
    let has_scheme = value.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    (has_scheme || value.starts_with("/data/")) && !value.contains(char::is_whitespace)
}

/// A path or URL without query and fragment, except the file that Label Studio names in a query.
fn path_part(value: &str) -> &str {
    if value.contains(LOCAL_FILES) {
        return value;
    }
    let is_url = value.contains("://");
    let end = value.find(['?', '#']).filter(|_| is_url);
    &value[..end.unwrap_or(value.len())]
}

const LOCAL_FILES: &str = "/data/local-files/?";

/// The path of a file that Label Studio serves itself, relative to its folder of files. Others are unchanged.
fn local_path(value: &str) -> String {
    if let Some((_, query)) = value.split_once(LOCAL_FILES) {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        if let Some((_, path)) = pairs.find(|(key, _)| key == "d") {
            return path.trim_start_matches('/').to_owned();
        }
    }
    let upload = value.find("/data/upload/");
    match upload.filter(|at| *at == 0 || value.contains("://")) {
        Some(at) => value[at + "/data/".len()..].to_owned(),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_label_studio_serves_are_local() {
        for (value, path) in [
            ("/data/local-files/?d=bccd/a%20b.jpg", "bccd/a b.jpg"),
            (
                "http://localhost:8080/data/local-files/?d=x%2Fa.jpg",
                "x/a.jpg",
            ),
            ("/data/upload/3/0a1b-c.jpg", "upload/3/0a1b-c.jpg"),
            (
                "https://host.example/a.jpg?x=1",
                "https://host.example/a.jpg?x=1",
            ),
            ("s3://bucket/a.jpg", "s3://bucket/a.jpg"),
            ("a.jpg", "a.jpg"),
        ] {
            assert_eq!(local_path(value), path);
        }
    }
}
