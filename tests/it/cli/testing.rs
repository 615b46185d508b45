//! `annosync test`: plans as tests of the user's own repository, offline and without a token.

use super::{Run, World, boxes, command, header};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder of cases.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    /// A case with a label `car` on `in-000` in the app, and this concept in the manifest.
    fn case(&self, name: &str, concept: &str) {
        self.listing(name, "owner");
        self.write(&format!("{name}/annosync.yaml"), &manifest(concept));
    }

    fn listing(&self, name: &str, caller: &str) {
        self.write(&format!("{name}/observed.json"), &listing(caller));
    }

    fn test(&self, arguments: &[&str]) -> Run {
        let mut command = command(self.path());
        command.arg("test").args(arguments);
        Run::of(command)
    }

    fn bless(&self) -> Run {
        self.test(&["--bless"])
    }
}

/// The expected text of a plan without changes.
const UNCHANGED: &str = "Label set street, policy sync.\n\nNo changes. 1 annotation matches.\n";

fn manifest(concept: &str) -> String {
    format!(
        "{}inputs:\n  - id: in-000\n    annotations: [{{ id: a, concepts: [{concept}] }}]\n",
        header()
    )
}

fn listing(caller: &str) -> String {
    let annotation = json!({"id": "a", "input_id": "in-000", "user_id": "owner",
        "data": {"concepts": [{"id": "car", "value": 1}]}});
    let listing = json!({"format_version": "1.0", "caller": caller, "app_owner": "owner",
        "scope": "whole_app", "annotations": [annotation]});
    // The version comes first, as in a listing by `list`.
    let text = listing.to_string();
    assert!(text.starts_with("{\"format_version\""), "{text}");
    text
}

#[test]
fn a_case_differs_after_the_manifest_changed() {
    let repository = Repository::new();
    repository.case("cases/one", "car");
    repository
        .bless()
        .exits(0)
        .says("Wrote cases/one/plan.txt.");
    assert_eq!(repository.read("cases/one/plan.txt"), UNCHANGED);
    let run = repository.test(&[]).exits(0);
    assert_eq!(
        (&*run.stdout, &*run.stderr),
        ("1 case: 1 as expected.\n", "")
    );

    repository.write("cases/one/annosync.yaml", &manifest("bus"));
    let run = repository.test(&["cases"]).exits(1);
    let shown: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        shown[..5],
        [
            "Differs: cases/one/plan.txt",
            "--- cases/one/plan.txt (expected)",
            "+++ the plan",
            shown[3],
            "-Label set street, policy sync.",
        ]
    );
    assert!(shown[3].starts_with("@@ -1,3 +1,"), "{}", run.stdout);
    assert!(
        shown.contains(&"-No changes. 1 annotation matches."),
        "{}",
        run.stdout
    );
    assert!(shown.contains(&"+in-000"), "{}", run.stdout);
    assert_eq!(run.last_line(), "1 case: 0 as expected, 1 differs.");
    assert!(
        run.stderr.contains("`annosync test --bless cases`"),
        "{}",
        run.stderr
    );

    let run = repository.bless().exits(0);
    assert_eq!(
        run.stdout,
        "Wrote cases/one/plan.txt.\n1 case: 0 as expected, 1 accepted.\n"
    );
    repository.test(&[]).exits(0);
}

#[test]
fn a_case_without_an_expected_plan_fails() {
    let repository = Repository::new();
    repository.case("one", "bus");
    let run = repository.test(&[]).exits(1).says("Missing: one/plan.txt");
    assert!(run.stdout.contains("\n+in-000\n"), "{}", run.stdout);
    assert!(!repository.has("one/plan.txt"));
    repository.bless().exits(0);
    for absent in ["one/plan.md", "one/plan.json"] {
        assert!(!repository.has(absent), "only what was there is written");
    }
}

#[test]
fn a_case_expects_the_same_text_as_plan_observed() {
    let world = World::new();
    world.declare(&boxes(0..250, "car"));
    world.apply(&[]).exits(0);
    let listing = world
        .on_app(&["list", "--all", "--format", "json"])
        .exits(0);
    world.write("case/observed.json", &listing.stdout);
    let inputs = boxes(0..250, "bus");
    world.write(
        "case/manifest/m.yaml",
        &format!("{}inputs:\n{inputs}", header()),
    );
    let offline = ["plan", "case/manifest", "--observed", "case/observed.json"];
    for (file, arguments) in [
        ("case/plan.txt", &["--full"][..]),
        ("case/plan.md", &["--format", "markdown"]),
        ("case/plan.json", &["--format", "json"]),
    ] {
        let run = world.run(&[&offline, arguments].concat()).exits(0);
        assert!(run.stdout.contains("in-249") || file == "case/plan.md");
        world.write(file, &run.stdout);
    }
    let run = Run::from({
        let mut command = command(world.path());
        command.arg("test").output().unwrap()
    });
    assert_eq!(run.exits(0).stdout, "1 case: 1 as expected.\n");
}

