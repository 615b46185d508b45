//! What `init --from` asks in a terminal: the set, the app, and who applies. Flags answer it in scripts.

use super::files::{Ci, Project};
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::model::{SetName, UserId};
use clap::ValueEnum as _;
use std::collections::BTreeSet;
use std::io::BufRead;

/// What no flag and no variable answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) set: bool,
    pub(super) systems: bool,
}

/// Asks for what is open, and sets it in the project. An empty answer keeps what is there.
pub(super) fn ask(
    answers: &mut impl BufRead,
    open: Open,
    project: &mut Project,
) -> Result<(), Failure> {
    if open.set {
        let question = format!(
            "Name of the label set; it is part of the ids of what it creates [{}]:",
            project.set
        );
        let answer = one(answers, &question, |text| {
            SetName::new(text).map_err(|error| format!("{error}; use 1 to 40 of a-z, 0-9 and -"))
        })?;
        project.set = answer.unwrap_or_else(|| project.set.clone());
    }
    if project.app.owner.is_none() {
        let question = "User id of the app's owner [later]:";
        project.app.owner = one(answers, question, |text| {
            UserId::new(text).map_err(|error| error.to_string())
        })?;
    }
    if project.app.owner.is_some() && project.app.id.is_none() {
        let question = "Id of the app [later]:";
        project.app.id = one(answers, question, |text| Ok(text.to_owned()))?;
    }
    if open.systems {
        let names = |systems: &BTreeSet<Ci>| {
            let names = systems.iter().filter_map(Ci::to_possible_value);
            let names: Vec<String> = names.map(|it| it.get_name().to_owned()).collect();
            names.join(", ")
        };
        let question = format!(
            "Who applies changes: pipelines of github, gitlab or all, or none (people) [{}]:",
            names(&project.systems)
        );
        let answer = one(answers, &question, |text| {
            Ci::from_str(text, true).map_err(|_| "answer github, gitlab, all or none".to_owned())
        })?;
        if let Some(system) = answer {
            project.systems = BTreeSet::from([system]);
        }
    }
    Ok(())
}

/// Asks until an answer is valid; `None` if it is empty.
fn one<T>(
    answers: &mut impl BufRead,
    question: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, Failure> {
    output::message(question);
    loop {
        let mut line = String::new();
        let count = answers
            .read_line(&mut line)
            .map_err(|error| Failure::new(format!("no answer: {error}; nothing was written")))?;
        if count == 0 {
            return Err(Failure::new("no answer; nothing was written")
                .hint("flags answer the questions: --set, --user-id, --app-id, --ci"));
        }
        match line.trim() {
            "" => return Ok(None),
            text => match read(text) {
                Ok(value) => return Ok(Some(value)),
                Err(why) => output::message(&format!("{why}:")),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::App;
    use super::*;

    fn asked(open: Open, app: App, answers: &str) -> Result<(Project, String), Failure> {
        let mut project = Project {
            set: SetName::new("street").expect("a valid name"),
            app,
            systems: BTreeSet::from([Ci::Github]),
        };
        let mut answers = answers.as_bytes();
        ask(&mut answers, open, &mut project)?;
        Ok((project, String::from_utf8_lossy(answers).into_owned()))
    }

    const ALL: Open = Open {
        set: true,
        systems: true,
    };

    #[test]
    fn answers_are_taken_and_wrong_ones_asked_again() {
        let (project, rest) = asked(
            ALL,
            App::default(),
            "My Set\nmine\nacme\nstreets\nboth\nnone\nmore\n",
        )
        .unwrap();
        assert_eq!(project.set.as_str(), "mine");
        assert_eq!(project.app.owner, UserId::new("acme").ok());
        assert_eq!(project.app.id.as_deref(), Some("streets"));
        assert_eq!(project.systems, BTreeSet::from([Ci::None]));
        assert_eq!(rest, "more\n");
    }

    #[test]
    fn empty_answers_keep_what_is_there() {
        // The app is not asked for without its owner.
        let (project, rest) = asked(ALL, App::default(), "\n \n\n").unwrap();
        assert_eq!(project.set.as_str(), "street");
        assert_eq!((project.app.owner, project.app.id), (None, None));
        assert_eq!(project.systems, BTreeSet::from([Ci::Github]));
        assert_eq!(rest, "");
    }

    #[test]
    fn flags_answer_every_question() {
        let app = App {
            owner: UserId::new("acme").ok(),
            id: Some("streets".to_owned()),
        };
        let none = Open {
            set: false,
            systems: false,
        };
        assert!(asked(none, app, "").is_ok());
    }

    #[test]
    fn the_end_of_the_input_is_an_error() {
        let failure = asked(ALL, App::default(), "mine\n").unwrap_err();
        assert_eq!(failure.message, "no answer; nothing was written");
    }
}
