//! The Jobs and the workflow of `examples/shards`, run.

use super::*;

/// The text behind a key of an example, without its indentation.
fn script(example: &str, name: &str) -> String {
    let example = std::fs::read_to_string(example).unwrap();
    let mut lines = example.lines().skip_while(|line| !line.contains(name));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let start = lines.find(|line| line.ends_with('|')).expect("a script");
    let body: Vec<&str> = lines
        .by_ref()
        .take_while(|line| {
            line.trim().is_empty()
                || indent(line) > indent(start)
                || line.trim_start().starts_with("- |")
        })
        .collect();
    let least = body
        .iter()
        .filter(|it| !it.trim().is_empty())
        .map(|it| indent(it))
        .min()
        .unwrap();
    let body = body
        .iter()
        .map(|line| line.get(least..).unwrap_or_default());
    body.collect::<Vec<_>>().join("\n")
}

/// A world with a target `prod` and a manifest in the folder `labels`.
fn with_target() -> World {
    let world = changed(40);
    let text = world.read("m.yaml");
    let target = format!(
        "targets:\n  prod: {{ user_id: owner, app_id: app, endpoint: \"{}\", rate_limit: 1000 }}\n",
        world.emulator.url()
    );
    let text = text.replacen("inputs:\n", &format!("{target}inputs:\n"), 1);
    world.write("labels/annosync.yaml", &text);
    std::fs::create_dir(world.path().join("shared")).unwrap();
    let bin = world.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_annosync"), bin.join("annosync")).unwrap();
    world
}

/// Starts a script of an example in a folder.
fn start(
    world: &World,
    shell: &[&str],
    folder: &str,
    text: &str,
    variables: &[(&str, &str)],
) -> Child {
    let path = std::env::var("PATH").unwrap();
    let mut command = std::process::Command::new(shell[0]);
    command
        .args(&shell[1..])
        .arg(text)
        .current_dir(world.path().join(folder))
        .env_clear()
        .env(
            "PATH",
            format!("{}:{path}", world.path().join("bin").display()),
        )
        .env("CLARIFAI_PAT", "owner-key")
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn ended(child: Child) -> Run {
    Run::from(child.wait_with_output().unwrap())
}

#[test]
#[cfg(unix)]
fn the_jobs_for_kubernetes_plan_join_and_apply() {
    let world = with_target();
    let [labels, shared] =
        ["labels", "shared"].map(|it| world.path().join(it).display().to_string());
    let job = |name: &str, index: Option<u32>| {
        let text = script(&format!("examples/shards/kubernetes/{name}.yaml"), "args:");
        let index = index.map(|index| index.to_string());
        let mut variables = vec![("SHARDS", "8"), ("LABELS", &*labels), ("SHARED", &*shared)];
        variables.extend(
            index
                .as_deref()
                .map(|index| ("JOB_COMPLETION_INDEX", index)),
        );
        start(&world, &["sh", "-euc"], ".", &text, &variables)
    };
    let indexed = |name: &str| {
        let pods: Vec<Child> = (0..SHARDS).map(|index| job(name, Some(index))).collect();
        for pod in pods {
            ended(pod).exits(0);
        }
    };
    indexed("plan");
    ended(job("join", None)).exits(0).says("7 to post");
    indexed("apply");
    world.is_settled();
    let outcomes: Vec<String> = (0..SHARDS)
        .map(|at| format!("shared/outcome-{at}.json"))
        .collect();
    let outcomes: Vec<&str> = outcomes.iter().map(String::as_str).collect();
    world
        .run(&[&["show"], &outcomes[..]].concat())
        .exits(0)
        .says("Applied 16 ");
    for name in ["plan", "apply"] {
        let text =
            std::fs::read_to_string(format!("examples/shards/kubernetes/{name}.yaml")).unwrap();
        assert!(text.contains("completions: 8 ") && text.contains("completionMode: Indexed"));
    }
}

#[test]
#[cfg(unix)]
fn the_workflow_with_a_matrix_plans_joins_and_applies() {
    if !is_there("bash") {
        return;
    }
    let world = with_target();
    let example = "examples/shards/github/shards.yml";
    let url = world.emulator.url();
    let step = |name: &str, folder: &str, index: u32| {
        let (shard, index) = (format!("{index}/8"), index.to_string());
        let variables = [
            ("ANNOSYNC_TARGET", "prod"),
            ("ANNOSYNC_ENDPOINT", &*url),
            ("SHARD", &*shard),
            ("INDEX", &*index),
            ("GITHUB_STEP_SUMMARY", "summary.md"),
        ];
        let text = script(example, name);
        start(&world, &["bash", "-e", "-c"], folder, &text, &variables)
    };
    let matrix = |name: &str| {
        let jobs: Vec<Child> = (0..SHARDS)
            .map(|index| step(name, "labels", index))
            .collect();
        for job in jobs {
            ended(job).exits(0);
        }
    };
    // The manifest is the only label file; plans lie beside it, as in a checkout.
    let text = world.read("labels/annosync.yaml");
    world.write(
        "labels/annosync.yaml",
        &text.replacen("inputs:\n", "files: [annosync.yaml]\ninputs:\n", 1),
    );
    matrix("name: Plan the shard");
    ended(step("name: Join the plans", "labels", 0)).exits(0);
    assert!(world.read("labels/summary.md").contains("7 to post"));
    std::fs::create_dir(world.path().join("labels/reviewed")).unwrap();
    std::fs::rename(
        world.path().join("labels/plan.json"),
        world.path().join("labels/reviewed/plan.json"),
    )
    .unwrap();
    matrix("name: Apply the shard");
    world.is_settled();
}
