//! Pages in a real browser: filters, keys, links, without a script, dark and narrow, and with hostile names.

use super::drifting::{applied, relabel};
use super::{Run, World, boxes, command, skipped};
use crate::browser::Browser;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;
use tempfile::TempDir;

const HEADER: &str = "version: 1\nset: street\npolicy: sync\ninputs:\n";

/// A browser; without one, the test is skipped.
fn browser() -> Option<Browser> {
    let browser = Browser::start();
    if browser.is_none() {
        skipped("there is no Chromium here");
    }
    browser
}

/// Two label sets with 420 inputs, of which each has one difference, and their diff as a page.
fn large() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut old, mut new) = (HEADER.to_owned(), HEADER.to_owned());
    for at in 0..420 {
        let label = |left: f64, concept: &str| {
            let right = left + 0.2;
            format!(
                "  - id: in-{at:03}\n    annotations:\n      - {{ key: k, box: {{ top: 0.1, left: {left}, bottom: 0.3, \
                 right: {right} }}, concepts: [{concept}] }}\n"
            )
        };
        old.push_str(&label(0.1, "car"));
        new.push_str(&match at {
            410 => label(0.1, "taxi"),
            _ => label(0.12, "car"),
        });
    }
    write(folder.path(), "old.yaml", &old);
    write(folder.path(), "new.yaml", &new);
    page_of(folder.path(), &["diff", "old.yaml", "new.yaml"]).exits(2);
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Writes what a command prints as HTML to `page.html`.
fn page_of(folder: &Path, arguments: &[&str]) -> Run {
    let mut command = command(folder);
    command.args(arguments).args(["--format", "html"]);
    let run = Run::of(command);
    write(folder, "page.html", &run.stdout);
    run
}

/// Checks that the page did nothing but load itself.
#[track_caller]
fn is_quiet(browser: &Browser, file: &Path) {
    assert_eq!(browser.errors(), Vec::<String>::new());
    let requests: Vec<String> = browser
        .requests()
        .into_iter()
        .filter(|url| !url.starts_with("data:"))
        .map(|url| url.split('#').next().unwrap().to_owned())
        .collect();
    assert_eq!(requests, [format!("file://{}", file.display())]);
}

/// The least contrast of a text with its background.
const CONTRAST: &str = r"(() => {
    const parts = color => color.match(/[\d.]+/g).map(Number);
    const over = (front, back) => {
        const alpha = front[3] ?? 1;
        return [0, 1, 2].map(at => front[at] * alpha + back[at] * (1 - alpha));
    };
    const background = element => element
        ? over(parts(getComputedStyle(element).backgroundColor), background(element.parentElement))
        : [255, 255, 255];
    const light = color => {
        const [r, g, b] = color.map(it => it / 255).map(it => it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    let least = [21, ''];
    for (const element of document.body.querySelectorAll('*:not(svg *, script)')) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!own || !element.getClientRects().length) continue;
        const back = background(element);
        const pair = [light(over(parts(getComputedStyle(element).color), back)), light(back)].sort((a, b) => b - a);
        const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 200)];
    }
    return least;
})()";

/// The least contrast of a line with the blank canvas below it, and of the variables of enlarged drawings.
const LINES: &str = r"(() => {
    const paint = document.createElement('p');
    document.body.append(paint);
    const parts = color => {
        paint.style.color = color;
        return getComputedStyle(paint).color.match(/[\d.]+/g).map(Number);
    };
    const light = color => {
        const [r, g, b] = parts(color).map(it => it / 255)
            .map(it => it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ratio = (a, b) => {
        const [low, high] = [light(a), light(b)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    let [least, brightest, count] = [21, 0, 0];
    for (const svg of document.querySelectorAll('figure.blank > svg, svg.zoom.blank')) {
        const canvas = getComputedStyle(svg.querySelector('rect.canvas')).fill;
        brightest = Math.max(brightest, light(canvas));
        const lines = [...svg.querySelectorAll('rect:not(.canvas), path')].map(it => getComputedStyle(it).stroke);
        const sides = ['unchanged', 'before', 'after', 'added', 'removed'];
        const variables = sides.map(it => getComputedStyle(svg).getPropertyValue(`--${it}-line`));
        const names = [...svg.querySelectorAll('text')].map(it => getComputedStyle(it).fill);
        for (const color of [...lines, ...variables, ...names]) {
            least = Math.min(least, ratio(color, canvas));
            count += 1;
        }
    }
    paint.remove();
    return [least, brightest, count];
})()";

/// The pairs of names in drawings that overlap.
const OVERLAPS: &str = r"(() => {
    const found = [];
    for (const svg of document.querySelectorAll('svg.picture')) {
        const names = [...svg.querySelectorAll('text')].map(it => [it.textContent, it.getBoundingClientRect()]);
        names.forEach(([name, a], at) => names.slice(at + 1).forEach(([other, b]) => {
            if (a.left < b.right && b.left < a.right && a.top < b.bottom - 1 && b.top < a.bottom - 1) {
                found.push([name, other]);
            }
        }));
    }
    return found;
})()";

