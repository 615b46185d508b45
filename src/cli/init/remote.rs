//! The CI system of a project, from the URLs of the git repository's remotes.

use super::files::Ci;
use crate::cli::git;
use std::collections::BTreeSet;
use std::path::Path;

/// The systems to write pipelines for, if the user names none: that of `origin`, else of any other remote, else all.
pub(super) fn systems(folder: &Path) -> BTreeSet<Ci> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    // The project's folder may not exist yet.
    let existing = folder.ancestors().find(|it| it.is_dir());
    let mut command = git::git();
    command.current_dir(existing.unwrap_or(&folder)).args([
        "config",
        "--get-regexp",
        r"^remote\..*\.url$",
    ]);
    let listed = git::run(&mut command, None).unwrap_or_default();
    of_remotes(&String::from_utf8_lossy(&listed)).map_or_else(|| [Ci::All].into(), |it| [it].into())
}

/// The system of lines `remote.NAME.url URL`.
fn of_remotes(lines: &str) -> Option<Ci> {
    let remotes = || lines.lines().filter_map(|line| line.split_once(' '));
    let origin = remotes().filter(|(name, _)| *name == "remote.origin.url");
    let mut all = origin.chain(remotes());
    all.find_map(|(_, url)| of_url(url))
}

fn of_url(url: &str) -> Option<Ci> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split('/').next().unwrap_or(rest);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let host = place.split(':').next().unwrap_or(place).to_lowercase();
    if host.contains("github") {
        Some(Ci::Github)
    } else if host.contains("gitlab") {
        Some(Ci::Gitlab)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_remote_names_the_system() {
        for (url, system) in [
            ("git@github.com:acme/streets.git", Some(Ci::Github)),
            ("https://github.example.com/acme/gitlab", Some(Ci::Github)),
            (
                "https://me:pass@gitlab.com/acme/github.git",
                Some(Ci::Gitlab),
            ),
            (
                "ssh://git@GitLab.example.com:2222/a/b.git",
                Some(Ci::Gitlab),
            ),
            ("https://example.com/github/a.git", None),
            ("/srv/gitlab/a.git", None),
            ("../github", None),
        ] {
            assert_eq!(of_url(url), system, "{url}");
        }
    }

    #[test]
    fn origin_comes_first() {
        let lines = "remote.mirror.url git@gitlab.com:a/b\nremote.origin.url git@github.com:a/b\n";
        assert_eq!(of_remotes(lines), Some(Ci::Github));
        let lines = lines.replace("github.com", "example.com");
        assert_eq!(of_remotes(&lines), Some(Ci::Gitlab));
        assert_eq!(of_remotes(""), None);
    }
}
