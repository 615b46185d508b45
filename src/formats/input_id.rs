//! The ids of inputs, made from the names of images.
//!
//! An id depends on the name of its own image and on nothing else in the file: an image keeps its id when others come
//! and go. So two images that would get one id are an error, never told apart by what is beside them.

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

/// The image's path as the manifest names it: the folder and the file name; a file name that is an absolute path or URL
/// stays, without query and fragment, which may hold a signature.
pub(super) fn image_path(folder: Option<&str>, file_name: &str) -> String {
    if file_name.contains("://") {
        let end = file_name.find(['?', '#']).unwrap_or(file_name.len());
        return file_name[..end].to_owned();
    }
    let is_absolute = file_name.starts_with(['/', '\\']);
    match folder {
        Some(folder) if !is_absolute && !folder.is_empty() => {
            format!("{}/{file_name}", folder.trim_end_matches('/'))
        }
        _ => file_name.to_owned(),
    }
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
    fn the_path_of_a_signed_url_loses_its_signature() {
        assert_eq!(
            image_path(Some("img"), "https://b.example/x/1.jpg?sig=1#f"),
            "https://b.example/x/1.jpg"
        );
        assert_eq!(image_path(Some("img/"), "a/1.jpg"), "img/a/1.jpg");
        assert_eq!(image_path(None, "a#1.jpg"), "a#1.jpg");
    }
}