#[track_caller]
fn is_readable(browser: &mut Browser) {
    for scheme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
        let is_dark = browser.evaluate("matchMedia('(prefers-color-scheme: dark)').matches");
        assert_eq!(is_dark, scheme == "dark");
        let least = browser.evaluate(CONTRAST);
        assert!(least[0].as_f64().unwrap() >= 4.5, "{scheme}: {least}");
        let lines = browser.evaluate(LINES);
        if lines[2] != 0 {
            assert!(lines[0].as_f64().unwrap() >= 4.5, "{scheme}: {lines}");
            let is_light = lines[1].as_f64().unwrap() > 0.8;
            assert_eq!(is_light, scheme == "light", "{scheme}: {lines}");
        }
    }
    assert_eq!(browser.evaluate(OVERLAPS), json!([]));
    browser.resize(400, 800);
    assert_eq!(browser.evaluate(OVERLAPS), json!([]));
    let overflow = browser.evaluate("document.documentElement.scrollWidth");
    assert!(overflow.as_u64().unwrap() <= 400, "{overflow}");
    browser.resize(1280, 800);
}

#[test]
fn a_plan_is_a_quiet_and_readable_page() {
    let Some(mut browser) = browser() else { return };
    let world = World::new();
    world.declare(&boxes(0..4, "car"));
    world.apply(&[]).exits(0);
    world.declare(&format!(
        "{}{}  - id: in-002\n    annotations:\n      - {{ box: {{ top: 0.1, left: 0.1, bottom: 0.5, right: 0.6 }}, concepts: [car] }}\n",
        boxes(0..2, "tree"),
        boxes(3..4, "car"),
    ));
    let listing = world
        .on_app(&["list", "--format", "json", "--all"])
        .exits(0);
    world.write("listing.json", &listing.stdout);
    world
        .plan(&["--observed", "listing.json", "--also", "html=page.html"])
        .exits(0);
    let file = world.path().join("page.html");
    browser.open(&file, "");
    is_quiet(&browser, &file);
    is_readable(&mut browser);
    let text = browser.evaluate("document.querySelector('header').innerText");
    let plain = world.plan(&["--observed", "listing.json"]).exits(0);
    assert!(text.as_str().unwrap().contains(plain.last_line()), "{text}");
    let matrix = browser.evaluate("document.querySelectorAll('svg[role=img] > title').length");
    assert!(matrix.as_u64().unwrap() >= 2, "{matrix}");
    let unnamed = browser.evaluate(
        "[...document.querySelectorAll('input, select, button')].filter(it => !it.labels?.length && !it.textContent.trim()).length",
    );
    assert_eq!(unnamed, 0);
}

