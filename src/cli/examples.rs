//! Examples for each command, shown at the end of its help. A test parses each of them.

use clap::Command;

/// Commands with their examples: each is a purpose and a command line.
pub(super) const EXAMPLES: [(&str, &[(&str, &str)]); 21] = [
    (
        "plan",
        &[
            ("What would apply do?", "annosync plan"),
            (
                "On a pull request: what the branch changes, and what changed in the app meanwhile",
                "annosync plan --target prod --base origin/main --out plan.json --also markdown=plan.md",
            ),
            (
                "Only the deletes of some inputs",
                "annosync plan --only deletes --input 'street-*'",
            ),
            (
                "Plan offline against a saved listing",
                "annosync plan --observed listing.json",
            ),
            (
                "The first of eight parts of a large manifest",
                "annosync plan --shard 0/8 --out shard-0.json",
            ),
        ],
    ),
    (
        "apply",
        &[
            (
                "Show the plan, ask for approval, apply it",
                "annosync apply",
            ),
            (
                "Apply a reviewed plan",
                "annosync apply plan.json --auto-approve",
            ),
            ("Keep an undo file", "annosync apply --undo-out undo.json"),
            (
                "In CI: the outcome for the summary of the job, and for a chat",
                "annosync apply -y --format markdown --notify https://chat.example/hook",
            ),
            (
                "The first of eight parts of a plan",
                "annosync apply plan.json --shard 0/8 --auto-approve",
            ),
        ],
    ),
    (
        "show",
        &[
            (
                "The deletes of a saved plan",
                "annosync show plan.json --only deletes --full",
            ),
            (
                "What an apply did, as a comment",
                "annosync show outcome.json --format markdown",
            ),
            (
                "Join the plans of all shards",
                "annosync show shard-0.json shard-1.json --also json=plan.json",
            ),
        ],
    ),
    (
        "pull",
        &[
            ("Update the manifest from the app", "annosync pull"),
            (
                "A new manifest from an app, one file per input",
                "annosync pull labels --user-id acme --app-id street --split",
            ),
        ],
    ),
    (
        "list",
        &[
            (
                "Pending annotations, as a table",
                "annosync list --status pending --format table",
            ),
            (
                "All annotations, for plan --observed and annosync test",
                "annosync list --all --format json",
            ),
        ],
    ),
    (
        "validate",
        &[
            ("Check the manifest in this folder", "annosync validate"),
            (
                "In CI: show findings in the pull request, and fail on new ones",
                "annosync validate --format github --baseline .annosync/baseline.json --deny-warnings",
            ),
            (
                "Fix what can be fixed without a loss",
                "annosync validate --fix",
            ),
        ],
    ),
    (
        "fmt",
        &[
            ("Format the manifest in this folder", "annosync fmt"),
            (
                "In CI: fail if a file is not formatted",
                "annosync fmt --check",
            ),
            (
                "Only these files, as a hook of git names them",
                "annosync fmt labels/a.yaml labels/b.yaml",
            ),
        ],
    ),
    (
        "stats",
        &[
            (
                "Count the labels of the manifest in this folder",
                "annosync stats",
            ),
            (
                "Of an app, as a comment",
                "annosync stats --observed listing.json --format markdown",
            ),
        ],
    ),
    (
        "diff",
        &[
            (
                "What changed in the manifest of this folder since the last commit",
                "annosync diff git:HEAD .",
            ),
            (
                "Two versions of a COCO file, as a comment",
                "annosync diff old.json new.json --format markdown",
            ),
            (
                "The app, as it was listed, and a Pascal VOC folder",
                "annosync diff listing.json voc:Annotations --only removed",
            ),
            (
                "As an external diff of git, for git config diff.annosync.command",
                "annosync diff --git",
            ),
        ],
    ),
    (
        "import",
        &[
            (
                "Import a COCO file into a new manifest, or into the one in this folder",
                "annosync import coco annotations.json --out labels",
            ),
            (
                "A folder of another tool; the format is recognised",
                "annosync import export/ --out labels",
            ),
            (
                "In CI: fail if anything cannot be imported",
                "annosync import coco annotations.json --out labels --strict",
            ),
        ],
    ),
    (
        "export",
        &[
            (
                "The manifest in this folder as a COCO file",
                "annosync export coco --out coco.json",
            ),
            (
                "To train from, in two parts that stay the same",
                "annosync export yolo --out dataset --split train=80,val=20",
            ),
        ],
    ),
    (
        "init",
        &[
            (
                "A project in this folder, with an example and pipelines",
                "annosync init",
            ),
            (
                "Only for GitHub, with a name for the label set",
                "annosync init labels --ci github --set street",
            ),
            (
                "A project of the labels of another tool, with a first plan",
                "annosync init street --from annotations.json",
            ),
        ],
    ),
    (
        "doctor",
        &[(
            "Is everything there that a plan of the target needs?",
            "annosync doctor --target prod",
        )],
    ),
    (
        "test",
        &[
            ("All cases below this folder", "annosync test"),
            ("Accept the current plans", "annosync test cases --bless"),
        ],
    ),
    (
        "emulator",
        &[
            (
                "Serve the API from a file, on a free port",
                "annosync emulator --db store.db --listen 127.0.0.1:0",
            ),
            (
                "Record the calls that a script makes to the service",
                "annosync emulator --record calls.jsonl --forward https://api.clarifai.com",
            ),
            (
                "Answer the calls of the script without the service",
                "annosync emulator --replay calls.jsonl",
            ),
        ],
    ),
    (
        "conformance",
        &[(
            "Does a server behave as annosync assumes?",
            "annosync conformance --endpoint https://api.clarifai.com --user-id acme --app-id scratch --auto-approve",
        )],
    ),
    (
        "schema",
        &[(
            "The schema of a manifest, for editors",
            "annosync schema manifest",
        )],
    ),
    (
        "completions",
        &[("Completions for bash", "annosync completions bash")],
    ),
    (
        "man",
        &[
            ("The page of a command", "annosync man plan"),
            ("All pages", "annosync man --out man1"),
        ],
    ),
    ("version", &[("The version", "annosync version")]),
    (
        "help",
        &[("What the exit codes mean", "annosync help exit-codes")],
    ),
];

