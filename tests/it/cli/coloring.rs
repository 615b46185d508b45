//! Colours: used only if stdout supports them, and only in addition to the text.

use super::{Run, World, boxes};

/// A world with a plan that has a post, which is coloured.
fn world() -> World {
    let world = World::new();
    world.declare(&boxes(0..2, "car"));
    world
}

fn plan(world: &World, environment: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut command = world.command();
    command
        .envs(environment.iter().copied())
        .args(["plan", "m.yaml", "--embedded", "s.db"])
        .args(arguments);
    Run::of(command).exits(0)
}

const FORCED: (&str, &str) = ("CLICOLOR_FORCE", "1");

#[test]
fn piped_output_is_neither_coloured_nor_wrapped() {
    let world = world();
    let piped = plan(&world, &[], &[]).stdout;
    assert!(
        piped.contains("+ post") && !piped.contains('\u{1b}'),
        "{piped:?}"
    );
    assert!(piped.lines().any(|line| line.len() > 60), "{piped}");
    for (name, value) in [
        ("CLICOLOR", "1"),
        ("COLORTERM", "truecolor"),
        ("TERM", "xterm-256color"),
        ("COLUMNS", "40"),
        ("PAGER", "exit 3"),
        ("ANNOSYNC_PAGER", "/no/such/pager"),
    ] {
        let run = plan(&world, &[(name, value)], &[]);
        assert_eq!(run.stdout, piped, "{name}");
        assert_eq!(run.stderr, "", "{name}");
    }
}

#[test]
fn requested_colours_do_not_change_the_text() {
    let world = world();
    let piped = plan(&world, &[], &[]).stdout;
    let forced = plan(&world, &[FORCED], &[]).stdout;
    assert!(forced.contains("\u{1b}[32m+ post\u{1b}[0m"), "{forced:?}");
    assert_eq!(anstream::adapter::strip_str(&forced).to_string(), piped);
    // A request for colours overrides the default.
    assert_eq!(
        plan(&world, &[FORCED, ("CLICOLOR", "0")], &[]).stdout,
        forced
    );
}

#[test]
fn no_color_takes_precedence() {
    let world = world();
    let piped = plan(&world, &[], &[]).stdout;
    for environment in [
        &[("NO_COLOR", "1")][..],
        &[("NO_COLOR", "1"), FORCED],
        &[("NO_COLOR", "0"), FORCED],
        &[("CLICOLOR_FORCE", "")],
    ] {
        assert_eq!(
            plan(&world, environment, &[]).stdout,
            piped,
            "{environment:?}"
        );
    }
    // An empty variable counts as unset.
    let forced = plan(&world, &[("NO_COLOR", ""), FORCED], &[]).stdout;
    assert!(forced.contains('\u{1b}'), "{forced:?}");
}

#[test]
fn files_and_machine_formats_are_not_coloured() {
    let world = world();
    let piped = plan(&world, &[], &[]).stdout;
    let also = ["--also", "text=plan.txt", "--also", "markdown=plan.md"];
    plan(&world, &[FORCED], &also);
    assert_eq!(world.read("plan.txt"), piped);
    assert!(!world.read("plan.md").contains('\u{1b}'));
    for format in ["json", "markdown"] {
        let run = plan(&world, &[FORCED], &["--format", format]);
        assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
    }
}