#[test]
fn names_over_a_crowded_picture_do_not_overlap() {
    let Some(mut browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (side, concept) in [("old", "platelets"), ("new", "white blood cells")] {
        let mut text = format!("{HEADER}  - id: few\n    annotations:\n");
        let mut label = |key: usize, left: f64| {
            let right = left + 0.3;
            writeln!(
                text,
                "      - {{ key: k{key}, box: {{ top: 0.3, left: {left:.2}, bottom: 0.5, right: {right:.2} }}, concepts: [{concept}] }}"
            )
            .unwrap();
        };
        for at in 0..8 {
            label(at, 0.6 + at as f64 / 100.0);
        }
        text.push_str("  - id: many\n    annotations:\n");
        let mut label = |key: usize, left: f64| {
            let right = left + 0.3;
            writeln!(
                text,
                "      - {{ key: k{key}, box: {{ top: 0.01, left: {left:.2}, bottom: 0.5, right: {right:.2} }}, concepts: [{concept}] }}"
            )
            .unwrap();
        };
        for at in 0..60 {
            label(at, at as f64 / 100.0);
        }
        write(folder.path(), &format!("{side}.yaml"), &text);
    }
    page_of(folder.path(), &["diff", "old.yaml", "new.yaml"]).exits(2);
    let file = folder.path().join("page.html");
    browser.open(&file, "");
    is_readable(&mut browser);
    let names = "[...document.querySelectorAll('svg.picture')].map(it => it.querySelectorAll('text').length)";
    assert_eq!(browser.evaluate(names), json!([8, 60]));
}

#[test]
fn filters_choose_among_all_changes() {
    let Some(mut browser) = browser() else { return };
    let folder = large();
    let file = folder.path().join("page.html");
    browser.open(&file, "");
    let shown = |browser: &mut Browser, text: &str| {
        browser.until(&format!(
            "document.getElementById('shown').textContent === {text:?}"
        ));
        browser.evaluate(
            "[...document.querySelectorAll('article:not([hidden]) li:not([hidden])')].length",
        )
    };
    assert_eq!(shown(&mut browser, "300 of 420 differences shown."), 300);
    browser.evaluate("document.getElementById('more').click()");
    assert_eq!(shown(&mut browser, "400 of 420 differences shown."), 400);
    browser.evaluate("document.getElementById('more').click()");
    assert_eq!(shown(&mut browser, "420 differences."), 420);
    let choose = |browser: &mut Browser, id: &str, value: &str, event: &str| {
        browser.evaluate(&format!(
            "{{ const it = document.getElementById('{id}'); it.value = {value}; it.dispatchEvent(new Event('{event}')); }}"
        ));
    };
    choose(&mut browser, "concept", "'TAXI'", "input");
    assert_eq!(shown(&mut browser, "1 of 420 differences matches."), 1);
    browser.evaluate("document.getElementById('clear').click()");
    assert_eq!(shown(&mut browser, "300 of 420 differences shown."), 300);
    let relabelled =
        "[...document.querySelectorAll('#kind option')].find(it => it.text === 'relabelled').value";
    choose(&mut browser, "kind", relabelled, "change");
    assert_eq!(shown(&mut browser, "1 of 420 differences matches."), 1);
    browser.evaluate("document.getElementById('clear').click()");
    choose(&mut browser, "input", "'in-41'", "input");
    assert_eq!(shown(&mut browser, "10 of 420 differences match."), 10);
    choose(&mut browser, "text", "'box moved'", "input");
    assert_eq!(shown(&mut browser, "9 of 420 differences match."), 9);
    choose(&mut browser, "text", "'nowhere'", "input");
    assert_eq!(shown(&mut browser, "0 of 420 differences match."), 0);
    // The order is that of the inputs, in whichever order they were opened.
    browser.evaluate("document.getElementById('clear').click()");
    shown(&mut browser, "300 of 420 differences shown.");
    let sorted = "[...document.querySelectorAll('article')].every((it, at, all) => \
                  at === 0 || Number(all[at - 1].dataset.card) < Number(it.dataset.card))";
    assert_eq!(browser.evaluate(sorted), true);
    is_quiet(&browser, &file);
}

#[test]
fn keys_walk_through_the_changes() {
    let Some(mut browser) = browser() else { return };
    let folder = large();
    let file = folder.path().join("page.html");
    browser.open(&file, "");
    let here = "document.querySelector('li.here')?.id ?? ''";
    for (key, id) in [
        ("j", "in-000/k"),
        ("ArrowRight", "in-001/k"),
        ("j", "in-002/k"),
        ("k", "in-001/k"),
        ("ArrowLeft", "in-000/k"),
    ] {
        browser.press(key);
        browser.until(&format!("({here}) === {id:?}"));
        assert_eq!(browser.evaluate("document.activeElement.id"), id);
    }
    // The labels of one side are hidden, in the enlarged drawings as well.
    let visible = "['before', 'after'].map(side => \
                   getComputedStyle(document.querySelector(`rect.${side}`)).visibility)";
    for expected in [
        ["visible", "hidden"],
        ["hidden", "visible"],
        ["visible", "visible"],
    ] {
        browser.press("b");
        assert_eq!(browser.evaluate(visible), json!(expected));
    }
    browser.press("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), "text");
    // Letters in a field are text.
    browser.press("j");
    assert_eq!(
        browser.evaluate("document.getElementById('text').value"),
        "j"
    );
    browser.evaluate("document.activeElement.blur()");
    browser.press("?");
    assert_eq!(
        browser.evaluate("document.getElementById('help').open"),
        true
    );
    browser.evaluate("document.getElementById('close').click()");
    assert_eq!(
        browser.evaluate("document.getElementById('help').open"),
        false
    );
    is_quiet(&browser, &file);
}

#[test]
fn links_lead_to_changes_that_are_not_shown_yet() {
    let Some(mut browser) = browser() else { return };
    let folder = large();
    let file = folder.path().join("page.html");
    browser.open(&file, "#in-005/none");
    browser.until("document.getElementById('shown').textContent.endsWith('No change has the address #in-005/none.')");
    for (hash, id) in [("#in-005/k", "in-005/k"), ("#in-410/k", "in-410/k")] {
        browser.open(&file, hash);
        browser.until(&format!("document.querySelector('li.here')?.id === {id:?}"));
        let top = browser.evaluate("document.querySelector('li.here').getBoundingClientRect().top");
        let top = top.as_f64().unwrap();
        assert!((0.0..800.0).contains(&top), "{top}");
    }
    // A plan's changes have ids and keys.
    let world = World::new();
    world.declare(&boxes(0..4, "car").replace("key: k", "key: red car"));
    let plan = world.plan(&["--format", "html"]).exits(0);
    world.write("page.html", &plan.stdout);
    let page = world.path().join("page.html");
    browser.open(&page, "#in-002/red%20car");
    browser.until("document.querySelector('li.here')?.id.startsWith('in-002/as-')");
    browser.open(&file, "#i-in-415");
    browser.until("document.getElementById('i-in-415')?.hidden === false");
    browser.open(&file, "#i-nowhere");
    is_quiet(&browser, &file);
}

#[test]
fn links_may_encode_other_characters_than_the_ids_do() {
    let Some(mut browser) = browser() else { return };
    let folder = large();
    let more = |text: String, left: f64| {
        let right = left + 0.2;
        format!(
            "{text}  - id: image (1)\n    annotations:\n      - {{ key: left (old)'s, box: {{ top: 0.1, left: {left}, \
             bottom: 0.3, right: {right} }}, concepts: [car] }}\n      - {{ key: a~b, box: {{ top: 0.5, left: {left}, \
             bottom: 0.7, right: {right} }}, concepts: [car] }}\n"
        )
    };
    for (file, left) in [("old.yaml", 0.1), ("new.yaml", 0.12)] {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        write(folder.path(), file, &more(text, left));
    }
    page_of(folder.path(), &["diff", "old.yaml", "new.yaml"]).exits(2);
    let file = folder.path().join("page.html");
    for (hash, id) in [
        (
            "#image%20(1)/left%20(old)'s",
            "image%20%281%29/left%20%28old%29%27s",
        ),
        (
            "#image%20%281%29/left%20%28old%29%27s",
            "image%20%281%29/left%20%28old%29%27s",
        ),
        ("#image%20(1)/a~b", "image%20%281%29/a%7Eb"),
        ("#%69n-410/%6b", "in-410/k"),
    ] {
        browser.open(&file, hash);
        browser.until(&format!("document.querySelector('li.here')?.id === {id:?}"));
    }
    for (hash, id) in [
        ("#image%20(1)", "i-image%20%281%29"),
        ("#i-image%20(1)", "i-image%20%281%29"),
        ("#in-290", "i-in-290"),
        ("#in-414", "i-in-414"),
    ] {
        browser.open(&file, hash);
        // Scrolling changes nothing that `until` notices.
        browser.evaluate(&format!(
            "new Promise(done => {{
                const check = () => {{
                    const top = document.getElementById({id:?})?.getBoundingClientRect().top;
                    if (top > -1 && top < 800) done(true); else requestAnimationFrame(check);
                }};
                check();
            }})"
        ));
    }
    browser.open(&file, "#image%20(1)/50%");
    browser.until(
        "document.getElementById('shown').textContent.includes('No change has the address')",
    );
    is_quiet(&browser, &file);
}