#[test]
fn a_case_that_cannot_be_planned_fails_and_the_others_go_on() {
    let repository = Repository::new();
    repository.case("cases/b-good", "car");
    repository.bless().exits(0);
    repository.case("cases/a-manifest", "car");
    repository.write(
        "cases/a-manifest/annosync.yaml",
        "version: 1\nset: street\npolicy: sink\n",
    );
    repository.case("cases/c-listing", "car");
    repository.write(
        "cases/c-listing/observed.json",
        "{\"format_version\": \"1.0\", \"caller\": \"a\", \"app_owner\": \"a\",\n7}",
    );
    // An annotation of a model cannot be changed.
    repository.write(
        "cases/d-refused/observed.json",
        &listing("owner").replace("\"user_id\":\"owner\"", "\"model_version_id\":\"v\""),
    );
    repository.write(
        "cases/d-refused/annosync.yaml",
        &format!(
            "{}inputs:\n  - id: in-000\n    annotations: [{{ id: a, concepts: [bus] }}]\n",
            header()
        ),
    );
    repository.case("cases/e-good", "car");
    repository.write("cases/e-good/plan.txt", UNCHANGED);
    let run = repository.test(&["cases"]).exits(1);
    for said in [
        "Cannot be planned: cases/a-manifest\n",
        "cases/a-manifest/annosync.yaml:3:9",
        "Cannot be planned: cases/c-listing\nerror: cases/c-listing/observed.json:2:1: ",
        "Cannot be planned: cases/d-refused\nerror: cases/d-refused/annosync.yaml:",
    ] {
        assert!(run.stdout.contains(said), "{said}\n{}", run.stdout);
    }
    assert_eq!(
        run.last_line(),
        "5 cases: 2 as expected, 3 cannot be planned."
    );
    // No file is written for a case that cannot be planned.
    let run = repository.test(&["--bless"]).exits(1);
    assert_eq!(
        run.last_line(),
        "5 cases: 2 as expected, 3 cannot be planned."
    );
    assert!(!repository.has("cases/a-manifest/plan.txt"));
}

#[test]
fn a_case_without_its_listing_is_an_error() {
    let repository = Repository::new();
    repository.case("cases/one", "car");
    repository.case("cases/two", "car");
    repository.bless().exits(0);
    fs::remove_file(repository.path().join("cases/two/observed.json")).unwrap();
    for arguments in [&[][..], &["--bless"]] {
        let run = repository.test(arguments).exits(1);
        assert_eq!(
            run.stdout,
            "Cannot be planned: cases/two\n\
             error: plan.txt is there, but not the listing observed.json\n\
             hint: save the listing with `annosync list --all --format json > cases/two/observed.json`, or remove \
             plan.txt if the folder is not a case\n\n\
             2 cases: 1 as expected, 1 cannot be planned.\n"
        );
    }
    // The named folder may be that of a repository where a plan was printed to a file.
    fs::remove_file(repository.path().join("cases/two/plan.txt")).unwrap();
    repository.write("plan.txt", "a plan");
    repository.test(&[]).exits(0);
}

#[test]
fn a_folder_without_cases_is_an_error() {
    let repository = Repository::new();
    repository.write("cases/annosync.yaml", &header());
    repository.write(".hidden/observed.json", &listing("owner"));
    repository.write("cases/.hidden/observed.json", &listing("owner"));
    repository.test(&[]).exits(1).says("no test case in .");
    repository
        .test(&["cases"])
        .exits(1)
        .says("hint: a case is a folder");
    repository.test(&["case"]).exits(1).says("cannot read case");
    repository.test(&["--bless"]).exits(1);
}

#[test]
fn cases_are_found_at_any_depth_and_in_order() {
    let repository = Repository::new();
    for name in ["z", "a/b/c", "a/b-c", "a/.hidden"] {
        repository.case(name, "car");
    }
    let run = repository.bless().exits(0);
    let wrote: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        wrote,
        [
            "Wrote a/b/c/plan.txt.",
            "Wrote a/b-c/plan.txt.",
            "Wrote z/plan.txt.",
            "3 cases: 0 as expected, 3 accepted."
        ]
    );
    let run = repository.test(&["a/b/c"]).exits(0);
    assert_eq!(run.stdout, "1 case: 1 as expected.\n");
}

