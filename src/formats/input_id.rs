//! Makes ids of inputs from the names of images.
//!
//! An id depends only on its own image, so it does not change when other images are added or removed. Two images with
//! the same id are therefore an error; they are never made unique by a number.

use crate::model::is_web_url;
use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use url::Url;

/// What an input's id is made from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputIdFrom {
    /// The relative path without its extension, with `-` between its parts. For a URL or an absolute path, whose
    /// beginning differs between machines, the last part.
    #[default]
    Path,
    /// The same, with the whole path of a URL or an absolute path.
    WholePath,
    /// The last part of the path, without its extension.
    FileStem,
    /// The file name unchanged.
    FileName,
    /// The image's own id in the file.
    ImageId,
}

impl InputIdFrom {
    /// All choices.
    pub(super) const ALL: [Self; 5] = [
        Self::Path,
        Self::WholePath,
        Self::FileStem,
        Self::FileName,
        Self::ImageId,
    ];

    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::WholePath => "whole_path",
            Self::FileStem => "file_stem",
            Self::FileName => "file_name",
            Self::ImageId => "image_id",
        }
    }
}

/// Two images with the same input id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    pub id: String,
    pub first: ImageName,
    pub second: ImageName,
}

/// An image of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    pub name: String,
    /// The file that lists it, if it is known.
    pub file: Option<String>,
}

impl Collision {
    /// Whether two files list the same image.
    pub(super) fn is_same_image(&self) -> bool {
        self.first.name == self.second.name && self.is_of_two_files()
    }

    fn is_of_two_files(&self) -> bool {
        self.first.file != self.second.file
    }

    fn describe(&self) -> String {
        let name = |image: &ImageName| match &image.file {
            Some(file) if self.is_of_two_files() => format!("{:?} in {file:?}", image.name),
            _ => format!("{:?}", image.name),
        };
        let (first, second) = (name(&self.first), name(&self.second));
        format!("{first} and {second} would both be the input {:?}", self.id)
    }
}

/// How many collisions an error lists; one option can make thousands.
const MAX_LISTED: usize = 10;

/// Lists the collisions as text.
pub(super) fn describe(collisions: &[Collision]) -> String {
    let mut lines: Vec<String> = collisions
        .iter()
        .take(MAX_LISTED)
        .map(Collision::describe)
        .collect();
    if collisions.len() > MAX_LISTED {
        lines.push(format!("and {} more", collisions.len() - MAX_LISTED));
    }
    lines.join("\n")
}

/// Finds images with the same id; `images` are pairs of id and image.
pub(super) fn collisions<'a, T: Copy>(
    images: impl IntoIterator<Item = (&'a str, T)>,
    name: impl Fn(T) -> ImageName,
) -> Vec<Collision> {
    let mut first: HashMap<&str, T> = HashMap::new();
    let mut collisions = Vec::new();
    for (id, image) in images {
        match first.entry(id) {
            Entry::Occupied(first) => collisions.push(Collision {
                id: id.to_owned(),
                first: name(*first.get()),
                second: name(image),
            }),
            Entry::Vacant(place) => {
                place.insert(image);
            }
        }
    }
    collisions
}

/// The id of an image's input, made from its file name or its own id; `None` if the image has none.
pub(super) fn input_id(
    from: InputIdFrom,
    file_name: Option<&str>,
    own_id: Option<&str>,
) -> Option<String> {
    match from {
        InputIdFrom::ImageId => own_id.map(str::to_owned),
        InputIdFrom::FileName => file_name.map(str::to_owned),
        InputIdFrom::Path | InputIdFrom::WholePath | InputIdFrom::FileStem => {
            let (is_relative, path) = path(file_name?);
            let mut parts: Vec<&str> = path
                .split(['/', '\\'])
                .map(str::trim)
                .filter(|part| !matches!(*part, "" | "." | ".."))
                .collect();
            let last = parts.pop()?;
            parts.push(without_extension(last));
            let is_whole_path = match from {
                InputIdFrom::Path => is_relative,
                InputIdFrom::WholePath => true,
                _ => false,
            };
            let start = if is_whole_path { 0 } else { parts.len() - 1 };
            Some(parts[start..].join("-"))
        }
    }
}