#[test]
fn links_with_an_id_or_a_key_lead_to_what_was_changed_in_the_app() {
    let Some(mut browser) = browser() else { return };
    let world = applied();
    relabel(&world, "in-002", "taxi");
    world.declare(&boxes(0..5, "bus"));
    let page = world.plan(&["--base", "HEAD", "--format", "html"]);
    world.write("page.html", &page.stdout);
    let file = world.path().join("page.html");
    let id = world.id_on("in-002");
    for link in [
        format!("in-002/{id}~app"),
        format!("in-002/{id}"),
        "in-002/k~app".to_owned(),
        "in-002/k".to_owned(),
    ] {
        browser.open(&file, &format!("#{link}"));
        browser.until(&format!(
            "document.querySelector('li.here')?.id === 'in-002/{id}~app'"
        ));
    }
    is_quiet(&browser, &file);
}

#[test]
fn a_page_can_be_read_without_its_script() {
    let Some(mut browser) = browser() else { return };
    let folder = large();
    let file = folder.path().join("page.html");
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        json!({ "value": true }),
    );
    browser.open(&file, "");
    let text = browser.evaluate("document.body.innerText");
    let text = text.as_str().unwrap();
    for part in [
        "1 relabelled, 419 moved.",
        "300 of 420 differences shown.",
        "This page shows the first 300 differences without JavaScript.",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let last = browser.evaluate("document.getElementById('in-299/k').textContent");
    assert!(last.as_str().unwrap().contains("moved box car"), "{last}");
    let controls = "document.getElementById('controls').getClientRects().length";
    assert_eq!(browser.evaluate(controls), 0);
    is_quiet(&browser, &file);
}