/// A case with three files that are as expected.
fn with_all_formats(repository: &Repository) {
    repository.case("one", "bus");
    for file in ["one/plan.md", "one/plan.json"] {
        repository.write(file, "");
    }
    let run = repository.bless().exits(0);
    for file in ["one/plan.txt", "one/plan.md", "one/plan.json"] {
        assert!(
            run.stdout.contains(&format!("Wrote {file}.")),
            "{}",
            run.stdout
        );
    }
    // The expected plans are in the manifest's folder, but do not belong to it.
    repository.test(&[]).exits(0);
}

#[test]
fn markdown_and_json_are_compared_if_they_exist() {
    let repository = Repository::new();
    with_all_formats(&repository);
    for (file, said, otherwise) in [
        ("one/plan.md", "1 to overwrite", "2 to overwrite"),
        ("one/plan.json", "in-000", "in-999"),
    ] {
        let right = repository.read(file);
        let wrong = right.replacen(said, otherwise, 1);
        assert_ne!(wrong, right);
        repository.write(file, &wrong);
        let run = repository
            .test(&[])
            .exits(1)
            .says(&format!("Differs: {file}"));
        assert_eq!(run.stdout.matches("Differs: ").count(), 1);
        let run = repository.bless().exits(0);
        assert_eq!(run.stdout.matches("Wrote ").count(), 1, "{}", run.stdout);
        assert_eq!(repository.read(file), right);
    }
    // Byte for byte, even if the meaning is the same.
    let right = repository.read("one/plan.json");
    repository.write("one/plan.json", &right.replacen("  ", "   ", 1));
    repository.test(&[]).exits(1).says("Differs: one/plan.json");
}

#[test]
fn the_tool_version_is_not_compared() {
    let repository = Repository::new();
    with_all_formats(&repository);
    let plan = repository.read("one/plan.json");
    let version = format!("\"tool_version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let older = plan.replace(&version, "\"tool_version\": \"0.0.1-older\"");
    assert_ne!(older, plan);
    repository.write("one/plan.json", &older);
    repository.test(&[]).exits(0);
    repository.bless().exits(0);
    assert_eq!(repository.read("one/plan.json"), older, "nothing differs");
    repository.write("one/plan.json", &older.replacen("in-000", "in-999", 1));
    let run = repository.test(&[]).exits(1);
    assert!(!run.stdout.contains("-older"), "{}", run.stdout);
    repository.bless().exits(0);
    assert_eq!(repository.read("one/plan.json"), plan);
}

#[test]
fn neither_targets_nor_the_environment_change_a_plan() {
    let repository = Repository::new();
    repository.case("one", "bus");
    let header = manifest("bus")
        + "target: prod\ntargets: { prod: { user_id: acme, app_id: street, rate_limit: 3 } }\n";
    repository.write("one/annosync.yaml", &header);
    repository.write("one/plan.json", "");
    repository.bless().exits(0);
    let plan: Value = serde_json::from_str(&repository.read("one/plan.json")).unwrap();
    let target = json!({"endpoint": "", "user_id": "owner", "app_id": ""});
    assert_eq!(plan["target"], target);
    let mut command = command(repository.path());
    command
        .env("CLARIFAI_USER_ID", "someone")
        .env("CLARIFAI_APP_ID", "other")
        .env("COLUMNS", "40")
        .env("PAGER", "false")
        .arg("test");
    Run::of(command).exits(0);
}

#[test]
fn line_endings_changed_by_a_checkout_are_not_a_difference() {
    let repository = Repository::new();
    with_all_formats(&repository);
    for file in ["one/plan.txt", "one/plan.md", "one/plan.json"] {
        let text = repository.read(file);
        repository.write(file, &text.replace('\n', "\r\n"));
    }
    repository.test(&[]).exits(0);
}

#[test]
fn a_stopped_plan_can_be_the_expected_plan() {
    let repository = Repository::new();
    repository.listing("one", "owner");
    let empty = header().replace("max_deletes: 100%", "max_deletes: 0%, min_existing: 0");
    repository.write(
        "one/annosync.yaml",
        &format!("{empty}inputs: [{{ id: in-000, annotations: [] }}]\n"),
    );
    repository.bless().exits(0);
    assert!(repository.read("one/plan.txt").contains("Stopped: "));
    repository.test(&[]).exits(0);
}

#[test]
fn a_diff_is_coloured_on_demand_and_escapes_control_characters() {
    let repository = Repository::new();
    repository.case("one", "car");
    repository.write("one/plan.txt", "\u{1b}]0;title\u{7}\n");
    let plain = repository.test(&[]).exits(1).stdout;
    assert!(plain.contains("-\\u001b]0;title\\u0007\n"), "{plain:?}");
    let mut command = command(repository.path());
    command.env("CLICOLOR_FORCE", "1").arg("test");
    let colored = Run::of(command).exits(1).stdout;
    assert!(
        colored.contains("\u{1b}[31m-\\u001b]0;title"),
        "{colored:?}"
    );
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
}