/// Whether a file name is a relative path, and the path. Unix and Windows paths are both recognised, since the file
/// may come from another system. Only the path of a URL is used: host, query and fragment may differ for the same
/// image.
fn path(file_name: &str) -> (bool, Cow<'_, str>) {
    let name = file_name.trim();
    if let Some((_, rest)) = name.split_once("://") {
        let path = Url::parse(name).map_or_else(|_| rest.to_owned(), |url| url.path().to_owned());
        let path = path.split(['?', '#']).next().unwrap_or_default();
        (false, percent_decoded(path).into())
    } else {
        let is_drive =
            name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
        let path = if is_drive { &name[2..] } else { name };
        let is_relative = !is_drive && !path.starts_with(['/', '\\']);
        (is_relative, path.into())
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, following @ ..] = rest {
        let digits = following.get(..2).and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            digits
                .bytes()
                .all(|digit| digit.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(digits, 16).ok())?
        });
        if let (b'%', Some(byte)) = (first, digits) {
            bytes.push(byte);
            rest = &following[2..];
        } else {
            bytes.push(*first);
            rest = following;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The name without an extension such as `.jpg`: one to five letters and digits, with at least one letter. The `.5` of
/// `scan_12.5` is not an extension.
fn without_extension(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=5).contains(&extension.len())
                && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && extension.bytes().any(|byte| byte.is_ascii_alphabetic()) =>
        {
            stem
        }
        _ => name,
    }
}

/// The image's path, or its URL, for the manifest. A relative path is put below the folder and gets `/` on every
/// system; an absolute path is unchanged. Query and fragment of a URL are removed, since they may hold a signature.
/// Only http and https URLs count as URLs; others are paths.
pub(super) fn image_location(
    folder: Option<&str>,
    file_name: &str,
) -> (Option<String>, Option<String>) {
    if file_name.contains("://") {
        let end = file_name.find(['?', '#']).unwrap_or(file_name.len());
        let url = file_name[..end].trim().to_owned();
        return if is_web_url(&url) {
            (None, Some(url))
        } else {
            (Some(url), None)
        };
    }
    if !path(file_name).0 {
        return (Some(file_name.to_owned()), None);
    }
    let path = file_name.replace('\\', "/");
    let path = match folder {
        Some(folder) if !folder.is_empty() => format!("{}/{path}", folder.trim_end_matches('/')),
        _ => path,
    };
    (Some(path), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_only_from_the_path_of_its_image() {
        let id = |name: &str| input_id(InputIdFrom::Path, Some(name), None).unwrap_or_default();
        for (name, expected) in [
            ("a.jpg", "a"),
            ("a/1.jpg", "a-1"),
            (r"a\1.jpg", "a-1"),
            ("./a//1.jpg", "a-1"),
            ("../images/1.JPEG", "images-1"),
            ("x_jpg.rf.1a2b.jpg", "x_jpg.rf.1a2b"),
            ("scan_12.5", "scan_12.5"),
            (".hidden", ".hidden"),
            ("/home/me/data/1.jpg", "1"),
            (r"C:\data\1.jpg", "1"),
            (r"\\server\share\1.jpg", "1"),
            (
                "https://b.example/x/img_0001.jpg?X-Signature=abc.def",
                "img_0001",
            ),
            ("https://b.example/x/img_0001.jpg#a/b.c", "img_0001"),
            ("s3://bucket/x/img%200001.jpg", "img 0001"),
            ("https://b.example/o/x%2Fimg.jpg?alt=media", "img"),
            ("https://b.example/100%.jpg", "100%"),
            ("https://", ""),
            ("/", ""),
        ] {
            assert_eq!(id(name), expected, "{name}");
        }
        let whole = |name: &str| input_id(InputIdFrom::WholePath, Some(name), None).unwrap();
        assert_eq!(whole("https://b.example/x/1.jpg?a=b"), "x-1");
        assert_eq!(whole("/data/1.jpg"), "data-1");
        let stem = input_id(InputIdFrom::FileStem, Some("a/1.jpg"), None);
        assert_eq!(stem.as_deref(), Some("1"));
        assert_eq!(input_id(InputIdFrom::ImageId, Some("a"), None), None);
    }

    #[test]
    fn image_urls_lose_their_signature_and_paths_get_slashes() {
        let url = |text: &str| (None, Some(text.to_owned()));
        let path = |text: &str| (Some(text.to_owned()), None);
        for (folder, name, expected) in [
            (
                Some("img"),
                "https://b.example/x/1.jpg?sig=1#f",
                url("https://b.example/x/1.jpg"),
            ),
            (
                None,
                "HTTP://b.example/1.jpg",
                url("HTTP://b.example/1.jpg"),
            ),
            (
                None,
                "s3://bucket/1.jpg?versionId=1",
                path("s3://bucket/1.jpg"),
            ),
            (None, "https://", path("https://")),
            (Some("img/"), "a/1.jpg", path("img/a/1.jpg")),
            (Some("img"), r"a\b\1.jpg", path("img/a/b/1.jpg")),
            (Some("img"), "/data/1.jpg", path("/data/1.jpg")),
            (Some("img"), r"C:\data\1.jpg", path(r"C:\data\1.jpg")),
            (Some("img"), r"\\server\x\1.jpg", path(r"\\server\x\1.jpg")),
            (None, "a#1.jpg", path("a#1.jpg")),
        ] {
            assert_eq!(image_location(folder, name), expected, "{name}");
        }
    }
}
