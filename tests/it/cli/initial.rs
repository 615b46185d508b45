//! `init`: its files work at once, and never overwrite other files.

use super::{Run, World, command, folder_of, settled};
use std::fs;
use std::path::Path;

const ALL: [&str; 9] = [
    ".annosync/manifest.schema.json",
    ".gitattributes",
    ".github/workflows/annosync-apply.yml",
    ".github/workflows/annosync-drift.yml",
    ".github/workflows/annosync-plan.yml",
    ".gitignore",
    ".gitlab-ci.yml",
    "annosync.yaml",
    "labels/example.yaml",
];

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(folder);
    command.args(arguments);
    Run::of(command)
}

fn names(folder: &Path) -> Vec<String> {
    folder_of(folder)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

fn example(path: &str) -> String {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci");
    fs::read_to_string(examples.join(path)).unwrap()
}

#[test]
fn the_next_steps_that_init_prints_work() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("Street Labels");
    fs::create_dir(&folder).unwrap();
    let init = run(&folder, &["init"]).exits(0);
    assert_eq!(init.stdout.lines().collect::<Vec<_>>(), ALL);
    assert_eq!(names(&folder), ALL);
    insta::assert_snapshot!(init.stderr, @"
    Try it; the example goes to a store in this folder:
      annosync validate
      annosync plan
      annosync apply --auto-approve
    Then write your app's ids under targets: in annosync.yaml, and pass --target prod.
    ");
    let told: Vec<&str> = init
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("  annosync "))
        .collect();
    let runs: Vec<Run> = told
        .iter()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            run(&folder, &words).exits(0)
        })
        .collect();
    let [validated, planned, applied] = &runs[..] else {
        panic!("{told:?}");
    };
    let summary = "The manifest is valid: set street-labels, 1 input, 4 annotations.\n";
    assert_eq!(validated.stdout, summary);
    assert!(planned.last_line().starts_with("Plan: 4 to post. "));
    assert!(applied.stdout.starts_with("Applied 4 (4 posted), "));
    settled(&run(&folder, &["plan", "--detailed-exitcode"]));
    // Init ignores the store that exists now.
    let again = run(&folder, &["init"]).exits(0);
    assert_eq!(again.stdout, "");
    assert!(again.stderr.starts_with("All files exist already"));
}

#[test]
fn the_pipelines_are_those_of_the_examples() {
    let parent = tempfile::tempdir().unwrap();
    run(
        parent.path(),
        &["init", "it's new/labels", "--set", "street"],
    )
    .exits(0);
    let folder = parent.path().join("it's new/labels");
    let files = folder_of(&folder);
    let text = |name: &str| &files.iter().find(|(file, _)| file == name).unwrap().1;
    for name in ["plan", "apply", "drift"] {
        let written = text(&format!(".github/workflows/annosync-{name}.yml"));
        assert_eq!(*written, example(&format!("github/{name}.yml")));
    }
    assert_eq!(*text(".gitlab-ci.yml"), example("gitlab/.gitlab-ci.yml"));
    assert!(text("annosync.yaml").contains("\nset: street\n"));
}

#[test]
fn the_printed_commands_quote_the_folder_for_the_shell() {
    let parent = tempfile::tempdir().unwrap();
    let init = run(parent.path(), &["init", "my labels", "--ci", "none"]).exits(0);
    init.says("\n  annosync apply 'my labels' --auto-approve\n")
        .says("my labels/annosync.yaml\n");
}