#[test]
fn names_from_outside_run_no_script() {
    let Some(mut browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "</script><script>document.title = 'hacked'</script>",
        "\"><img src=x onerror=\"document.title='hacked'\">",
        "javascript:document.title='hacked'",
        "<svg/onload=document.title='hacked'>",
        "a/b#c?d&e %41~",
        "]]>--><![CDATA[",
        "<iframe srcdoc=\"<script>parent.document.title='hacked'</script>\">",
    ];
    let mut text = HEADER.to_owned();
    for name in names {
        let name = json!(name);
        writeln!(
            text,
            "  - id: {name}\n    annotations:\n      - {{ key: {name}, box: {{ top: 0.1, left: 0.1, bottom: 0.3, right: 0.3 }}, \
             concepts: [{name}], metadata: {{ {name}: {name} }} }}"
        )
        .unwrap();
    }
    write(folder.path(), "new.yaml", &text);
    write(
        folder.path(),
        "old.yaml",
        &format!("{} []\n", HEADER.trim_end()),
    );
    page_of(folder.path(), &["diff", "old.yaml", "new.yaml"]).exits(2);
    let file = folder.path().join("page.html");
    browser.open(&file, "");
    is_quiet(&browser, &file);
    assert!(
        browser
            .evaluate("document.title")
            .as_str()
            .unwrap()
            .starts_with("annosync diff")
    );
    assert_eq!(
        browser.evaluate("document.querySelectorAll('img, iframe, [onerror], [onload]').length"),
        0
    );
    let shown =
        browser.evaluate("[...document.querySelectorAll('h3 a')].map(it => it.textContent).sort()");
    let mut names = names.to_vec();
    names.sort_unstable();
    assert_eq!(shown, json!(names));
    // Each link leads to its input, and the names can be searched.
    let links = browser.evaluate(
        "[...document.querySelectorAll('a')].filter(it => !document.getElementById(it.getAttribute('href').slice(1))).length",
    );
    assert_eq!(links, 0);
    browser.evaluate(
        "{ const it = document.getElementById('text'); it.value = '<IMG'; it.dispatchEvent(new Event('input')); }",
    );
    browser.until("document.getElementById('shown').textContent.startsWith('1 of 7 ')");
    is_quiet(&browser, &file);
}

