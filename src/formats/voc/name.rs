//! The name of the picture of an XML file.

use crate::formats::source::{file_name, folder, join};
use crate::formats::xml::without_xml;

/// The extension of a picture if no file says it.
const EXTENSION: &str = ".jpg";

#[derive(Debug, PartialEq)]
pub(super) struct Name {
    pub(super) path: String,
    /// Whether it was taken from the XML file, since its `filename` is missing, has no extension or is another one.
    pub(super) is_own: bool,
}

impl Name {
    /// Without folders.
    pub(super) fn last(&self) -> &str {
        file_name(&self.path)
    }
}

/// The name in the folder of the XML file, without folders called `Annotations`. `filename` and `own_path` are elements
/// of the file.
pub(super) fn picture_name(xml: &str, filename: Option<&str>, own_path: Option<&str>) -> Name {
    let stem = file_name(without_xml(xml));
    let place = without_annotations(folder(xml));
    if let Some(named) = filename.map(|name| name.replace('\\', "/"))
        && extension(&named, stem).is_some()
    {
        return Name {
            path: placed(&place, &named),
            is_own: false,
        };
    }
    let own_path = own_path.map(|path| path.replace('\\', "/"));
    let known = own_path.as_deref().and_then(|path| extension(path, stem));
    let name = format!("{stem}{}", known.unwrap_or(EXTENSION));
    Name {
        path: under(&place, &name),
        is_own: true,
    }
}

/// Where the picture of an XML file may be: beside it, or in a folder beside `Annotations`.
pub(super) fn folders(xml: &str) -> Vec<String> {
    let own = folder(xml);
    let mut folders = vec![own.to_owned(), under(own, "images")];
    let parts: Vec<&str> = own.split('/').collect();
    if let Some(at) = parts.iter().rposition(|part| is_annotations(part)) {
        for name in ["JPEGImages", "images", "Images", ""] {
            let mut parts = parts.clone();
            parts[at] = name;
            parts.retain(|part| !part.is_empty());
            folders.push(parts.join("/"));
        }
    } else {
        // The folder of the XML files itself may have been named.
        folders.extend(["JPEGImages".to_owned(), "images".to_owned()]);
    }
    folders
}

fn is_annotations(part: &str) -> bool {
    part.eq_ignore_ascii_case("annotations")
}

fn without_annotations(folder: &str) -> String {
    let parts: Vec<&str> = folder
        .split('/')
        .filter(|part| !is_annotations(part))
        .collect();
    parts.join("/")
}

fn under(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The extension of a picture that has this stem.
fn extension<'p>(path: &'p str, stem: &str) -> Option<&'p str> {
    let rest = file_name(path).trim().strip_prefix(stem)?;
    let letters = rest.strip_prefix('.')?;
    is_extension(letters).then_some(rest)
}

/// Whether this looks like an extension: 1 to 5 ASCII letters and digits, at least one of them a letter.
pub(super) fn is_extension(letters: &str) -> bool {
    (1..=5).contains(&letters.len())
        && letters.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && letters.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// The picture in its folder: `filename` may hold folders, too, or a path of another machine.
fn placed(place: &str, named: &str) -> String {
    let last = file_name(named).trim();
    let inner = folder(named.trim());
    let is_known = inner.is_empty() || place == inner || place.ends_with(&format!("/{inner}"));
    if is_known || named.contains("://") {
        return under(place, last);
    }
    join(place, named.trim()).unwrap_or_else(|| under(place, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_named_by_the_folders_of_their_xml_files() {
        for (xml, filename, path, name, is_own) in [
            ("a.xml", Some("a.jpg"), None, "a.jpg", false),
            ("Annotations/x/a.xml", Some("a.PNG"), None, "x/a.PNG", false),
            (
                "Annotations/x/a.xml",
                Some("x/a.png"),
                None,
                "x/a.png",
                false,
            ),
            (
                "d/annotations/a.XML",
                Some(r"x\a.png"),
                None,
                "d/x/a.png",
                false,
            ),
            ("a.xml", Some("/home/me/a.jpg"), None, "a.jpg", false),
            ("a.xml", Some("../../a.jpg"), None, "a.jpg", false),
            ("x/a.xml", Some("https://h/a.jpg"), None, "x/a.jpg", false),
            (
                "a_jpg.rf.1a2b.xml",
                Some("a_jpg.rf.1a2b.jpg"),
                None,
                "a_jpg.rf.1a2b.jpg",
                false,
            ),
            (
                "a_jpg.rf.1a2b.xml",
                Some("a.jpg"),
                None,
                "a_jpg.rf.1a2b.jpg",
                true,
            ),
            ("a.xml", Some("a"), Some(r"C:\x\a.bmp"), "a.bmp", true),
            ("a.xml", Some("b.jpg"), Some("/x/b.png"), "a.jpg", true),
            ("a.xml", Some(""), None, "a.jpg", true),
            ("a.xml", None, None, "a.jpg", true),
        ] {
            let found = picture_name(xml, filename, path);
            assert_eq!((found.path.as_str(), found.is_own), (name, is_own), "{xml}");
        }
    }

    #[test]
    fn pictures_are_looked_for_beside_the_xml_file() {
        assert_eq!(
            folders("d/Annotations/x/a.xml"),
            [
                "d/Annotations/x",
                "d/Annotations/x/images",
                "d/JPEGImages/x",
                "d/images/x",
                "d/Images/x",
                "d/x"
            ]
        );
        assert_eq!(folders("a.xml"), ["", "images", "JPEGImages", "images"]);
    }
}
