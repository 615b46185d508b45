//! The ids of inputs, made from the names of images.
//!
//! An id depends on the name of its own image and on nothing else in the file: an image keeps its id when others come
//! and go. So two images that would get one id are an error, never told apart by what is beside them.

use crate::model::is_web_url;
use std::collections::BTreeMap;
use url::Url;

/// What an input is named after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InputIdFrom {
    /// The whole relative path without its ending, with `-` between its parts. Of a URL and of an absolute path, which
    /// begin differently on every machine, the last part.
    #[default]
    Path,
    /// The same, with the whole path of a URL or of an absolute path.
    WholePath,
    /// The last part of the path, without its ending.
    FileStem,
    /// The file name as the file has it.
    FileName,
    /// The image's own id in the file.
    ImageId,
}

impl InputIdFrom {
    /// Every choice.
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

/// Two images that would become the same input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collision {
    /// The input's id.
    pub id: String,
    /// One image.
    pub first: String,
    /// The other image.
    pub second: String,
}

/// How many collisions an error lists; one option can make thousands.
const LISTED: usize = 10;

/// The collisions in words.
pub(super) fn describe(collisions: &[Collision]) -> String {
    let mut lines: Vec<String> = collisions
        .iter()
        .take(LISTED)
        .map(|Collision { id, first, second }| {
            format!("{first:?} and {second:?} would both be the input {id:?}")
        })
        .collect();
    if collisions.len() > LISTED {
        lines.push(format!("and {} more", collisions.len() - LISTED));
    }
    lines.join("\n")
}

/// The pairs of images that have one id; `images` are ids with what is shown of each.
pub(super) fn collisions<'a>(
    images: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Collision> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut collisions = Vec::new();
    for (id, shown) in images {
        if let Some(first) = first.get(id) {
            collisions.push(Collision {
                id: id.to_owned(),
                first: (*first).to_owned(),
                second: shown.to_owned(),
            });
        } else {
            first.insert(id, shown);
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
            let (is_relative, mut parts) = parts(file_name?);
            let last = parts.pop()?;
            parts.push(without_ending(&last).to_owned());
            let takes_all = match from {
                InputIdFrom::Path => is_relative,
                InputIdFrom::WholePath => true,
                _ => false,
            };
            let start = if takes_all { 0 } else { parts.len() - 1 };
            Some(parts[start..].join("-"))
        }
    }
}

/// Whether a file name is a relative path, and its parts. Paths of every system are read alike, for the file may come
/// from another one. Of a URL its path counts: host, query and fragment may differ for the same image.
fn parts(file_name: &str) -> (bool, Vec<String>) {
    let name = file_name.trim();
    let (is_relative, path) = if let Some((_, rest)) = name.split_once("://") {
        let path = Url::parse(name).map_or_else(|_| rest.to_owned(), |url| url.path().to_owned());
        let path = path.split(['?', '#']).next().unwrap_or_default();
        (false, percent_decoded(path))
    } else {
        let is_drive =
            name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
        let path = if is_drive { &name[2..] } else { name };
        let is_relative = !is_drive && !path.starts_with(['/', '\\']);
        (is_relative, path.to_owned())
    };
    let parts: Vec<String> = path
        .split(['/', '\\'])
        .map(str::trim)
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .map(str::to_owned)
        .collect();
    (is_relative, parts)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind.get(..2).and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            digits
                .bytes()
                .all(|digit| digit.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(digits, 16).ok())?
        });
        if let (b'%', Some(byte)) = (first, digits) {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The name without an ending such as `.jpg`: one to five letters and digits, at least one of them a letter. The `.5` of
/// `scan_12.5` is not one.
fn without_ending(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending))
            if !stem.is_empty()
                && (1..=5).contains(&ending.len())
                && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && ending.bytes().any(|byte| byte.is_ascii_alphabetic()) =>
        {
            stem
        }
        _ => name,
    }
}

/// The image's path, or its URL, as the manifest names it. The folder goes in front of a relative path, which gets `/` on
/// every system; an absolute path stays. A URL stays without query and fragment, which may hold a signature: that of a
/// web server is one, any other is a path.
pub(super) fn image_place(
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
    if !parts(file_name).0 {
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
    fn an_id_is_made_from_the_images_own_path_alone() {
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
    fn an_image_is_named_by_a_url_without_signature_or_by_a_path_with_slashes() {
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
            assert_eq!(image_place(folder, name), expected, "{name}");
        }
    }
}