#[test]
fn other_labels_of_an_input_are_drawn_between_its_changes() {
    let label = |key: &str, left: f64| {
        let right = left + 0.2;
        format!(
            "      - {{ key: {key}, box: {{ top: 0.1, left: {left}, bottom: 0.3, right: {right} }}, concepts: [car] }}\n"
        )
    };
    let inputs = |moved: f64| {
        let (a, b, c) = (label("a", moved), label("b", 0.5), label("c", 0.7));
        format!("  - id: in-1\n    annotations:\n{a}{b}  - id: in-2\n    annotations:\n{c}")
    };
    let unchanged = |page: &str| page.matches("<rect class=\"unchanged\"").count();
    let world = World::new();
    world.declare(&inputs(0.1));
    world.apply(&[]).exits(0);
    world.write("old.yaml", &world.read("m.yaml"));
    world.declare(&inputs(0.12));
    let plan = world.plan(&["--format", "html"]).exits(0);
    assert_eq!(unchanged(&plan.stdout), 1);
    let diff = ["diff", "old.yaml", "m.yaml", "--format"];
    let page = world.run(&[&diff[..], &["html"]].concat()).exits(2);
    assert_eq!(unchanged(&page.stdout), 1);
    // They are not a part of the document.
    let json = world.run(&[&diff[..], &["json"]].concat()).exits(2);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["unchanged"], Value::Null);
    // A saved plan does not have them.
    world.plan(&["--out", "plan.json"]).exits(0);
    let saved = world
        .run(&["show", "plan.json", "--format", "html"])
        .exits(0);
    assert_eq!(unchanged(&saved.stdout), 0);
    assert!(saved.stdout.contains("<rect class=\"before\""));
}

#[test]
fn every_command_writes_pages_beside_its_format() {
    let world = World::new();
    world.declare(&boxes(0..4, "car"));
    world.apply(&["--log", "log.jsonl"]).exits(0);
    world.write("old.yaml", &world.read("m.yaml"));
    world.declare(&boxes(0..4, "bus"));
    world.plan(&["--out", "plan.json"]).exits(0);
    for (arguments, code) in [
        (&["diff", "old.yaml", "m.yaml"][..], 2),
        (&["show", "plan.json"], 0),
        (&["show", "log.jsonl"], 0),
        (&["stats", "m.yaml"], 0),
    ] {
        let with = |more: &[&str]| world.run(&[arguments, more].concat()).exits(code).stdout;
        let also = with(&[
            "--also",
            "html=page.html",
            "--also",
            "json=all.json",
            "--also",
            "text=a.txt",
        ]);
        assert_eq!(also, with(&[]), "{arguments:?}");
        for (file, format) in [
            ("page.html", "html"),
            ("all.json", "json"),
            ("a.txt", "text"),
        ] {
            assert_eq!(
                world.read(file),
                with(&["--format", format]),
                "{arguments:?} {file}"
            );
        }
        // What the command wrote itself may be replaced, and nothing else.
        with(&["--also", "json=all.json"]);
        world.write("all.json", "{\"mine\": 1}");
        let refused = world.run(&[arguments, &["--also", "json=all.json"]].concat());
        refused.exits(1).says("all.json exists and is not");
        std::fs::remove_file(world.path().join("all.json")).unwrap();
    }
    let images = world.run(&["stats", "m.yaml", "--also", "images=sheets"]);
    images.exits(64).says("there are no changes to draw");
}

#[test]
fn statistics_and_logs_are_pages_too() {
    let Some(mut browser) = browser() else { return };
    let world = World::new();
    world.declare(&boxes(0..4, "car"));
    world.apply(&["--log", "log.jsonl"]).exits(0);
    for arguments in [&["stats", "m.yaml"][..], &["show", "log.jsonl"]] {
        page_of(world.path(), arguments).exits(0);
        let file = world.path().join("page.html");
        browser.open(&file, "");
        is_quiet(&browser, &file);
        is_readable(&mut browser);
    }
}