/// Adds the examples to the help of each command.
pub(super) fn with_examples(mut root: Command) -> Command {
    for (words, examples) in EXAMPLES {
        let words: Vec<&str> = words.split(' ').collect();
        root = add_after_help(root, &words, &text(examples));
    }
    root
}

fn add_after_help(command: Command, words: &[&str], text: &str) -> Command {
    match words.split_first() {
        None => command.after_help(text.to_owned()),
        Some((first, rest)) => {
            command.mut_subcommand(first, |below| add_after_help(below, rest, text))
        }
    }
}

fn text(examples: &[(&str, &str)]) -> String {
    let one = |(purpose, line): &(&str, &str)| format!("  {purpose}\n    {line}\n");
    let all: String = examples.iter().map(one).collect();
    format!("Examples:\n{}", all.trim_end())
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    #[test]
    fn every_command_has_an_example() {
        fn names(command: &Command) -> Vec<String> {
            let below = command.get_subcommands().filter(|it| !it.is_hide_set());
            let below = below.flat_map(|it| {
                let name = it.get_bin_name().unwrap_or_default().to_owned();
                std::iter::once(name).chain(names(it))
            });
            below.collect()
        }
        let mut root = command();
        root.build();
        let documented = EXAMPLES.map(|(words, _)| format!("annosync {words}"));
        assert_eq!(names(&root), documented);
    }

    #[test]
    fn every_example_is_a_valid_command_line() {
        for (words, examples) in EXAMPLES {
            for (purpose, line) in examples {
                assert!(line.starts_with("annosync "), "{line}");
                assert!(!purpose.ends_with('.'), "{purpose}");
                assert!(
                    words.split(' ').all(|word| line.contains(word)),
                    "{line} is not an example of {words}"
                );
                let typed = line.split(' ').map(|word| word.trim_matches('\''));
                if let Err(error) = command().try_get_matches_from(typed) {
                    panic!("{line}: {error}");
                }
            }
        }
    }
}