#[test]
fn pipelines_are_written_for_the_given_systems() {
    for (systems, count) in [
        (&["none"][..], 5),
        (&["github"], 8),
        (&["gitlab"], 6),
        (&["gitlab", "github"], 9),
        (&["all"], 9),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = vec!["init"];
        for system in systems {
            arguments.extend(["--ci", system]);
        }
        run(folder.path(), &arguments).exits(0);
        assert_eq!(names(folder.path()).len(), count, "{systems:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "--ci", "none", "--ci", "github"]).exits(64);
    run(folder.path(), &["init", "--set", "My Labels"])
        .exits(64)
        .says("error: `My Labels` is not a valid set name: ");
    assert_eq!(folder_of(folder.path()), []);
}

#[test]
fn an_existing_file_with_other_content_stops_init() {
    let folder = tempfile::tempdir().unwrap();
    let workflows = folder.path().join(".github/workflows");
    fs::create_dir_all(&workflows).unwrap();
    fs::write(folder.path().join("annosync.yaml"), "version: 1\n").unwrap();
    fs::write(folder.path().join("annosync.json"), "{}\n").unwrap();
    fs::write(folder.path().join("labels"), "a file\n").unwrap();
    fs::create_dir(folder.path().join(".gitlab-ci.yml")).unwrap();
    // This one equals what init would write, so it is not an obstacle.
    fs::write(
        workflows.join("annosync-plan.yml"),
        example("github/plan.yml"),
    )
    .unwrap();
    let before = folder_of(folder.path());
    let refused = run(folder.path(), &["init"]).exits(1);
    assert_eq!(folder_of(folder.path()), before);
    assert_eq!(refused.stdout, "");
    insta::assert_snapshot!(refused.stderr, @"
    error: init does not overwrite files, and these exist with different content:
      .gitlab-ci.yml
      annosync.json
      annosync.yaml
      labels/example.yaml
    hint: nothing was written; move them away, choose another folder, or leave out pipelines with --ci
    ");
}

#[test]
fn a_broken_link_stops_init() {
    let folder = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", folder.path().join("annosync.yaml")).unwrap();
        run(folder.path(), &["init"]).exits(1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn missing_lines_are_added_to_a_gitignore() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".gitignore");
    fs::write(&path, "target/\nplan.json\n/out").unwrap();
    run(folder.path(), &["init", "--ci", "none"]).exits(0);
    insta::assert_snapshot!(fs::read_to_string(&path).unwrap(), @"
    target/
    plan.json
    /out
    # The local store. The schema beside it is for editors, and is committed.
    .annosync/*
    !.annosync/manifest.schema.json
    # Plans, undo files and logs.
    plan.md
    drift.md
    undo.json*
    apply.jsonl
    ");
    let before = folder_of(folder.path());
    run(folder.path(), &["init", "--ci", "none"]).exits(0);
    assert_eq!(folder_of(folder.path()), before);
}

#[test]
fn a_failed_init_removes_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    // The last file to be written, which cannot be written.
    fs::create_dir(folder.path().join(".gitignore")).unwrap();
    run(folder.path(), &["init"]).exits(1);
    assert_eq!(folder_of(folder.path()), []);
    #[cfg(unix)]
    {
        let blocked = folder.path().join("labels");
        std::os::unix::fs::symlink("nowhere", &blocked).unwrap();
        fs::remove_dir(folder.path().join(".gitignore")).unwrap();
        run(folder.path(), &["init"]).exits(1);
        assert!(!folder.path().join("annosync.yaml").exists());
        assert!(
            !folder
                .path()
                .join(".annosync/manifest.schema.json")
                .exists()
        );
    }
}

#[test]
fn the_schema_and_the_pipelines_do_not_belong_to_the_manifest() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init"]).exits(0);
    let header = fs::read_to_string(folder.path().join("annosync.yaml")).unwrap();
    // Without patterns every file of the folder that is not hidden belongs to the manifest.
    let header = header.replace("files: [\"labels/**\"]\n", "");
    fs::write(folder.path().join("annosync.yaml"), &header).unwrap();
    let schema = "{\"set\": \"other\", \"policy\": \"sync\", \"inputs\": [{}]}\n";
    fs::write(folder.path().join(".annosync/manifest.schema.json"), schema).unwrap();
    run(folder.path(), &["validate"])
        .exits(0)
        .says("1 input, 4 annotations");
}

#[test]
fn every_written_file_refers_to_the_schema_by_a_valid_path() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init"]).exits(0);
    for name in ["annosync.yaml", "labels/example.yaml"] {
        let path = folder.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().next().unwrap();
        let schema = line
            .strip_prefix("# yaml-language-server: $schema=")
            .unwrap();
        // Relative to the file that refers to it.
        assert!(path.parent().unwrap().join(schema).is_file(), "{schema}");
    }
}

#[test]
fn the_files_of_init_match_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init"]).exits(0);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let schema = serde_json::from_str(&read(".annosync/manifest.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for name in ["annosync.yaml", "labels/example.yaml"] {
        let text = read(name);
        let file: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<_> = schema.iter_errors(&file).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let wrong = serde_yaml::from_str(&text.replacen("concepts:", "concpets:", 1));
        let wrong: serde_json::Value = wrong.unwrap();
        assert!(!schema.is_valid(&wrong), "{name}");
    }
}

#[test]
fn a_given_app_is_written_to_the_header() {
    let parent = tempfile::tempdir().unwrap();
    let header = |name: &str, arguments: &[&str], variables: &[(&str, &str)]| {
        let folder = parent.path().join(name);
        fs::create_dir(&folder).unwrap();
        let mut init = command(&folder);
        init.args(["init", "--ci", "none"]).args(arguments);
        init.envs(variables.iter().copied());
        Run::of(init).exits(0);
        run(&folder, &["validate"]).exits(0);
        fs::read_to_string(folder.join("annosync.yaml")).unwrap()
    };
    let by_flag = ["--user-id", "acme", "--app-id", "123"];
    let by_variable = [("CLARIFAI_USER_ID", "acme"), ("CLARIFAI_APP_ID", "123")];
    for text in [header("a", &by_flag, &[]), header("b", &[], &by_variable)] {
        assert!(
            text.contains("  prod: { user_id: acme, app_id: \"123\" }\n"),
            "{text}"
        );
        assert!(text.contains("\nowners: [acme]\n"), "{text}");
    }
    for text in [
        header("c", &[], &[]),
        header("d", &["--user-id", "me"], &[]),
    ] {
        assert!(
            text.contains("  prod: { user_id: your-user-id, app_id: your-app-id }\n"),
            "{text}"
        );
        assert!(text.contains("\n# owners: [your-user-id]\n"), "{text}");
    }
}

#[test]
fn init_refuses_a_folder_that_git_ignores() {
    let world = World::new();
    fs::create_dir(world.path().join(".git")).unwrap();
    world.write(".gitignore", "*.yaml\n!annosync.yaml\n");
    let before = folder_of(world.path());
    world
        .run(&["init"])
        .exits(1)
        .says("nothing was written:\n  labels/example.yaml: ignored by `*.yaml` in .gitignore\n");
    assert_eq!(folder_of(world.path()), before);
    world.write(".gitignore", "*.yaml\n!annosync.yaml\n!labels/*.yaml\n");
    world.run(&["init"]).exits(0);
    world.run(&["validate"]).exits(0);
}
